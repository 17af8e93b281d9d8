"""What becomes of pairs that cannot be tried, how the matrix is said, and when a campaign makes one."""

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Error
from rich.console import Console

from harness import profiles, results, targets
from harness.cli import run as run_command
from harness.cli import swap as swap_command
from harness.errors import BenchError, UsageError
from harness.probes import swap
from harness.probes.browser import chromium, journey
from harness.probes.browser.journey import Journey
from harness.records import Finding, SwapMatrix, SwappedPair
from harness.runtimes import serving
from tests import ROOT
from tests.doubles import results_run

CATALOGUE = targets.discover(ROOT / "targets")
DJANGO_VUE = CATALOGUE.target("django+vue")


class NoBrowser:
    """As much of a browser as a pair that never gets to one needs."""

    version = "1.2"


def pair(api: str, web: str, passed: int, exercised: int = 3) -> SwappedPair:
    outcome = "not measured" if not exercised else "passed" if passed == exercised else "failed"
    finding = Finding(
        topic="maintenance",
        name=f"swap-{api}-{web}",
        title="a way",
        outcome=outcome,  # type: ignore[arg-type]  # one of the three
        exercised=exercised,
        passed=passed,
        text="rename: no such button" if outcome == "failed" else "npm is ill",
    )
    return SwappedPair(api=api, web=web, parts=(), duration_s=7.25, finding=finding)


def matrix_of(runtime: object, folder: Path) -> SwapMatrix:
    return swap.matrix(
        runtime,  # type: ignore[arg-type]  # as much of a runtime as is asked for
        NoBrowser(),  # type: ignore[arg-type]
        [DJANGO_VUE],
        CATALOGUE,
        ROOT,
        42,
        folder,
        lambda text: None,
    )


def test_pairs_are_every_api_with_every_web_part() -> None:
    apis, webs = ([part.name for part in CATALOGUE.of_kind(kind)] for kind in ("api", "web"))
    assert len(apis) >= 3
    assert len(webs) >= 3
    assert {one.name for one in swap.pairs(CATALOGUE)} == {f"{api}+{web}" for api in apis for web in webs}


def test_a_pair_that_cannot_be_made_ready_is_not_measured(tmp_path: Path) -> None:
    class Broke:
        def prepare(self, *_: object) -> None:
            raise BenchError("vue: npm ended with 1:\nlong log", "see above")

    (one,) = matrix_of(Broke(), tmp_path).pairs
    assert (one.api, one.web) == ("django", "vue")
    assert (one.finding.outcome, one.finding.exercised) == ("not measured", 0)
    assert one.finding.text == "not made ready: vue: npm ended with 1:"


def test_a_pair_that_does_not_start_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Prepared:
        info = results_run.target_info(results_run.DJANGO)
        target, seed = DJANGO_VUE, 42

    class Ready:
        def prepare(self, *_: object) -> Prepared:
            return Prepared()

    def refuse(*_: object) -> None:
        raise BenchError("django ended with 1", "see its log")

    monkeypatch.setattr(serving, "serving", refuse)
    (one,) = matrix_of(Ready(), tmp_path).pairs
    assert (one.finding.outcome, one.finding.exercised, one.finding.passed) == ("failed", 1, 0)
    assert one.finding.text == "start: django ended with 1"
    assert one.parts == Prepared.info.parts


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    assert results.read_swap(tmp_path) is None
    made = SwapMatrix(
        made_at="2026-11-25T00:00:00+00:00",
        browser="Chromium 1",
        duration_s=3.0,
        pairs=(pair("django", "vue", 3), pair("flask", "vue", 1)),
    )
    results.write_swap(tmp_path, made)
    assert results.read_swap(tmp_path) == made


def test_a_journey_ends_at_the_first_step_that_fails_and_looks_back_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walked: list[str] = []

    def step(name: str, good: bool) -> tuple[str, Callable[[Journey], None]]:
        def act(_: Journey) -> None:
            walked.append(name)
            if not good:
                raise AssertionError("\n  it is not there\nat all")

        return name, act

    monkeypatch.setattr(journey, "STEPS", (step("a", True), step("b", False), step("c", True)))
    monkeypatch.setattr(journey, "LOOKING_BACK", (step("console", True),))
    taken = Journey.walk(object.__new__(Journey))
    assert walked == ["a", "b", "console"]
    assert [(one.name, one.passed, one.seen) for one in taken] == [
        ("a", True, ""),
        ("b", False, "it is not there"),
        ("console", True, ""),
    ]


def test_the_table_names_each_pair_and_what_failed_where(capsys: pytest.CaptureFixture[str]) -> None:
    made = SwapMatrix(
        made_at="2026-11-25T00:00:00+00:00",
        browser="Chromium 1",
        duration_s=21.7,
        pairs=(pair("django", "vue", 3), pair("flask", "vue", 1), pair("flask", "react", 0, 0)),
    )
    swap_command.show(made, Path("results/x"), Console(width=100))
    printed = capsys.readouterr().out
    assert "ok 7.2 s" in printed
    assert "FAILED 7.2 s" in printed
    assert "flask+vue: rename: no such button" in printed
    assert "flask+react: npm is ill" in printed
    assert "1 of 3 pairs work end to end; 22 s" in printed
    assert "results/x/swap/swap.json" in printed


def test_a_monolith_has_nothing_to_swap() -> None:
    with pytest.raises(UsageError, match="streamlit is one part"):
        swap_command.run(argparse.Namespace(targets=["streamlit"], run=None, results=Path("results")))


def job(folder: Path, profile: str, names: tuple[str, ...], runtime: str = "local") -> run_command.Job:
    return run_command.Job(
        folder=folder,
        profile=profiles.load(profile),
        chosen=tuple(CATALOGUE.target(name) for name in names),
        catalogue=CATALOGUE,
        runtime=runtime,
        seed=42,
        known=(),
        resumed=None,
        workers=1,
    )


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders for which pairs were tried, none of them for real."""
    folders: list[Path] = []

    def tried(wanted: list[targets.Target], catalogue: object, folder: Path, *_: object) -> SwapMatrix:
        folders.append(folder)
        made = SwapMatrix(made_at="", browser="Chromium 1", duration_s=1.0, pairs=(pair("django", "vue", 3),))
        results.write_swap(folder, made)
        return made

    monkeypatch.setattr(swap_command, "tried", tried)
    return folders


@pytest.mark.parametrize(
    ("profile", "names", "tried"),
    [
        ("quick", ("streamlit", "django+angular"), True),
        ("article", ("fastapi+vue",), True),
        ("smoke", ("django+angular",), False),
        ("quick", ("streamlit",), False),
    ],
)
def test_a_campaign_tries_pairs_where_its_profile_says_so_and_a_target_has_parts(
    tmp_path: Path, tries: list[Path], profile: str, names: tuple[str, ...], tried: bool
) -> None:
    wanted = job(tmp_path, profile, names)
    run_command._swap(wanted, Console(quiet=True))
    run_command._swap(wanted, Console(quiet=True))  # a resumed run does not try again what was tried
    assert tries == ([tmp_path] if tried else [])


def test_without_a_browser_a_campaign_says_why_nothing_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "find", lambda: None)
    run_command._swap(job(tmp_path, "quick", ("django+angular",)), Console(quiet=True))
    found = results.read_swap(tmp_path)
    assert found is not None
    assert found.pairs == ()
    assert found.note is not None
    assert found.note.startswith("this machine has no Chromium")


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (AttributeError("no attribute '_playwright'"), "it stopped: AttributeError: no attribute '_playwright'"),
        (BenchError("the browser's driver does not start", "apt install libatomic1"), "the browser's driver does not"),
    ],
)
def test_a_browser_that_fails_costs_no_measured_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, note: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(swap_command, "tried", fails)
    run_command._swap(job(tmp_path, "quick", ("django+angular",)), Console(quiet=True))
    found = results.read_swap(tmp_path)
    assert found is not None
    assert (found.note or "").startswith(note)


def test_a_disk_too_full_for_the_matrix_costs_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "write_swap", full)
    stream = io.StringIO()
    run_command._swap(job(tmp_path, "quick", ("django+angular",), "docker"), Console(file=stream, width=200))
    assert "the swap matrix was not kept: [Errno 28] No space left on device" in stream.getvalue()


def test_a_driver_that_does_not_start_is_named_with_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho Version 1\n")
    node.chmod(0o755)
    monkeypatch.setattr(chromium, "find", lambda: "/usr/bin/chromium")
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
    assert chromium.driver_flaw() == ""
    node.write_text("#!/bin/sh\necho 'node: libatomic.so.1: cannot open shared object file' >&2\nexit 127\n")
    with pytest.raises(BenchError) as caught, chromium.opened():
        pass
    said = "node: libatomic.so.1: cannot open shared object file"
    assert caught.value.message == f"the browser's driver does not start ({said})"
    assert "libatomic1" in caught.value.hint


def test_a_chromium_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "find", lambda: "/bin/false")
    with pytest.raises(BenchError) as caught, chromium.opened():
        pass
    assert caught.value.message.startswith("Chromium does not start (")
    assert "/bin/false --headless" in caught.value.hint


class GoneBrowser(NoBrowser):
    """A browser that ended by itself."""

    def new_context(self) -> None:
        raise Error("Target page, context or browser has been closed")


def test_a_browser_that_ends_says_nothing_of_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def served(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(stack=SimpleNamespace(instances=("http://127.0.0.1:9",)))

    monkeypatch.setattr(serving, "serving", served)
    monkeypatch.setattr(sys.modules[__name__], "NoBrowser", GoneBrowser)
    prepared = SimpleNamespace(info=SimpleNamespace(parts=()), seed=1)
    (found,) = matrix_of(SimpleNamespace(prepare=lambda *_: prepared), tmp_path).pairs
    assert found.finding.outcome == "not measured"
    assert found.finding.text == "the browser failed: Target page, context or browser has been closed"


def test_in_containers_a_campaign_leaves_it_to_the_command(tmp_path: Path, tries: list[Path]) -> None:
    run_command._swap(job(tmp_path, "quick", ("django+angular",), "docker"), Console(quiet=True))
    found = results.read_swap(tmp_path)
    assert tries == []
    assert found is not None
    assert found.note == "a run in containers does not try it"
