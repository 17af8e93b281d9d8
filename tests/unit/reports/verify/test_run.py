"""Every printed number is found again from the raw samples, and a changed one is named."""

import ast
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import results
from harness.analysis import chat_figures
from harness.records import Slo, WorkerShare
from reports import build
from reports.verify import figures, verify
from reports.verify.difference import Difference
from reports.verify.model_pace import Pace
from tests.doubles import results_run

CHAT = "trials/streamlit/chat/002-10-0"
DRAWN = [0.207246725, 0.394329236]
IDLE = "trials/streamlit/idle/004-150-0"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = results_run.write_run(tmp_path_factory.mktemp("original") / "run", results_run.SMALL)
    build.build(folder)
    return folder


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "run")


def change_samples(trial: Path, name: str, change: Callable[[pd.DataFrame], object], *, hide: bool = True) -> None:
    """Change a Parquet file; with ``hide`` its SHA-256 in ``trial.json`` is brought in line."""
    frame = pd.read_parquet(trial / name)
    changed = change(frame)
    frame = changed if isinstance(changed, pd.DataFrame) else frame
    frame.to_parquet(trial / name, index=False)
    if hide:
        data = json.loads((trial / "trial.json").read_text())
        data["files"][name] = results.sha256(trial / name)
        results.write_json(trial / "trial.json", data)


def change_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    results.write_json(path, data)


def named(findings: list[Difference]) -> set[tuple[str, str]]:
    return {(f.place, f.figure) for f in findings}


def test_an_untouched_run_gives_no_finding(run: Path) -> None:
    assert [str(f) for f in verify(run)] == []


def scale(column: str, factor: float) -> Callable[[pd.DataFrame], None]:
    def change(frame: pd.DataFrame) -> None:
        frame[column] = frame[column] * factor

    return change


def shift(column: str, by_s: float) -> Callable[[pd.DataFrame], None]:
    def change(frame: pd.DataFrame) -> None:
        frame[column] = frame[column] + by_s

    return change


def drop_turn(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:-1]


def fail_turn(frame: pd.DataFrame) -> None:
    row = frame.index[frame["phase"] == "measure"][0]
    frame.loc[row, "outcome"] = "failed"


def foreign_calls(frame: pd.DataFrame) -> None:
    frame["tag"] = "0" * 16


def later_arrivals(frame: pd.DataFrame) -> None:
    frame["arrival_s"] = [a + 0.1 for a in frame["arrival_s"]]


@pytest.mark.parametrize(
    ("name", "change", "figure"),
    [
        ("turns.parquet", shift("first_s", 0.01), "ttft_p50_s"),
        ("turns.parquet", shift("first_s", 0.01), "added_ttft_p95_s"),
        ("turns.parquet", shift("done_s", 0.5), "live_turns_mean"),
        ("turns.parquet", shift("last_s", 0.5), "live_streams_mean"),
        ("turns.parquet", scale("text_bytes", 2), "wire_bytes_per_text_byte"),
        ("turns.parquet", scale("updates", 3), "updates_per_answer"),
        ("turns.parquet", shift("model_lag_s", 0.001), "model_lag_p99_s"),
        ("turns.parquet", shift("lateness_s", 0.02), "lateness_p95_s"),
        ("turns.parquet", fail_turn, "failure_ratio"),
        ("turns.parquet", fail_turn, "throughput_per_s"),
        ("calls.parquet", foreign_calls, "unmatched_calls"),
        ("calls.parquet", foreign_calls, "model_calls_per_turn"),
        ("resources.parquet", scale("cpu_s", 1.02), "target_cpu_s_per_turn"),
        ("resources.parquet", scale("cpu_s", 1.02), "model_cores"),
        ("resources.parquet", scale("anon_bytes", 1.1), "memory_peak_bytes"),
        ("resources.parquet", scale("host_idle_s", 2), "host_busy_ratio"),
        ("resources.parquet", scale("foreign_cpu_s", 2), "foreign_cpu_ratio"),
    ],
)
def test_a_changed_sample_is_noticed_and_its_figure_named(
    run: Path, name: str, change: Callable[[pd.DataFrame], None], figure: str
) -> None:
    change_samples(run / CHAT, name, change)
    findings = verify(run)
    places = {place for place, found in named(findings) if found == figure}
    derived = {found for place, found in named(findings) if place == f"{CHAT}/turns.parquet"}
    assert f"{CHAT}/trial.json" in places or derived, [str(f) for f in findings]
    assert all(f.place.startswith((CHAT, "report/")) for f in findings)


@pytest.mark.parametrize(
    ("name", "change", "column"),
    [
        ("turns.parquet", shift("lateness_s", 0.02), "lateness_s"),
        ("turns.parquet", shift("added_ttft_s", -0.02), "added_ttft_s"),
        ("turns.parquet", shift("model_wait_s", 0.02), "model_wait_s"),
        ("turns.parquet", shift("model_calls", 1), "model_calls"),
        ("calls.parquet", shift("request_s", -0.02), "model_request_s"),
        ("turns.parquet", scale("stall_s", 0.5), "stall_s"),
        ("turns.parquet", shift("model_lag_s", -0.001), "model_lag_s"),
        ("tokens.parquet", later_arrivals, "lateness_s"),
    ],
)
def test_a_column_that_contradicts_the_times_it_follows_from_is_named(
    run: Path, name: str, change: Callable[[pd.DataFrame], None], column: str
) -> None:
    change_samples(run / CHAT, name, change)
    finding = next(f for f in verify(run) if f.figure == column)
    assert finding.place == f"{CHAT}/turns.parquet"
    assert "turn tag-" in finding.text


def test_a_change_that_leaves_the_hash_behind_is_noticed_by_the_hash(run: Path) -> None:
    change_samples(run / CHAT, "tokens.parquet", lambda frame: None, hide=False)
    (run / CHAT / "resources.parquet").write_bytes((run / CHAT / "resources.parquet").read_bytes() + b" ")
    assert verify(run)[0].place.startswith(CHAT)
    assert "resources.parquet" in {f.figure for f in verify(run)}


@pytest.mark.parametrize("name", ["turns.parquet", "tokens.parquet", "resources.parquet", "calls.parquet"])
def test_a_missing_or_truncated_file_is_named(run: Path, name: str) -> None:
    file = run / CHAT / name
    content = file.read_bytes()
    file.unlink()
    assert str(verify(run)[0]) == f"{CHAT}/{name}: {name}: is missing"
    file.write_bytes(content[: len(content) // 2])
    first = verify(run)[0]
    assert (first.place, first.figure) == (f"{CHAT}/{name}", name)
    assert first.text.startswith("cannot be read")


def test_a_lost_row_is_noticed(run: Path) -> None:
    change_samples(run / CHAT, "turns.parquet", drop_turn)
    first = verify(run)[0]
    assert (first.place, first.figure) == (f"{CHAT}/turns.parquet", "rows")


FIGURES = ("added_ttft_p95_s", "goodput_ratio", "memory_mean_bytes", "window_s")


@pytest.mark.parametrize("figure", FIGURES)
def test_a_hand_edited_figure_is_named_first(run: Path, figure: str) -> None:
    def change(data: dict[str, Any]) -> None:
        data["figures"][figure] = (data["figures"][figure] or 1.0) * 0.9

    change_json(run / CHAT / "trial.json", change)
    first = verify(run)[0]
    assert (first.place, first.figure) == (f"{CHAT}/trial.json", figure)
    assert first.text.startswith("printed ")


def test_every_figure_of_every_trial_is_recomputed(run: Path) -> None:
    record = json.loads((run / results.RUN_FILE).read_text())
    for path, trial in results.read_trials(run):
        data = json.loads((path / "trial.json").read_text())
        again = figures.recompute(path, data, record).figures
        assert set(trial.figures) - set(again) <= {"cold_start_s"}


def test_what_several_generators_share_is_recomputed(run: Path) -> None:
    path = run / CHAT
    trial = results.read_trials(run)
    made = next(one for folder, one in trial if folder == path)
    assert made.summary is not None
    share = WorkerShare(users=5, turns_begun=0, turns_ended=0, turns_written=0, cpu_s=1.5)
    summary = replace(made.summary, workers=(share, replace(share, cpu_s=2.5)))
    turns, resources, calls = results.read_turns(path), results.read_resources(path), results.read_calls(path)
    found = chat_figures.chat_figures(turns, resources, summary, Slo(), calls)
    results.write_trial(path, replace(made, summary=summary, figures=found))
    build.build(run)
    assert [str(f) for f in verify(run)] == []
    change_json(path / "trial.json", lambda data: data["summary"]["workers"][1].update(cpu_s=2.4))
    assert (f"{CHAT}/trial.json", "generator_1_cores") in named(verify(run))


def test_an_invented_figure_has_no_formula(run: Path) -> None:
    change_json(run / CHAT / "trial.json", lambda data: data["figures"].update(happiness_ratio=1.0))
    assert str(verify(run)[0]).endswith("happiness_ratio: no formula is known to work it out from the samples")


def test_an_edited_slope_is_named(run: Path) -> None:
    change_json(run / IDLE / "trial.json", lambda data: data["figures"].update(memory_slope_low_bytes=1.0))
    assert verify(run)[0].figure == "memory_slope_low_bytes"


@pytest.mark.parametrize(
    ("outcome", "level"),
    [("pass", "003-14-0"), ("fail", "002-10-0")],
)
def test_a_verdict_that_does_not_follow_is_named(run: Path, outcome: str, level: str) -> None:
    verdict = {"outcome": outcome, "reasons": [], "contended": False}
    change_json(run / f"trials/streamlit/chat/{level}/trial.json", lambda data: data.update(verdict=verdict))
    assert verify(run)[0].figure == "verdict"


def edit_cell(cell_id: str, **values: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        cell = next(c for row in data["rows"] for c in row["cells"] if c["id"] == cell_id)
        cell.update(values)

    return change


RATIO = "capacity_users/django+angular / streamlit"


@pytest.mark.parametrize(
    ("cell_id", "values"),
    [
        ("capacity_users/streamlit", {"value": 99}),
        ("capacity_users/django+angular", {"bracket": [20, 25]}),
        (RATIO, {"bracket": [1.0, 9.0]}),
        (RATIO, {"bracket": None}),
        ("added_ttft_p95_s/streamlit", {"value": 0.0001}),
        ("memory_slope_bytes_per_session/django+angular", {"value": 5.0}),
        ("memory_bytes_50/streamlit", {"value": 5.0}),
        ("cold_start_s/streamlit", {"value": 0.1}),
        ("flexibility/streamlit", {"value": 5.0}),
        ("live_streams_at_capacity/streamlit", {"value": 77.0}),
    ],
)
def test_a_hand_edited_cell_is_named(run: Path, cell_id: str, values: dict[str, object]) -> None:
    change_json(run / "report/table.json", edit_cell(cell_id, **values))
    first = verify(run)[0]
    assert (first.place, first.figure) == ("report/table.json", cell_id)


def test_an_edited_wording_is_named(run: Path) -> None:
    change_json(run / "report/table.json", edit_cell("capacity_users/streamlit", text="900 users"))
    assert "900 users" in verify(run)[0].text


@pytest.mark.parametrize("name", ["table.md", "table.csv", "report.html"])
def test_an_edited_view_of_the_table_is_named(run: Path, name: str) -> None:
    file = run / "report" / name
    file.write_text(file.read_text().replace("10–14 users", "10–99 users"))
    assert verify(run)[0].place == f"report/{name}"


def test_a_missing_table_or_run_record_is_named(run: Path) -> None:
    (run / "report/table.json").unlink()
    assert str(verify(run)[0]) == "report/table.json: file: is missing; rebuild it: chatbench report"
    (run / "run.json").write_text("{")
    assert verify(run)[0].place == "run.json"


def test_a_trial_that_vanished_is_missed_by_the_cells_that_rest_on_it(run: Path) -> None:
    shutil.rmtree(run / CHAT)
    assert "which is missing" in verify(run)[0].text or "samples give" in verify(run)[0].text


def test_its_arithmetic_is_its_own() -> None:
    folder = Path(figures.__file__).parent
    modules = sorted(folder.glob("*.py"))
    assert len(modules) > 10
    for path in modules:
        imported = {n.module for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)}
        assert (
            not {
                "harness.analysis.stats",
                "harness.analysis.chat_figures",
                "harness.analysis.capacity",
                "harness.results.turn_table",
                "harness.analysis.gate",
                "reports.cells.ratios",
            }
            & imported
        )


def test_when_each_token_was_due_is_drawn_again_as_the_model_drew_it() -> None:
    """Expected by the model itself: chatbench-llm, seed 42, median 0.2 s, sigma 0.5."""
    pace = Pace(seed=42, ttft_s=0.2, sigma=0.5, itl_s=0.025)
    assert [round(pace.first_s(tag), 9) for tag in ("52d881366bf9a53d", "4ce46759528411b1")] == DRAWN
    late, rows = pace.late(["52d881366bf9a53d"], np.array([100.0011]), np.array([1.0, 1.5]), np.array([2]))
    first_s = math.ceil((100.0011 + DRAWN[0]) * 200) / 200 - 100.0011
    assert list(rows) == [0, 0]
    assert late == pytest.approx([1.0 - first_s, 1.475 - first_s])
    assert [replace(pace, itl_s=itl_s).step_ms() for itl_s in (0.02, 0.025, 0.007, 0.0333)] == [10, 5, 7, 1]


def test_percentiles_are_infinite_where_unfinished_turns_reach_them() -> None:
    values = np.array([1.0, 2.0, np.inf])
    assert figures._quantile(values, 0.5) == 2.0
    assert figures._quantile(values, 0.95) is None
    assert figures._quantile(np.empty(0), 0.5) is None
