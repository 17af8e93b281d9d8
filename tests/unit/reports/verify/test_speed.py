"""The machine's speed is worked out again, and so is which trials an odd minute sets aside."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import results
from harness.analysis import speed
from harness.records import from_json, to_json
from harness.records.trial import Trial
from reports import build
from reports.verify import speed as again
from reports.verify import verify
from tests.doubles import results_run

LAST = "trials/django-angular/chat/004-30-0"  # the fifth trial under load: four are known before it


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    systems = [replace(one, speed=1.2) for one in results_run.SMALL]
    folder = results_run.write_run(tmp_path_factory.mktemp("original") / "run", systems)
    build.build(folder)
    return folder


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "run")


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text())
    edit(data)
    results.write_json(path, data)


def slower(trial: dict[str, Any], share: float) -> None:
    """Make a trial's fixed work slower, its figure too."""
    for when in ("before", "after"):
        seconds = trial["speed"][when]["seconds"]
        trial["speed"][when]["seconds"] = {kind: value / share for kind, value in seconds.items()}
    trial["figures"]["machine_speed"] *= share


def set_aside(trial: dict[str, Any]) -> None:
    odd = speed.aside(from_json(Trial, trial), [1.2] * 4)
    assert odd is not None
    trial["verdict"] = json.loads(json.dumps(to_json(odd.verdict)))


def said(run: Path) -> list[str]:
    return [one.text for one in verify(run)]


def test_an_even_session_gives_no_finding(run: Path) -> None:
    assert said(run) == []
    table = json.loads((run / "report" / "table.json").read_text())
    assert table["speed"]["median"] == pytest.approx(1.2)
    assert table["conditions"]["Machine speed"] == "1.2 × (1.2, median of 5 trials) the reference"


def test_a_changed_second_and_a_changed_figure_are_named(run: Path) -> None:
    change(run / LAST / "trial.json", lambda t: t["speed"]["after"]["seconds"].update(json=1.0))
    assert "machine_speed" in {one.figure for one in verify(run)}


def test_a_changed_speed_of_the_session_is_named(run: Path) -> None:
    change(run / "report" / "table.json", lambda t: t["speed"].update(low=0.1))
    assert ("machine speed", True) in {(one.figure, one.text.startswith("low: printed 0.1,")) for one in verify(run)}


def test_a_trial_that_counts_though_its_minute_was_odd_is_named(run: Path) -> None:
    change(run / LAST / "trial.json", lambda t: slower(t, 0.7))
    assert [text for text in said(run) if "counts, but the machine's speed" in text]


def test_a_trial_set_aside_for_an_odd_minute_is_right(run: Path) -> None:
    change(run / LAST / "trial.json", lambda t: slower(t, 0.7) or set_aside(t))
    build.build(run)
    assert said(run) == []


def test_a_trial_set_aside_for_a_usual_minute_is_named(run: Path) -> None:
    def lied(trial: dict[str, Any]) -> None:
        slower(trial, 0.7)
        set_aside(trial)
        slower(trial, 1 / 0.7)

    change(run / LAST / "trial.json", lied)
    assert [text for text in said(run) if "but that was not odd" in text]


def sequence(*speeds: float, marked: tuple[int, ...] = ()) -> dict[str, dict[str, Any]]:
    """Return trials of one target one after another at such speeds, some of them set aside."""

    def work(at: float) -> dict[str, Any]:
        return {"seconds": {kind: ms / 1000 / at for kind, ms in again.REFERENCE_MS.items()}}

    return {
        str(n): {
            "key": {"target": "a"},
            "started_at": f"2026-01-01T00:{n:02d}",
            "verdict": {
                "outcome": "invalid" if n in marked else "pass",
                "reasons": [{"code": again.CODE}] if n in marked else [],
            },
            "speed": {"before": work(at), "after": work(at)},
        }
        for n, at in enumerate(speeds)
    }


def test_the_repeat_of_a_trial_counts_whatever_its_minute() -> None:
    trials = sequence(1, 1, 1, 1, 0.7, 0.7, 1, marked=(4,))
    assert list(again.minutes(trials, gate=False)) == []


def test_a_gates_pairs_are_never_set_aside() -> None:
    trials = sequence(1, 1, 1, 1, 0.7)
    assert [place for place, _ in again.minutes(trials, gate=False)] == ["4"]
    assert list(again.minutes(trials, gate=True)) == []


def test_no_more_are_set_aside_than_a_campaign_repeats() -> None:
    speeds = [1.0] * 5 + [0.7, 1.0] * 5
    assert list(again.minutes(sequence(*speeds, marked=(5, 7)), gate=False)) == []
    assert [place for place, _ in again.minutes(sequence(*speeds, marked=(5,)), gate=False)] == ["7", "9", "11", "13"]
