"""Workloads other than closed chat in the table, each cell found again by ``verify``'s own arithmetic."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from harness.records import Open, Search, Soak, Spike, Verdict, Visiting
from reports import build
from reports.cells.workloads import cells, last_valid
from reports.content.report import Report, assemble
from reports.evidence.conditions import Conditions
from reports.verify import verify
from tests.doubles import results_run
from tests.doubles.results_run import DJANGO, PROFILE, STREAMLIT
from tests.unit.reports.cells.test_cells import FAIL, PASS, evidence, trial

SMALL = replace(STREAMLIT, capacity=12, levels=((10, 0), (14, 0)), cpu_s_per_turn=0.3)
MODELS = (
    replace(SMALL, others=(("open", 10), ("open-70", 9), ("visit", 2), ("spike", 9), ("soak", 8))),
    replace(DJANGO, capacity=24, levels=((10, 0), (20, 0), (30, 0)), others=(("open", 10),)),
)
ASKED = replace(
    PROFILE,
    open=Open(per_minute=10, percent=(70,)),
    visit=Visiting(users=2, measure_s=20.0),
    spike=Spike(percent=50, times=4, before_s=3.0, hold_s=5.0, after_s=12.0, window_s=4.0),
    soak=Soak(percent=70, minutes=20.0, block_s=3.0),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workloads") / "run"
    results_run.write_run(folder, MODELS, profile=ASKED)
    build.build(folder)
    return folder


@pytest.fixture(scope="module")
def report(run: Path) -> Report:
    return assemble(run)


def test_open_arrivals_have_a_line_at_the_common_rate_and_at_a_share_of_the_capacity(report: Report) -> None:
    common = report.table.cell("open.added_ttft_p95_s/streamlit")
    assert common is not None
    assert common.value is not None
    assert 0.01 < common.value < 0.05
    assert "10 arrivals a minute" in common.text
    assert "pass" in common.text
    own = report.table.cell("open-70.lateness_p95_s/streamlit")
    assert own is not None
    assert own.value is not None


def test_what_was_not_measured_says_so(report: Report) -> None:
    cell = report.table.cell("open-70.added_ttft_p95_s/django+angular")
    assert cell is not None
    assert (cell.value, cell.verdict) == (None, "not measured")


def test_a_profile_without_other_workloads_has_no_line_for_them(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", (SMALL,))
    ids = [cell.id for cell in assemble(folder).table.cells]
    assert not [one for one in ids if one.startswith(("visit", "open", "spike", "soak"))]


def test_verify_finds_every_cell_again(run: Path) -> None:
    assert [str(f) for f in verify(run)] == []


@pytest.mark.parametrize(
    "cell_id",
    ["open.added_ttft_p95_s/streamlit", "open-70.lateness_p95_s/streamlit", "spike.spike_added_ttft_p95_s/streamlit"],
)
def test_an_edited_cell_is_named(run: Path, cell_id: str) -> None:
    table = run / "report" / "table.json"
    before = table.read_text()
    data = json.loads(before)
    cells = [c for row in data["rows"] for c in row["cells"]]
    next(c for c in cells if c["id"] == cell_id)["value"] *= 1.01
    results.write_json(table, data)
    try:
        assert [f.figure for f in verify(run)] == [cell_id]
    finally:
        table.write_text(before)


def test_open_latencies_run_from_the_arrival(run: Path) -> None:
    for path in run.glob("trials/*/open*/*"):
        turns = results.read_turns(path)
        assert (turns["ttft_s"] - (turns["first_s"] - turns["intended_s"])).abs().max() < 1e-9
        assert (turns["schedule_delay_s"] > 0).all()


def test_a_latency_counted_from_the_late_send_is_found(run: Path) -> None:
    """The mistake that open arrivals exist to avoid: coordinated omission."""
    (path,) = run.glob("trials/streamlit/open/*")
    file = path / results.TURNS
    before = file.read_bytes()
    turns = results.read_turns(path)
    turns["ttft_s"] = turns["first_s"] - turns["sent_s"]
    turns.to_parquet(file, index=False)
    try:
        assert "ttft_s" in [f.figure for f in verify(run)]
    finally:
        file.write_bytes(before)


def test_a_spike_and_a_soak_have_lines_of_their_own(report: Report) -> None:
    recovery = report.table.cell("spike.recovery_s/streamlit")
    assert recovery is not None
    assert recovery.value == 0
    assert "9 users, 36 during it" in recovery.text
    memory = report.table.cell("soak.memory_slope_bytes_per_hour/streamlit")
    assert memory is not None
    assert memory.bracket is not None
    assert "6 blocks" in memory.text
    absent = report.table.cell("soak.memory_slope_bytes_per_hour/django+angular")
    assert absent is not None
    assert absent.text == "not measured: the trial was not made"


def test_a_share_says_what_it_is_of(report: Report) -> None:
    small = Conditions(profile=replace(ASKED, capacity=False, search=Search(base_users=10)))
    for terms, whole in ((report.terms, "capacity"), (small, "10 users")):
        labels = " ".join(cell.label for cell in cells(report.evidence["streamlit"], terms))
        assert f"Open arrivals at 70 % of {whole}:" in labels
        assert f"Spike, 4 × 50 % of {whole} for 5 s:" in labels
        assert f"Soak, 20 minutes at 70 % of {whole}:" in labels
        assert labels.count(" % of ") == labels.count(f" % of {whole}")


@pytest.mark.parametrize(
    ("trials", "scenario", "parameter", "why"),
    [
        ([(10, FAIL)], "spike", None, "no level passed to take a share of"),
        ([(10, FAIL)], "open", 70, "no level passed to take a share of"),
        ([(10, FAIL)], "open", None, "the trial was not made"),
        ([(10, PASS), (20, FAIL)], "spike", None, "the trial was not made"),
    ],
)
def test_a_trial_that_was_not_made_says_why(
    trials: list[tuple[int, Verdict]], scenario: str, parameter: int | None, why: str
) -> None:
    known = evidence(*(trial("streamlit", level, verdict) for level, verdict in trials))
    assert last_valid(known, scenario, parameter) == ([], f"not measured: {why}")


@pytest.mark.parametrize(
    ("scenario", "figure"),
    [
        ("spike", "recovery_s"),
        ("spike", "spike_failure_ratio"),
        ("soak", "cpu_slope_s_per_turn_per_hour_high"),
        ("soak", "blocks"),
        ("open", "arrivals_without_page"),
        ("visit", "cpu_s_per_visit"),
        ("visit", "page_p50_s"),
    ],
)
def test_an_edited_figure_is_named(run: Path, scenario: str, figure: str) -> None:
    (path,) = run.glob(f"trials/streamlit/{scenario}/*/trial.json")
    before = path.read_text()
    data = json.loads(before)
    data["figures"][figure] = (data["figures"][figure] or 0) + 1
    path.write_text(json.dumps(data))
    try:
        assert figure in [f.figure for f in verify(run)]
    finally:
        path.write_text(before)


def test_visits_are_counted_and_their_times_are_medians(report: Report) -> None:
    shown = {name: report.table.cell(f"visit.{name}/streamlit") for name in ("page_p50_s", "page_requests")}
    page, requests = shown["page_p50_s"], shown["page_requests"]
    assert page is not None
    assert requests is not None
    assert page.value == pytest.approx(0.35)  # of 0.2, 0.3, 0.4 and 0.5 s
    assert "2 visits" in page.text
    assert requests.text.startswith("7 ")
    failed = report.table.cell("visit.visit_failure_ratio/streamlit")
    assert failed is not None
    assert failed.value == pytest.approx(1 / 3)
