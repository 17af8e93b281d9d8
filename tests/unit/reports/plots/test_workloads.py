"""Plots of open arrivals, spikes and soaks: drawn from raw samples, where there are any, nothing beyond an axis."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import results
from harness.analysis import workload_figures
from harness.records import Open, Reason, Slo, Soak, Spike, Trial, Verdict
from reports import build
from reports.content.report import assemble
from reports.plots import canvas, workload_curves
from reports.plots.chat import draw
from tests.doubles import results_run
from tests.doubles.results_run import DJANGO, PROFILE, SPIKE_TIMES, STREAMLIT
from tests.unit.reports.conftest import unrendered

pytestmark = pytest.mark.rendered

FIGURES = ("open-arrivals", "spike-over-time", "soak-memory")
SLO: dict[str, float] = asdict(PROFILE.slo)
WINDOW_S, BLOCK_S = results_run.SPIKE_WINDOW_S, results_run.SOAK_BLOCK_S
ASKED = replace(
    PROFILE,
    open=Open(per_minute=10, percent=(70,)),
    spike=Spike(percent=50, times=4, before_s=3.0, hold_s=5.0, after_s=12.0, window_s=WINDOW_S),
    soak=Soak(percent=70, minutes=20.0, block_s=BLOCK_S),
)
LATE_S = 2.0  # the made-up target is slow until so long after the spike


def edit(folder: Path, name: str, change: Any, figures: Any) -> None:
    """Change a trial's samples, and bring hash and figures in line."""
    frame = pd.read_parquet(folder / name)
    change(frame)
    frame.to_parquet(folder / name, index=False)
    data = json.loads((folder / results.TRIAL_FILE).read_text())
    data["files"][name] = results.sha256(folder / name)
    data["figures"] |= figures(frame, read(folder))
    results.write_json(folder / results.TRIAL_FILE, data)


def read(folder: Path) -> Trial:
    return next(trial for path, trial in results.read_trials(folder.parents[3]) if path == folder)


def slow_in_the_spike(turns: pd.DataFrame) -> None:
    """Make answers late from the spike until after it, and the first of them fail."""
    rows = turns["intended_s"].between(SPIKE_TIMES.start_s, SPIKE_TIMES.end_s + LATE_S, inclusive="left")
    turns.loc[rows, "lateness_s"] += 5.0
    turns.loc[turns.index[rows][0], "outcome"] = "failed"


def growing(resources: pd.DataFrame) -> None:
    since = (resources["t_s"] - resources["t_s"].min()) * (resources["role"] == "target")
    resources["anon_bytes"] += (since * (1 << 20)).astype("int64")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plots") / "run"
    models = (
        replace(
            STREAMLIT,
            capacity=12,
            levels=((10, 0),),
            idle=False,
            others=(("open", 40), ("open-70", 10), ("spike", 9), ("soak", 8)),
        ),
        replace(DJANGO, capacity=24, levels=((10, 0),), idle=False, others=(("open", 10),)),
    )
    results_run.write_run(folder, models, profile=ASKED)
    edit(
        trial_of(folder, "spike"),
        results.TURNS,
        slow_in_the_spike,
        lambda turns, trial: workload_figures.spike_figures(turns, trial.summary, Slo(), WINDOW_S),
    )
    edit(
        trial_of(folder, "soak"),
        results.RESOURCES,
        growing,
        lambda resources, trial: workload_figures.soak_figures(
            results.read_turns(trial_of(folder, "soak")), resources, trial.summary, BLOCK_S
        ),
    )
    build.build(folder)
    return folder


def trial_of(run: Path, scenario: str) -> Path:
    (path,) = run.glob(f"trials/streamlit/{scenario}/*")
    return path


def test_they_are_files_and_stand_on_the_page(run: Path) -> None:
    page = (run / "report/report.html").read_text()
    for name in FIGURES:
        assert (run / f"report/figures/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (run / f"report/figures/{name}.svg").read_bytes()
    for title in ("Open arrivals over time", "Spike of users over time", "Memory during a soak"):
        assert f"<h3>{title}</h3>" in page


def test_the_same_samples_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for plot in draw(assemble(run), tmp_path):
        assert plot.svg == (run / f"report/figures/{plot.name}.svg").read_bytes()


def test_nothing_is_drawn_that_was_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "save", unrendered)
    model = replace(STREAMLIT, capacity=12, levels=((10, 0),), idle=False)
    stolen = Verdict(outcome="invalid", reasons=(Reason(code="invalid.steal", text="stolen"),))
    folder = results_run.write_run(tmp_path / "run", (model,), profile=ASKED)
    for number, scenario in enumerate(("open", "spike", "soak"), start=5):
        results_run.chat_trial(folder, model, 9, 0, number=number, minute=number, scenario=scenario, judged=stolen)
    assert not {plot.name for plot in draw(assemble(folder), tmp_path / "figures")} & set(FIGURES)


def test_axes_are_named_and_hold_every_mark(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, Any] = {}

    def keep(figure: Any, folder: Path, name: str, title: str, alt: str) -> canvas.Plot:
        drawn[name] = figure
        return unrendered(figure, folder, name, title, alt)

    monkeypatch.setattr(canvas, "save", keep)
    draw(assemble(run), tmp_path)
    for name in FIGURES:
        axes = [axis for axis in drawn[name].axes if axis.axison]
        assert axes
        assert any(axis.get_legend() for axis in axes)
        for axis in axes:
            low, high = axis.get_ylim()
            assert axis.get_ylabel() or name == "open-arrivals"
            for line in axis.lines:
                if line.get_transform() == axis.transData and len(line.get_ydata()) > 2:
                    assert low <= min(line.get_ydata())
                    assert max(line.get_ydata()) <= high
        assert all("seconds" in axis.get_xlabel() for axis in axes if axis.get_subplotspec().is_last_row())


def test_every_measured_turn_is_a_mark_or_a_cross(run: Path) -> None:
    path = trial_of(run, "spike")
    turns = results.read_turns(path)
    measured = turns[turns["phase"] == "measure"]
    found = workload_curves.turns_of(path, read(path))
    assert len(found.added[0]) + len(found.lost) == len(measured)
    assert len(found.lost) == 1
    assert 3 <= found.lost[0] <= 8  # in the spike, since the phase began


def test_a_spike_says_when_the_slo_was_met_again_and_what_missed_it_last(run: Path) -> None:
    path = trial_of(run, "spike")
    found = workload_curves.spike(path, read(path), SLO, WINDOW_S)
    assert found is not None
    assert found.during == (3, 8)
    assert found.recovery_s == LATE_S
    assert found.met_again_s == 8 + LATE_S
    assert found.missed_last == ("lateness p95",)
    turns = results.read_turns(path)
    window = read(path).summary.phases["measure"]  # type: ignore[union-attr]
    ended = turns.loc[turns["outcome"] == "ok", "done_s"].between(window.start_s, window.end_s).sum()
    assert sum(found.answered[1][:-1]) * found.bin_s == ended
    sent = turns["intended_s"].between(window.start_s, window.end_s).sum()
    assert sum(found.sent[1][:-1]) * found.bin_s == sent


def test_a_soaks_slope_leads_from_the_first_block_to_the_last(run: Path) -> None:
    path = trial_of(run, "soak")
    found = workload_curves.soak(path, read(path), BLOCK_S)
    assert found is not None
    assert found.slope is not None
    times, ends = found.ends
    assert len(times) == 6
    value, low, high = found.slope
    assert value == pytest.approx((ends[-1] - ends[0]) / (times[-1] - times[0]) * 3600)
    assert low < value < high
    assert value == pytest.approx(3600 * (1 << 20), rel=0.05)  # a mebibyte a second
    assert np.all(np.diff(found.memory[0]) > 0)


def test_a_target_without_processes_has_no_memory_to_draw(tmp_path: Path) -> None:
    model = replace(results_run.NO_APP, levels=(), others=(("soak", 8),), idle=False)
    folder = results_run.write_run(tmp_path / "run", (model,), profile=ASKED)
    ((path, trial),) = [item for item in results.read_trials(folder) if item[1].key.scenario == "soak"]
    assert workload_curves.soak(path, trial, BLOCK_S) is None
