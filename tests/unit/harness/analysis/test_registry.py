"""The registry of figures holds every figure of a trial and every measure of the table, and nothing else."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from harness.analysis.chat_figures import chat_figures
from harness.analysis.figure import JSON, LISTED, POOLED, TRIALS
from harness.analysis.registry import BY_NAME, FIGURES, figure
from harness.analysis.resource_figures import idle_figures
from harness.analysis.workload_figures import soak_figures, spike_figures, visit_figures
from harness.records import Arrivals, Open, Search, Slo, Soak, Spike, StepTimes, Trial, Visiting, WorkerShare
from reports.cells import works
from reports.content.report import TRIAL_FIGURES, Report, assemble
from tests.doubles import results_run

TIMED_BY_THE_HARNESS = {"cold_start_s", "machine_speed"}  # no formula over samples gives it
OVER_SESSIONS = {one.name for one in FIGURES if one.printed == POOLED}  # of several runs
FINDINGS = ("integration.", "security.", "maintenance.")  # an audit's cells are named by what was tried


def patterns(names: Iterable[str]) -> set[str]:
    """Put N for the numbers that a name may hold."""
    return {name if name in BY_NAME else re.sub(r"(?<=_)\d+(?=_|$)", "N", name, count=1) for name in names}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    model = replace(
        results_run.STREAMLIT,
        capacity=12,
        levels=((10, 0),),
        rounds=((1, 11), (1, 13)),
        thinking=((15, 20),),
        others=(("open", 10), ("visit", 2), ("spike", 9), ("soak", 8)),
    )
    asked = replace(
        results_run.PROFILE,
        search=Search(rounds=1, further_think_s=(15,)),
        open=Open(per_minute=10, percent=()),
        visit=Visiting(),
        spike=Spike(),
        soak=Soak(),
    )
    return assemble(results_run.write_run(tmp_path_factory.mktemp("figures") / "run", (model,), profile=asked))


def chat_trial(report: Report) -> tuple[Path, Trial]:
    return next((report.folder / path, t) for path, t in report.trials if t.key.scenario == "chat" and t.summary)


def test_every_figure_that_a_trial_can_hold_is_registered_and_no_other(report: Report) -> None:
    folder, trial = chat_trial(report)
    assert trial.summary is not None
    turns, resources = results.read_turns(folder), results.read_resources(folder)
    summary = replace(
        trial.summary,
        arrivals=Arrivals(per_s=1.0, without_page=0, without_user=0),
        spike=results_run.SPIKE_TIMES,
        visits=results_run.visits(),
        workers=(WorkerShare(users=1, turns_begun=1, turns_ended=1, turns_written=1, cpu_s=1.0),),
    )
    window = summary.phases["measure"]
    steps = [StepTimes(sessions=n, start_s=window.start_s, end_s=window.end_s) for n in (0, 50, 100)]
    held = chat_figures(turns, resources, summary, Slo(), results.read_calls(folder))
    held |= chat_figures(turns, resources, replace(summary, stopped_early=True), Slo(), possible=1000.0)
    held |= chat_figures(turns, resources, summary, Slo(), climb_s=10.0)
    held |= idle_figures(resources, steps)
    held |= spike_figures(turns, summary, Slo(), 4.0)
    held |= visit_figures(held, summary)
    held |= soak_figures(turns, resources, summary, 3.0)
    assert patterns(held) <= set(BY_NAME)
    printed = patterns(measures(report)) | OVER_SESSIONS | {works.MEASURE}
    assert set(BY_NAME) - patterns(held) <= TIMED_BY_THE_HARNESS | printed


def measures(report: Report) -> set[str]:
    names = [cell.id.partition("/")[0] for cell in report.table.cells]
    bare = [name if name.startswith(FINDINGS) else name.rpartition(".")[2] for name in names]
    return {name for name in bare if name in BY_NAME or not name.startswith(FINDINGS)}


def test_every_measure_of_the_table_is_registered_and_said_to_be_printed(report: Report) -> None:
    rows = {row.name.lower() for row in report.table.rows}
    shown = patterns(measures(report)) - rows
    assert shown <= set(BY_NAME)
    assert len(shown) > 30
    assert {BY_NAME[name].printed for name in shown} & {JSON, LISTED} == set()
    assert {one.printed for one in TRIAL_FIGURES} <= {TRIALS, LISTED}


def test_names_and_labels_are_unique() -> None:
    assert len({one.name for one in FIGURES}) == len(FIGURES) == len({one.label for one in FIGURES})


def test_a_number_in_a_name_stands_in_its_label() -> None:
    assert figure("memory_bytes_50").label == "Memory in total, 50 open sessions"
    assert figure("generator_1_cores").label == "Load generator 1 CPU (cores)"
    with pytest.raises(KeyError):
        figure("memory_bytes_x")
