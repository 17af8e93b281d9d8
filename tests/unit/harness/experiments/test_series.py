"""Results are kept while nothing that they depend on has changed, and every ending has its words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import results
from harness.errors import BenchError
from harness.experiments import Trying, experiment, granted, series
from harness.experiments.wish import read_wish
from harness.probes.browser.journey import Step
from harness.records import Experiment
from harness.runtimes import serving
from harness.targets import discover
from tests.unit.harness.experiments.test_scratch import PATCH, root

__all__ = ["root"]
STATED = 'title = "t"\ntext = "t"\nlooks_at = "l"\n'
PASSING, FAILING = "def accept(scene):\n    pass\n", "def accept(scene):\n    raise AssertionError('no such button')\n"
GREEN, RED = (Step(name="rename", passed=good, duration_s=0.1, seen="" if good else "gone") for good in (True, False))


@dataclass
class Runtime:
    """A runtime that notes what was prepared, and fails as told for copies."""

    fault: str = ""
    fails: tuple[int, ...] = ()  # which copies fail, counted from 1; all patched ones where empty
    copies: int = 0
    prepared: list[Path] = field(default_factory=list)

    def prepare(self, target: Any, catalogue: Any, home: Path, seed: int, tell: Any) -> Any:
        self.prepared.append(home)
        if self.fault and (home / "requirements").is_symlink():
            self.copies += 1
            patched = "new" in (home / "targets/monolith/toy/app.py").read_text()
            if self.copies in self.fails or (patched and not self.fails):
                raise BenchError(self.fault, "fix it")
        return SimpleNamespace(target=target, info=SimpleNamespace(parts=({"name": "toy"},)))


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A runtime without processes, a browser without windows, and a walk that works."""

    @contextmanager
    def started(*_: Any) -> Iterator[Any]:
        yield SimpleNamespace(stack=SimpleNamespace(instances=("http://toy",), ready_after_s=1.5))

    monkeypatch.setattr(serving, "serving", started)
    monkeypatch.setattr(series.chromium, "version", lambda: "150.0.1")
    monkeypatch.setattr(series._Browser, "started", lambda self: None)
    monkeypatch.setattr(experiment, "_walk", lambda bench, url: [GREEN])
    return Runtime()


def trying(root: Path, runtime: Runtime, test: str = PASSING, patch: str = PATCH) -> Trying:
    folder = root / "wishes" / "one"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wish.toml").write_text(STATED)
    (folder / "test.py").write_text(test)
    if patch:
        (folder / "toy.patch").write_text(patch)
    catalogue = discover(root / "targets")
    return Trying(
        root=root,
        catalogue=catalogue,
        runtime=lambda: runtime,  # type: ignore[arg-type, return-value]  # as much of one as is asked for
        wishes=[read_wish(folder)],
        targets=[catalogue.target("toy")],
        seed=42,
        folder=root / "results",
        again=False,
        tell=lambda text: None,
    )


def only(job: Trying) -> tuple[Experiment, bool]:
    (found,) = granted(job)
    return found


def test_a_wish_that_is_met_has_a_level_and_a_cost(root: Path, runtime: Runtime) -> None:
    found, kept = only(trying(root, runtime))
    assert (found.outcome, found.level, kept) == ("met", 1, False)
    assert found.cost is not None
    assert (found.cost.lines, found.cost.parts, found.cost.restart_s) == (2, 1, 1.5)
    assert found.versions == ({"name": "toy"},)


def test_a_result_that_holds_is_kept(root: Path, runtime: Runtime) -> None:
    first, _ = only(trying(root, runtime))
    made = len(runtime.prepared)
    assert only(trying(root, runtime)) == (first, True)
    assert len(runtime.prepared) == made
    assert only(replace(trying(root, runtime), again=True))[1] is False


@pytest.mark.parametrize("changed", ["targets/monolith/toy/other.py", "targets/llm/x.py", "requirements/node.txt"])
def test_a_result_is_made_again_when_a_source_changes(root: Path, runtime: Runtime, changed: str) -> None:
    only(trying(root, runtime))
    (root / changed).write_text("changed")
    assert only(trying(root, runtime))[1] is False


def test_a_result_is_made_again_for_another_test_patch_or_browser(
    root: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(trying(root, runtime))
    assert only(trying(root, runtime, PASSING + "\n"))[1] is False
    assert only(trying(root, runtime, PASSING + "\n", PATCH.replace("new", "newer")))[1] is False
    monkeypatch.setattr(series.chromium, "version", lambda: "150.9")
    assert only(trying(root, runtime, PASSING + "\n", PATCH.replace("new", "newer")))[1] is True
    monkeypatch.setattr(series.chromium, "version", lambda: "151.0")
    assert only(trying(root, runtime, PASSING + "\n", PATCH.replace("new", "newer")))[1] is False


def test_an_interrupted_series_goes_on_where_it_was(
    root: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = trying(root, runtime)
    twice = replace(job, wishes=[job.wishes[0], replace(job.wishes[0], name="two")])
    real, seen = series.tried, []

    def cut(bench: Any, wish: Any, target: Any, model: Path) -> Any:
        seen.append(wish.name)
        if wish.name == "two" and seen.count("two") == 1:
            raise KeyboardInterrupt
        return real(bench, wish, target, model)

    monkeypatch.setattr(series, "tried", cut)
    with pytest.raises(KeyboardInterrupt):
        granted(twice)
    assert [kept for _, kept in granted(twice)] == [True, False]
    assert seen == ["one", "two", "two"]


def test_the_words_of_the_acceptance_test_are_kept(root: Path, runtime: Runtime) -> None:
    found, _ = only(trying(root, runtime, FAILING))
    assert (found.outcome, found.level, found.text) == ("not met", None, "no such button")


def test_a_broken_walk_takes_the_level_away(root: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "_walk", lambda bench, url: [GREEN, RED])
    found, _ = only(trying(root, runtime))
    assert (found.outcome, found.level, found.text) == ("breaks the walk", None, "rename: gone")
    assert len(found.walk) == 2


def test_a_patch_that_does_not_apply_is_an_outcome(root: Path, runtime: Runtime) -> None:
    found, _ = only(trying(root, runtime, patch=PATCH.replace("old", "older")))
    assert found.outcome == "does not apply"
    assert "app.py" in found.text


def test_a_copy_that_does_not_build_is_an_outcome(root: Path, runtime: Runtime) -> None:
    runtime.fault = "toy: npm run build ended with 1"
    found, _ = only(trying(root, runtime))
    assert (found.outcome, found.text) == ("does not build", runtime.fault)


def test_a_copy_that_fails_once_is_tried_again(root: Path, runtime: Runtime) -> None:
    runtime.fault, runtime.fails = "PostgreSQL ended with 1", (1,)
    assert only(trying(root, runtime))[0].outcome == "met"
    assert runtime.copies == 3


def test_a_machine_on_which_no_copy_builds_is_no_outcome(root: Path, runtime: Runtime) -> None:
    runtime.fault, runtime.fails = "PostgreSQL ended with 1", (1, 2)
    with pytest.raises(BenchError, match="PostgreSQL"):
        only(trying(root, runtime))
    assert results.read_experiment(root / "results", "toy", "one") is None


def test_trouble_of_the_unpatched_target_is_no_outcome(root: Path, runtime: Runtime) -> None:
    def ill(*_: Any) -> Any:
        raise BenchError("no index within reach", "look at the network")

    runtime.prepare = ill  # type: ignore[method-assign]
    with pytest.raises(BenchError, match="no index"):
        only(trying(root, runtime))
    assert results.read_experiment(root / "results", "toy", "one") is None


def test_without_a_patch_a_reason_counts_and_none_does_not(root: Path, runtime: Runtime) -> None:
    job = trying(root, runtime, patch="")
    found, _ = only(job)
    assert (found.outcome, found.text, found.tried) == ("no patch", series.NO_PATCH, False)
    (job.wishes[0].folder / "toy.txt").write_text("The framework\nhas no way.\n")
    found, _ = only(job)
    assert (found.outcome, found.text, found.tried, found.rank) == ("no patch", "The framework has no way.", True, 3)


def test_a_missing_browser_is_said_and_not_kept(root: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series.chromium, "version", lambda: None)
    found, _ = only(trying(root, runtime))
    assert (found.outcome, found.tried) == ("browser missing", False)
    assert results.read_experiment(root / "results", "toy", "one") is None
    assert not runtime.prepared
