"""Probes become findings: counted as tried, and one that stumbles never takes the others with it."""

import json
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from harness.probes import audit, probe
from harness.probes.probe import NotMeasuredError, Probes, Seen, Try, run
from harness.probes.subject import Subject
from harness.records import Finding, to_json

SUBJECT = Subject(
    target="toy",
    base_url="http://127.0.0.1:9",
    protocol="toy",
    web=False,
    features=(),
    seed=1,
    rate_limit=60,
    model_log="/nowhere",
)
GOOD, BAD = Try(passed=True, line="a door: shut"), Try(passed=False, line="a window: open")


def found(seen: Seen | Exception) -> Finding:
    probes = Probes("security")

    @probes.finds("house", "doors and windows that are shut")
    def _look(subject: Subject) -> Seen:
        if isinstance(seen, Exception):
            raise seen
        return seen

    (finding,) = run(probes, SUBJECT)
    return finding


def test_a_finding_counts_what_was_tried() -> None:
    held = found(Seen(tries=(GOOD, GOOD), value=3.0, unit="lines"))
    assert (held.topic, held.name, held.outcome, held.exercised, held.passed) == ("security", "house", "passed", 2, 2)
    assert (held.value, held.unit, held.details) == (3.0, "lines", ("a door: shut", "a door: shut"))
    broken = found(Seen(tries=(GOOD, BAD)))
    assert (broken.outcome, broken.exercised, broken.passed, broken.text) == ("failed", 2, 1, "a window: open")


def test_a_control_is_no_input_unless_it_fails() -> None:
    works, fails = replace(GOOD, control=True), replace(BAD, control=True)
    held = found(Seen(tries=(GOOD, works)))
    assert (held.outcome, held.exercised, held.passed) == ("passed", 1, 1)
    assert held.details == ("a door: shut", "control: a door: shut")
    broken = found(Seen(tries=(GOOD, works, fails)))
    assert (broken.outcome, broken.exercised, broken.passed) == ("failed", 2, 1)
    assert (broken.text, broken.details[-1]) == ("a window: open", "a window: open")


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (Seen(tries=()), "nothing was tried"),
        (Seen(tries=(replace(GOOD, control=True),)), "nothing was tried"),
        (NotMeasuredError("there is no house"), "there is no house"),
        (ZeroDivisionError("division by zero"), "the probe failed: ZeroDivisionError: division by zero"),
    ],
)
def test_what_was_not_tried_is_not_measured(seen: Seen | Exception, text: str) -> None:
    finding = found(seen)
    assert (finding.outcome, finding.exercised, finding.text) == ("not measured", 0, text)


def test_a_crash_leaves_the_other_probes_their_say() -> None:
    probes = Probes("integration")

    @probes.finds("first", "one that stumbles")
    def _stumbles(subject: Subject) -> Seen:
        raise RuntimeError(subject.target)

    @probes.finds("second", "one that does not")
    def _walks(subject: Subject) -> Seen:
        return Seen(tries=(GOOD,))

    assert [one.outcome for one in run(probes, SUBJECT)] == ["not measured", "passed"]


def test_what_no_time_is_left_for_is_not_measured_and_costs_nothing_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, probe.BUDGET_S - 1, probe.BUDGET_S])
    monkeypatch.setattr(probe.time, "monotonic", lambda: next(clock))
    probes, seen = Probes("security"), Seen(tries=(Try(passed=True, line="one"),))
    for name in ("first", "last", "too-late"):
        probes.finds(name, "A property")(lambda _: seen)
    found = run(probes, SUBJECT)
    assert [one.outcome for one in found] == ["passed", "passed", "not measured"]
    assert found[2].text == "the probes before it took more than 600 s"


def test_a_concurrent_probe_is_told_in_its_turn() -> None:
    probes = Probes("security")
    looked, tried = threading.Event(), threading.Event()

    @probes.finds("page", "one that waits for what comes after it", concurrent=True)
    def _looks(subject: Subject) -> Seen:
        looked.set()
        return Seen(tries=(GOOD if tried.wait(20) else BAD,))

    @probes.finds("stumbling", "one that stumbles while the others go on", concurrent=True)
    def _stumbles(subject: Subject) -> Seen:
        raise RuntimeError(subject.target)

    @probes.finds("form", "one that waits for what began before it")
    def _tries(subject: Subject) -> Seen:
        tried.set()
        return Seen(tries=(GOOD if looked.wait(20) else BAD,))

    found = [(one.name, one.outcome) for one in run(probes, SUBJECT)]
    assert found == [("page", "passed"), ("stumbling", "not measured"), ("form", "passed")]


def test_names_are_unique_and_fit_for_ids() -> None:
    names = [probe.name for probe in audit.probes()]
    assert len(set(names)) == len(names)
    assert all(name and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


def test_the_module_prints_the_findings_of_a_subject_given_as_json() -> None:
    words = [sys.executable, "-m", "harness.probes", "audit", json.dumps(to_json(SUBJECT))]
    printed = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert [one["name"] for one in printed] == [probe.name for probe in audit.probes()]
    assert {one["outcome"] for one in printed} == {"not measured"}
