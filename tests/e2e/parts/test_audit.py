"""Audits of the real targets; and of a Streamlit chatbot that does one thing wrong, which its task must find."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from harness import profiles, results, targets
from harness.probes.browser import chromium
from harness.probes.integration.programs import CLIENTS, Program
from harness.probes.integration.tasks import TASKS, Story
from harness.probes.probe import run
from harness.probes.security import PROBES
from harness.probes.security.pages.trap import payloads
from harness.probes.security.two_addresses import FAILED
from harness.probes.subject import Subject
from harness.records import Finding, Trial, TrialKey
from harness.runtimes import serving
from harness.runtimes.local import LocalRuntime
from harness.runtimes.local.stack import site_packages
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial
from tests.e2e.conftest import ANSWER, AUDITED, ROOT, SEED, Running
from tests.golden.pipeline.test_audit_security_streamlit import FOUND, KNOWN

#: what is appended to the chatbot's modules, and the tasks that cannot be done then
SABOTAGE: list[tuple[dict[str, list[str]], set[str]]] = [
    ({}, set()),
    (
        {
            "auth.py": ["check_password = _when(check_password, lambda *_: True)"],
            "store.py": [
                f"Store.{name} = _when(Store.{name}, lambda *_: None)" for name in ("rename", "set_feedback", "delete")
            ],
        },
        {"sign in", "rename", "feedback", "delete"},
    ),
    (
        {
            "chat.py": [
                "_recorded = _when(_recorded, lambda chat, parts, _all=_recorded: iter([''.join(_all(chat, parts))]))"
            ],
            "store.py": [
                "def _some(self, user, words, n, all=Store.conversations):",
                "    found = all(self, user, '', n)",
                "    return [c for c in found if c.title != 'Conversation 1' or 'Renamed' not in str(found)]",
                "Store.conversations = _when(Store.conversations, _some)",
            ],
        },
        {"stream", "search", "list"},
    ),
    (
        {
            "chat.py": [
                "_recorded = _when(_recorded, lambda chat, parts: (parts.append('no ') or 'no ' for _ in range(3)))"
            ],
            "export.py": ["as_json = _when(as_json, lambda chat, messages, _as=as_json: _as(chat, messages[:-1]))"],
        },
        {"ask", "stream", "export", "feedback"},
    ),
    (
        {
            "store.py": [
                "Store.add_message = _when(Store.add_message, lambda self, user, chat, text, _add=Store.add_message:"
                " _add(self, user, chat or self.conversations(user, '', 9)[-1].id, text))"
            ]
        },
        set(TASKS) - {"sign in"},
    ),
]
#: the first documented command audits both targets of the default pair as well
AUDITS = [pytest.param(one, marks=pytest.mark.alone if one == "streamlit" else pytest.mark.long) for one in AUDITED]
HOSTILE = ("hostile-answers", "hostile-titles")
SWITCH = """

def _when(right, wrong):
    import pathlib
    name = {number!r}
    return lambda *a: (wrong if pathlib.Path({file!r}).read_text() == str(name) else right)(*a)

"""


@dataclass(frozen=True, slots=True)
class Audited:
    """A trial of scenario ``audit``, the run that it stands in, and its findings as read from there."""

    trial: Trial
    run: Path
    found: dict[str, Finding]


@pytest.fixture(scope="module")
def audited(started: Callable[[str], Running], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Audited]:
    """Return a target's audit, made the first time that it is asked for."""

    @cache
    def get(name: str) -> Audited:
        run, runtime = tmp_path_factory.mktemp("audited"), LocalRuntime()
        context = TrialContext(run=run, runtime=runtime, profile=profiles.load("smoke"), tell=lambda *_: None)
        key = TrialKey(target=name, scenario="audit", level=1, repetition=0, number=2)
        made = run_trial(context, started(name).prepared, key)
        runtime.close()
        found = results.read_audit(results.trial_folder(run, key))
        return Audited(made, run, {one.name: one for one in found})

    return get


@pytest.mark.parametrize("name", AUDITS)
def test_an_audit_is_a_trial_whose_findings_are_on_disk(audited: Callable[[str], Audited], name: str) -> None:
    one = audited(name)
    ((folder, again),) = results.read_trials(one.run)
    assert (again, again.verdict.outcome) == (one.trial, "pass")
    assert one.trial.files == {"audit.json": results.sha256(folder / "audit.json")}
    assert counts(one.found["scripted-tasks"]) == ("passed", 10, 10), one.found["scripted-tasks"].details
    documented, conformant = one.found["operations-documented"], one.found["operations-conformant"]
    if name != "django+angular":
        assert (counts(documented), conformant.outcome) == (("failed", 0, 18), "not measured")
    else:
        assert (counts(documented), counts(conformant)) == (("passed", 18, 18), ("passed", 18, 18)), conformant.details


@pytest.mark.browser
@pytest.mark.parametrize("name", AUDITS)
def test_hostile_text_does_nothing_on_an_audited_page(audited: Callable[[str], Audited], name: str) -> None:
    """A busy machine leaves some untried where a person types them; a try that went wrong fails whatever the count."""
    answers, titles = (audited(name).found[finding] for finding in HOSTILE)
    assert (answers.outcome, answers.exercised >= 48) == ("passed", True), answers.text  # of 55
    assert titles.outcome == "passed", titles.details
    if name == "django+angular":  # titles are written through the API, which takes all of them
        assert titles.exercised == len(payloads()), titles.text
    else:
        assert titles.exercised >= 40, titles.text


@pytest.mark.parametrize("protocol", ["rest", "streamlit", "forms"])
def test_without_a_browser_hostile_text_is_not_measured(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "find", lambda: None)
    subject = Subject(target="any", base_url="http://x", protocol=protocol, web=True, features=(), seed=SEED)
    found = run([one for one in PROBES if one.name in HOSTILE], subject)
    assert [(one.name, one.outcome) for one in found] == [(name, "not measured") for name in HOSTILE]
    assert all("no Chromium" in one.text for one in found)


@pytest.mark.alone
@pytest.mark.parametrize("name", ["streamlit"])
def test_streamlit_holds_but_for_what_it_lets_through_itself(audited: Callable[[str], Audited], name: str) -> None:
    found = audited(name).found
    for probe in FOUND:
        assert found[probe].exercised > 0, found[probe].text
        assert [line for line in broken(found[probe]) if not any(known in line for known in KNOWN)] == []
    others, anonymous = found["other-objects"], found["anonymous-access"]
    assert sum("unguessable" in line for line in broken(others)) == 2
    assert "disconnectedSessionTTL" in others.text
    assert {found["roles-operations"].outcome, anonymous.outcome} == {"passed"}
    # said, and not held against the build
    assert "/_stcore/metrics is open to everybody" in anonymous.text
    assert not [line for line in anonymous.details if "_stcore/metrics" in line]


def broken(finding: Finding) -> list[str]:
    return [line for line in finding.details if line.startswith(FAILED)]


def test_every_task_is_done_on_an_older_streamlit(started: Callable[[str], Running]) -> None:
    running = started("streamlit:1.44")
    client, site = CLIENTS / "page_socket.py", str(site_packages(running.prepared.python))
    with Program(client, running.base_url, site) as here, Program(client, running.base_url, site) as there:
        faults = Story(here, there, seed=SEED, model_log=running.model_log).tell()
    assert faults == dict.fromkeys(TASKS)


def counts(finding: Finding) -> tuple[str, int, int]:
    return finding.outcome, finding.passed, finding.exercised


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """A copy of the Streamlit chatbot that does wrong what a file names, and that file."""
    folder, switch = tmp_path_factory.mktemp("wrong"), tmp_path_factory.mktemp("switch") / "defect"
    switch.write_text("")
    part = folder / "monolith" / "streamlit"
    shutil.copytree(ROOT / "targets" / "monolith" / "streamlit", part)
    for number, (changes, _) in enumerate(SABOTAGE):
        for module, lines in changes.items():
            with (part / module).open("a") as stream:
                stream.write(SWITCH.format(number=number, file=str(switch)) + "\n".join(lines) + "\n")
    shutil.copytree(ROOT / "targets" / "llm", folder / "llm")
    catalogue = targets.discover(folder)
    runtime = LocalRuntime()
    prepared = runtime.prepare(catalogue.target("streamlit"), catalogue, ROOT, SEED, print)
    with serving.serving(runtime, prepared, ANSWER, tmp_path_factory.mktemp("served")) as served:
        stack = served.stack
        yield (
            Running(name="streamlit", base_url=stack.instances[0], model_log=stack.model_log, prepared=prepared),
            switch,
        )
    runtime.close()


@pytest.mark.parametrize("number", range(len(SABOTAGE)))
def test_a_task_fails_on_a_streamlit_chatbot_that_does_it_wrong(wrong: tuple[Running, Path], number: int) -> None:
    running, switch = wrong
    switch.write_text(str(number))
    client, site = CLIENTS / "page_socket.py", str(site_packages(running.prepared.python))
    with Program(client, running.base_url, site) as here, Program(client, running.base_url, site) as there:
        story = Story(here, there, seed=SEED, model_log=running.model_log, person=f"user{100 + number:04d}")
        faults = story.tell()
    assert {task for task, fault in faults.items() if fault} == SABOTAGE[number][1], faults


def test_every_task_fails_on_some_of_them() -> None:
    assert set().union(*(tasks for _, tasks in SABOTAGE[1:-1])) == set(TASKS) - {"create"}
