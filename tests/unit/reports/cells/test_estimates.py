"""Estimates, predictions and servers in the table, each found again by ``verify``'s own arithmetic."""

import json
from dataclasses import replace
from math import ceil, sqrt
from pathlib import Path

import pytest

from harness import results
from harness.analysis import estimate
from harness.records import Search, Verdict
from reports import build
from reports.cells.estimates import interval, worded
from reports.content.report import Report, assemble
from reports.numbers import span
from reports.verify import cost, estimates, verify
from tests.doubles import results_run
from tests.doubles.results_run import DJANGO, PROFILE, STREAMLIT

ASKED = replace(PROFILE, search=Search(rounds=3, further_think_s=(15,)))
MODELS = (
    replace(
        STREAMLIT,
        capacity=12,
        levels=((10, 0), (14, 0)),
        cpu_s_per_turn=0.3,
        rounds=((1, 11), (1, 13), (2, 13), (2, 12), (3, 12), (3, 14)),
    ),
    replace(
        DJANGO,
        capacity=24,
        levels=((10, 0), (20, 0), (30, 0)),
        rounds=((1, 23), (1, 26), (2, 27), (2, 24), (3, 22), (3, 25)),
        thinking=((15, 20), (15, 30)),
    ),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("estimates") / "run"
    results_run.write_run(folder, MODELS, profile=ASKED)
    build.build(folder)
    return folder


@pytest.fixture(scope="module")
def report(run: Path) -> Report:
    return assemble(run)


def test_the_estimate_lies_inside_the_rounds_own_ends_and_states_its_interval(report: Report) -> None:
    cell = report.table.cell("capacity_estimate_users/streamlit")
    assert cell is not None
    assert cell.value is not None
    assert cell.bracket is not None
    assert 11 < cell.value < 14
    assert cell.bracket[0] is not None
    assert cell.bracket[0] < cell.value
    assert "95 % interval" in cell.text
    assert "3 rounds" in cell.text


def test_the_ratio_is_paired_and_its_interval_is_printed(report: Report) -> None:
    cell = report.table.cell("capacity_estimate_users/django+angular / streamlit")
    assert cell is not None
    assert cell.value == pytest.approx(24 / 12, rel=0.15)
    assert "rounds paired" in cell.text


def test_predictions_name_every_trial_that_tested_them(report: Report) -> None:
    cell = report.table.cell("think_15_users/django+angular")
    assert cell is not None
    assert (cell.value, cell.bracket) == (20, (20, 30))
    assert "20 users: pass, 30 users: fail" in cell.text
    absent = report.table.cell("think_15_users/streamlit")
    assert absent is not None
    assert absent.verdict == "not measured"


def test_a_prediction_that_only_the_machine_missed_has_no_number(tmp_path: Path) -> None:
    crowded = replace(MODELS[1], spare_cpus=False, rounds=(), thinking=((15, 30), (15, 40)))
    folder = results_run.write_run(tmp_path / "run", (crowded,), profile=ASKED)
    build.build(folder)
    cell = assemble(folder).table.cell("think_15_users/django+angular")
    assert cell is not None
    assert (cell.value, cell.bracket, cell.verdict) == (None, None, "inconclusive")
    assert cell.text.startswith("the machine was the limit (30 users: fail, 40 users: fail; think time 15 s")
    assert [str(f) for f in verify(folder)] == []


def test_servers_follow_from_the_highest_level_that_passed_and_never_exceed_what_was_carried(report: Report) -> None:
    cell = report.table.cell("servers_1000_users/streamlit")
    assert cell is not None
    assert cell.value is not None
    assert cell.value >= 1000 / 12
    assert any("calculated, not measured" in note for note in report.notes)


@pytest.mark.parametrize(
    ("cell_id", "think", "level"),
    [
        ("capacity_estimate_users/streamlit", "think time 3 s", 12),
        ("capacity_estimate_users/django+angular", "think time 3 s", 25),
        ("think_15_users/django+angular", "think time 15 s", 20),
    ],
)
def test_estimates_and_predictions_state_think_time_answers_and_live_streams(
    report: Report, cell_id: str, think: str, level: int
) -> None:
    cell = report.table.cell(cell_id)
    assert cell is not None
    assert f"; {think}; answers of 40 tokens; " in cell.text
    assert cell.text.endswith(f" live streams at {level} users)")


def test_verify_names_an_estimate_with_other_live_streams(run: Path) -> None:
    table = run / "report" / "table.json"
    before = table.read_text()
    data = json.loads(before)
    cells = [c for row in data["rows"] for c in row["cells"]]
    cell = next(c for c in cells if c["id"] == "capacity_estimate_users/streamlit")
    cell["text"] = cell["text"].replace(" live streams", "1 live streams")
    results.write_json(table, data)
    try:
        assert [f.figure for f in verify(run)] == ["capacity_estimate_users/streamlit.text"]
    finally:
        table.write_text(before)


def test_servers_are_bound_by_the_memory_of_open_sessions_too(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", (replace(MODELS[1], session_bytes=2e8, rounds=(), thinking=()),))
    build.build(folder)
    full = assemble(folder).table.cell("servers_1000_users/django+angular")
    assert full is not None
    assert full.value == ceil(1000 / (0.7 * (2**32 - results_run.DJANGO.idle_bytes) / 2e8))
    assert any("/idle/" in path for path in full.rests_on)
    assert [str(f) for f in verify(folder)] == []


@pytest.mark.parametrize(("low", "servers"), [(0, []), (None, []), (5, [20, 200, 2000]), (50, [3, 29, 286])])
def test_verify_counts_no_servers_for_a_target_that_carries_nobody(low: int | None, servers: list[int]) -> None:
    # 50 users at 2 cores: 70 % of two are 35 users
    edge = {"key": {"level": 50}, "figures": {"target_cores": 2.0, "busiest_process_cores": 0.5}}
    assert cost.servers([edge], [{"figures": {"idle_cores": 0.0}}], low) == servers
    assert cost.servers([edge], [], low) == []


def test_verify_finds_every_estimate_again(run: Path) -> None:
    assert [str(f) for f in verify(run)] == []


@pytest.mark.parametrize(
    "cell_id",
    [
        "capacity_estimate_users/streamlit",
        "capacity_estimate_users/django+angular / streamlit",
        "think_15_users/django+angular",
        "servers_1000_users/streamlit",
    ],
)
def test_an_edited_estimate_is_named(run: Path, cell_id: str, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("place", [0, 1, 2])
def test_another_number_of_servers_is_named(run: Path, place: int) -> None:
    table = run / "report" / "table.json"
    before = table.read_text()
    data = json.loads(before)
    cells = [c for row in data["rows"] for c in row["cells"]]
    cell = next(c for c in cells if c["id"] == "servers_1000_users/streamlit")
    counts, rest = cell["text"].split(" (")
    numbers = counts.split(" / ")
    numbers[place] += "0"
    cell["text"] = f"{' / '.join(numbers)} ({rest}"
    results.write_json(table, data)
    try:
        assert [(f.figure, f.text.partition(":")[0]) for f in verify(run)] == [(cell["id"], "servers")]
    finally:
        table.write_text(before)


def test_a_profile_without_rounds_has_no_line_for_them(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", (replace(MODELS[0], rounds=()),))
    assert assemble(folder).table.cell("capacity_estimate_users/streamlit") is None


def test_rounds_where_the_machine_failed_are_a_bound() -> None:
    soft = [estimate.Crossing(users=100 + n, most=120 if n == 0 else 100 + n) for n in range(3)]
    found = estimate.estimate(soft)
    assert found is not None
    assert found.high is not None
    assert found.low < sqrt(100 * 102) < 110 < found.high
    assert found.worked_out == (False, True)
    assert worded(found, "users") == span(found.low, found.high, "users").replace("–", "–≤")
    assert interval(found, "users").endswith("in some the machine was the limit, an end is worked out")
    firm = {n: replace(one, most=one.users) for n, one in enumerate(soft)}
    beside = estimate.ratio(firm, dict(enumerate(soft)))
    assert beside is not None
    assert beside.worked_out == (True, False)
    assert worded(beside, "×").startswith("≥")
    open_above = estimate.estimate([replace(one, most=None) if n == 0 else one for n, one in enumerate(soft)])
    assert open_above is not None
    assert worded(open_above, "users").startswith("≥ ")
    assert open_above.worked_out == (False, False)


@pytest.mark.parametrize(
    ("count", "contended", "cores"),
    [(2, 0, 1.6), (11, 0, 1.6), (14, 0, 1.6), (40, 0, 1.6), (2, 2, 1.6), (11, 3, 1.7), (11, 3, None)],
)
def test_verify_finds_the_interval_again_however_many_rounds_there_are(
    count: int, contended: int, cores: float | None
) -> None:
    trials = []
    for n in range(1, count + 1):
        for level, use, outcome in ((100 + n, 0.9, "pass"), (110 + n, 1.1 + n / 100, "fail")):
            key = {"level": level, "round": n, "number": len(trials)}
            verdict = {"outcome": outcome, "contended": outcome == "fail" and n <= contended}
            figures = {"lateness_p95_s": use, "target_cores": cores}
            trials.append({"key": key, "verdict": verdict, "figures": figures})
    crossed = []
    for low, high in zip(trials[::2], trials[1::2], strict=True):
        ends = [
            estimate.Tried(
                level=t["key"]["level"],
                use=t["figures"]["lateness_p95_s"],
                verdict=Verdict(**t["verdict"]),
                cores=cores,
            )
            for t in (low, high)
        ]
        found = estimate.crossing(ends)
        assert found is not None
        crossed.append(found)
    printed = estimate.estimate(crossed)
    assert printed is not None
    value, bracket = estimates.estimate(trials, {"profile": {"slo": {"lateness_p95_s": 1.0}}})
    assert value == pytest.approx(printed.value)
    assert bracket == pytest.approx((printed.low, printed.high))
    assert (value is None) == bool(contended)
    rounds = {"profile": {"slo": {"lateness_p95_s": 1.0}}}
    marks = estimates.worked_out(trials, None, rounds)
    assert (marks[0], marks[1] and bracket is not None and bracket[1] is not None) == printed.worked_out
    assert estimates.worked_out(trials, trials, rounds) == (bool(contended),) * 2
    means = printed.between or (None if contended else (printed.value, printed.value))
    assert estimates.between(trials, None, rounds) == (means and pytest.approx(means))
