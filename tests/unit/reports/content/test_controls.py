"""Controls in a report: apart from the article's two columns, and without figures of a process there is none of."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from reports import verify
from reports.build import build
from reports.content.report import Report, assemble
from reports.evidence.trials import columns
from reports.pages import files
from tests.doubles import results_run

OF_A_PROCESS = (
    "users_per_core_at_capacity",
    "cpu_s_per_turn_at_capacity",
    "memory_peak_bytes",
    "idle_cores",
    "cold_start_s",
    "memory_slope_bytes_per_session",
    "servers_1000_users",
)
DJANGO_TEMPLATES = replace(results_run.SMALL[0], name="django-templates", kind="control", title="Django, rendered")


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the article's pair, quick to write, and no application."""
    folder = tmp_path_factory.mktemp("run") / "run"
    results_run.write_run(folder, (results_run.NO_APP, *results_run.SMALL))
    build(folder)
    return folder


@pytest.fixture(scope="module")
def report(beside: Path) -> Report:
    return assemble(beside)


def test_a_control_is_in_none_of_the_articles_columns(report: Report) -> None:
    assert (report.table.modular, report.table.monolithic) == ("django+angular", "streamlit")
    (further,) = report.table.further
    assert (further.target, further.kind) == ("no-app", "control")
    assert "no-app" not in report.headline


def test_a_monolith_that_is_a_control_does_not_stand_for_streamlit(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", (DJANGO_TEMPLATES, results_run.SMALL[1]))
    assert columns(results.read_run(folder)) == ("django+angular", None)


def test_beside_other_targets_a_control_without_an_application_has_nothing_left_to_measure(tmp_path: Path) -> None:
    other = replace(results_run.SMALL[0], name="streamlit:1.44")
    folder = results_run.write_run(tmp_path / "run", (results_run.NO_APP, other, *results_run.SMALL))
    build(folder)
    report = assemble(folder)
    lines = dict(report.table.further_lines)
    memory = lines["Memory in total, 0 open sessions"]
    assert [cell.text for cell in memory if cell and cell.target == "no-app"] == ["no application"]
    swapped = report.table.cell("maintenance.swap/no-app")
    assert swapped is not None
    assert swapped.text == "not measured: no application"
    assert verify.verify(folder) == []


def test_what_only_a_process_has_is_never_a_number(report: Report) -> None:
    for measure in OF_A_PROCESS:
        cell = report.table.cell(f"{measure}/no-app")
        assert cell is not None
        assert (cell.verdict, cell.value, cell.text) == ("not measured", None, "no process of its own")
    trial = next(t for _, t in report.trials if t.key.target == "no-app" and t.key.scenario == "chat")
    of_target = ("target_cores", "target_cpu_s_per_turn", "busiest_process_cores", "busiest_cpu_s_per_turn")
    assert [trial.figures[name] for name in of_target] == [None] * 4
    assert trial.figures["memory_peak_bytes"] is None


def test_what_was_measured_of_it_is_there(report: Report) -> None:
    capacity = report.table.cell("capacity_users/no-app")
    assert capacity is not None
    assert (capacity.verdict, capacity.bracket) == ("measured", (20, 30))
    added = report.table.cell("added_ttft_p95_s/no-app")
    assert added is not None
    assert added.value is not None


def test_the_report_says_that_it_is_a_control_and_holds_it_to_no_budget(report: Report) -> None:
    said = files.to_markdown(report)
    assert "control, nothing started" in said
    assert "no-app: no application." in said
    assert "generator 0.2 cores, model 0.1 cores" in said
    (budget,) = [name for name, _ in files.conditions_list(report) if name.startswith("Budget")]
    held = sum(t.key.target != "no-app" for _, t in report.trials)
    assert budget == f"Budget as enforced ({held} of {len(report.trials)} trials)"
    assert ",control,capacity_users/no-app," in files.to_csv(report)
    page = (report.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert '<span class="over">control</span>no-app' in page


def test_every_number_of_it_follows_from_the_samples(beside: Path) -> None:
    assert [str(finding) for finding in verify.verify(beside)] == []


def test_alone_it_has_the_headline(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", (results_run.NO_APP,))
    alone = assemble(folder)
    assert alone.headline.startswith("Capacity within the SLO at think time 3 s: no-app 20–30 users")
    build(folder)
    assert [str(finding) for finding in verify.verify(folder)] == []


def test_where_the_machine_bounds_it_the_capacity_is_a_lower_bound(tmp_path: Path) -> None:
    crowded = replace(results_run.NO_APP, spare_cpus=False)
    cell = assemble(results_run.write_run(tmp_path / "run", (crowded,))).table.cell("capacity_users/no-app")
    assert cell is not None
    assert cell.text.startswith("≥ 20 users; at 30 users the machine was the limit (")
