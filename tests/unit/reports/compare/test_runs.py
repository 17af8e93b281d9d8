"""Two runs side by side: the same cells as in each run's own report, and no comparison of other conditions."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from harness.errors import UsageError
from reports.compare import runs as beside
from reports.content.report import Report, assemble
from reports.evidence.components import cpu_s_per_turn, idle_cores
from tests.doubles import results_run

SMALL = results_run.SMALL
Compared = tuple[Report, Report, list[beside.Line]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    dearer = tuple(replace(model, cpu_s_per_turn=1.5 * model.cpu_s_per_turn) for model in SMALL)
    base = results_run.write_run(folder / "base", SMALL, run_id="base")
    head = results_run.write_run(folder / "head", dearer, run_id="head", runtime="docker")
    return base, head


@pytest.fixture(scope="module")
def compared(runs: tuple[Path, Path]) -> Compared:
    return beside.compare(*runs)


def line(compared: Compared, target: str, label: str) -> beside.Line:
    return next(one for one in compared[2] if (one.target, one.label) == (target, label))


def test_every_measured_cell_says_what_its_own_report_says(compared: Compared) -> None:
    base, head, lines = compared
    for report, column in ((base, "base"), (head, "head")):
        said = {(one.target, one.label): getattr(one, column) for one in lines}
        cells = [c for c in report.table.cells if c.target in report.run.targets and c.verdict != "not measured"]
        assert len(cells) > 20
        assert all(said[cell.target, cell.label] == cell.text for cell in cells)


def test_runtime_and_effective_limits_stand_above_the_figures(compared: Compared) -> None:
    runtime = line(compared, "streamlit", "Runtime")
    assert (runtime.base, runtime.head) == ("local", "docker")
    assert "4 GiB" in line(compared, "streamlit", "Budget as enforced").head


def test_a_components_cpu_per_turn_is_its_growth_beyond_idle_over_the_turns_that_ended(
    runs: tuple[Path, Path],
) -> None:
    report = assemble(runs[0])
    idle = idle_cores(report.folder, report.trials, "streamlit")
    found = cpu_s_per_turn(report.folder, report.trials, "streamlit", 10, idle)
    (trial,) = [t for _, t in report.trials if (t.key.target, t.key.scenario, t.key.level) == ("streamlit", "chat", 10)]
    gross_s, cores = trial.figures["target_cpu_s_per_turn"], trial.figures["target_cores"]
    assert gross_s is not None
    assert cores is not None
    assert found == {"app": pytest.approx(gross_s * (1 - 0.02 / cores))}
    cell = report.table.cell("cpu_s_per_turn_at_capacity/streamlit")
    assert cell is not None
    assert found == {"app": pytest.approx(cell.value)}


def test_dearer_turns_show(compared: Compared) -> None:
    costs = line(compared, "streamlit", "CPU time per turn at capacity: app")
    assert costs.base != costs.head


def test_files_of_the_target_stand_beside_each_other_where_they_are_known(runs: tuple[Path, Path]) -> None:
    assert not [one for one in beside.compare(*runs)[2] if one.label == "Files (SHA-256)"]
    run = results.read_run(runs[1])
    info = run.targets["streamlit"]
    known = replace(info, parts=(info.parts[0] | {"sources": "ab" * 32}, *info.parts[1:]))
    results.write_run(runs[1], replace(run, targets=dict(run.targets) | {"streamlit": known}))
    (found,) = [one for one in beside.compare(*runs)[2] if one.label == "Files (SHA-256)"]
    assert (found.target, found.base, found.head) == ("streamlit", "–", "streamlit abababababab")
    results.write_run(runs[1], run)


def test_markdown_has_a_table_per_target(compared: Compared) -> None:
    text = beside.to_markdown(*compared)
    assert text.count("| --- | --- | --- |") == 2
    assert "| django+angular | base | head |" in text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"machine": {**results_run.MACHINE, "cpus": 64}}, "machine: cpus is 4 in one, 64 in the other"),
        ({"profile": replace(results_run.PROFILE, name="article")}, "profile: name is 'quick' in one"),
        ({"seed": 7}, "seed: 42 and 7"),
        ({"workers": 3}, "generator processes: 1 and 3"),
    ],
)
def test_other_conditions_are_refused_unless_meant(
    runs: tuple[Path, Path], tmp_path: Path, change: dict[str, object], named: str
) -> None:
    other = results_run.write_run(tmp_path / "other", SMALL[:1], run_id="other", **change)
    with pytest.raises(UsageError) as refused:
        beside.compare(runs[0], other)
    assert named in refused.value.message
    assert beside.compare(runs[0], other, allow_different_conditions=True)[2]


def test_runs_without_a_common_target_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    other = results_run.write_run(tmp_path / "other", [replace(SMALL[0], name="mine")])
    assert "mine" in results.read_run(other).targets
    with pytest.raises(UsageError, match="share no target"):
        beside.compare(runs[0], other)
