"""Closed chat in plots, table and list of trials: a trial that was cut is a level that failed, and no number."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports import build
from reports.content.report import TRIAL_FIGURES, Report, assemble, trial_rows
from reports.plots import canvas
from reports.plots.chat import draw
from reports.verify import verify
from tests.doubles import results_run
from tests.unit.reports.conftest import unrendered

LEVEL = 14  # the one level at which Streamlit fails
AT_THE_EDGE, AT_THE_BASE = "trials/streamlit/chat/003-14-0", "trials/streamlit/chat/002-10-0"
Drawn = dict[str, Any]


def cut_run(folder: Path, systems: Sequence[results_run.Measured], trial: str) -> Path:
    results_run.write_run(folder, systems)
    results_run.cut_short(folder / trial)
    build.build(folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cut_run(tmp_path_factory.mktemp("cut") / "run", results_run.SMALL, AT_THE_EDGE)


@pytest.fixture(scope="module")
def report(run: Path) -> Report:
    return assemble(run)


def figures_of(report: Report, folder: Path, patch: pytest.MonkeyPatch) -> Drawn:
    """Return a report's figures by their names, as drawn."""
    found: Drawn = {}

    def keep(figure: Any, folder: Path, name: str, title: str, alt: str) -> canvas.Plot:
        found[name] = figure
        return unrendered(figure, folder, name, title, alt)

    patch.setattr(canvas, "save", keep)
    draw(report, folder)
    return found


@pytest.fixture
def drawn(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drawn:
    return figures_of(report, tmp_path, monkeypatch)


def marks(axis: Any, marker: str) -> list[Any]:
    return [line for line in axis.lines if line.get_marker() == marker]


def test_a_level_that_was_cut_is_a_cross_on_the_users_axis_without_a_value(drawn: Drawn) -> None:
    for axis in drawn["latency-against-users"].axes:
        (cross,) = marks(axis, "x")
        assert (list(cross.get_xdata()), list(cross.get_ydata())) == ([LEVEL], [0])
        assert cross.get_transform() == axis.get_xaxis_transform()
        assert not marks(axis, "*")
        others = [line for line in axis.lines if line is not cross and line.get_label().startswith(("_", "streamlit"))]
        assert not [line for line in others if line.get_transform() == axis.transData and LEVEL in line.get_xdata()]


def test_a_level_that_was_cut_is_no_point_of_a_throughput_and_no_distribution(drawn: Drawn) -> None:
    (axis,) = drawn["throughput"].axes
    mine = [line for line in axis.lines if line.get_label().startswith("streamlit")]
    assert [list(line.get_xdata()) for line in mine] == [[10], [10]]
    (axis,) = drawn["ttft-distribution"].axes
    labels = [line.get_label() for line in axis.lines]
    assert "streamlit, 10 users" in labels
    assert f"streamlit, {LEVEL} users" not in labels
    assert "django+angular, 30 users" in labels


def test_a_cut_trial_recorded_with_rates_of_its_turns_is_no_point_of_a_throughput_either(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    figures = json.loads((folder / AT_THE_EDGE / "trial.json").read_text())["figures"]
    results_run.rewrite(folder / AT_THE_EDGE, figures=figures | {"throughput_per_s": 1.0, "goodput_per_s": 0.5})
    (axis,) = figures_of(assemble(folder), tmp_path, monkeypatch)["throughput"].axes
    mine = [line for line in axis.lines if line.get_label().startswith("streamlit")]
    assert [list(line.get_xdata()) for line in mine] == [[10], [10]]


def test_the_list_of_trials_shows_what_the_machine_did_in_a_cut_trial_and_none_of_its_turns(report: Report) -> None:
    (row,) = [figures for path, _, figures in trial_rows(report) if path == AT_THE_EDGE]
    shown = {one.name for one, text in zip(TRIAL_FIGURES, row, strict=True) if text != "–"}
    assert shown == {"target_cores", "busiest_process_cores", "memory_peak_bytes", "host_busy_ratio"}


def test_every_number_of_a_run_with_a_cut_trial_is_found_again(run: Path) -> None:
    assert [str(one) for one in verify(run)] == []


def test_figures_at_a_load_that_was_cut_say_why_there_are_none(tmp_path: Path) -> None:
    slow = replace(results_run.STREAMLIT, capacity=7, levels=((10, 0),))
    folder = cut_run(tmp_path / "run", (slow,), AT_THE_BASE)
    cells = {cell.id: cell for cell in assemble(folder).table.cells}
    for name in ("added_ttft_p95_s", "failure_ratio", "updates_per_answer", "memory_peak_bytes"):
        cell = cells[f"{name}/streamlit"]
        assert (cell.value, cell.verdict) == (None, "not measured")
        assert cell.text.startswith("not measured: ")
    assert [str(one) for one in verify(folder)] == []
