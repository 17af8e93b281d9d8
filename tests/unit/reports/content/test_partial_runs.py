"""Runs that were interrupted, went wrong or measured little still give a sensible report."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.records import Limits, Reason, Verdict
from reports import build, load
from reports.content.report import assemble
from reports.verify import verify
from reports.verify.wording import visible_text
from tests.doubles import results_run

STREAMLIT, DJANGO = results_run.SMALL
INVALID = Verdict(outcome="invalid", reasons=(Reason(code="invalid.foreign_cpu", text="other programs used 12%"),))
TABLES = ("md", "json", "csv")


def built(folder: Path, models: Sequence[results_run.Measured]) -> Path:
    results_run.write_run(folder, models)
    build.build(folder)
    return folder


def page_of(folder: Path) -> str:
    return visible_text((folder / "report/report.html").read_text())


def test_a_run_without_trials_says_so(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", [replace(STREAMLIT, levels=(), idle=False)])
    shutil.rmtree(folder / "trials")
    build.build(folder)
    assert "No trial was completed: this run holds no measurement." in page_of(folder)
    assert "No capacity was measured in this run" in page_of(folder)
    assert verify(folder) == []
    frames = load(folder)
    assert frames.turns.empty
    assert frames.trials.empty


def test_a_run_of_idle_trials_shows_memory_and_nothing_else(tmp_path: Path) -> None:
    folder = built(tmp_path / "run", [replace(m, levels=()) for m in results_run.SMALL])
    table = assemble(folder).table
    slope = table.cell("memory_slope_bytes_per_session/streamlit")
    capacity = table.cell("capacity_users/streamlit")
    assert slope is not None
    assert slope.value == pytest.approx(1.5e6, rel=0.01)
    assert capacity is not None
    assert (capacity.verdict, capacity.text) == ("not measured", "not measured yet")
    assert sorted(p.stem for p in (folder / "report/figures").glob("*.svg")) == ["memory-per-session"]
    assert verify(folder) == []


def test_invalid_trials_show_reasons_and_no_numbers(tmp_path: Path) -> None:
    model = replace(STREAMLIT, levels=(), idle=False)
    folder = results_run.write_run(tmp_path / "run", [model])
    for repetition in (0, 1):
        results_run.chat_trial(
            folder, model, 10, repetition, number=2 + repetition, minute=9 + repetition, judged=INVALID
        )
    build.build(folder)
    cells = [c for c in assemble(folder).table.cells if c.target == "streamlit" and c.verdict == "invalid"]
    assert len(cells) > 5
    assert {(c.value, c.bracket, c.text) for c in cells} == {
        (None, None, "invalid: other programs used 12% (1 more invalid)")
    }
    assert "Invalid trial, left out" in page_of(folder)
    assert "chatbench explain CODE (invalid.foreign_cpu)" in page_of(folder)
    assert "No capacity was measured" in page_of(folder)
    # The samples are a good trial's: nothing but the invented verdicts is wrong.
    assert {(f.figure, f.text.partition(",")[0]) for f in verify(folder)} == {("verdict", "invalid (foreign_cpu)")}


def test_an_interrupted_trial_is_named_and_left_out(tmp_path: Path) -> None:
    folder = results_run.write_run(
        tmp_path / "run", [replace(STREAMLIT, levels=((10, 0), (14, 0)), idle=False), DJANGO]
    )
    begun = folder / "trials/streamlit/chat/003-14-0"
    (begun / "trial.json").unlink()
    build.build(folder)
    assert "Unfinished trials, left out: 1 (trials/streamlit/chat/003-14-0)." in page_of(folder)
    cell = assemble(folder).table.cell("capacity_users/streamlit")
    assert cell is not None
    assert cell.text.startswith("≥ 10 users; no level tried failed throughout")
    assert verify(folder) == []


def test_one_target_has_the_only_column(tmp_path: Path) -> None:
    folder = built(tmp_path / "run", [STREAMLIT])
    data = json.loads((folder / "report/table.json").read_text())
    assert data["columns"][0] == {"side": "modular", "target": None, "title": None}
    assert "no such target in this run" not in page_of(folder)
    assert "modular ÷ monolithic" not in page_of(folder)
    assert verify(folder) == []


def test_a_target_that_died_without_samples_is_reported_by_its_reason(tmp_path: Path) -> None:
    model = replace(STREAMLIT, levels=((10, 0),), idle=False)
    folder = results_run.write_run(tmp_path / "run", [model])
    killed = Verdict(outcome="fail", reasons=(Reason(code="target.oom", text="the kernel killed 1 of its processes"),))
    path = folder / "trials/streamlit/chat/002-10-0"
    for name in ("turns.parquet", "tokens.parquet", "resources.parquet"):
        (path / name).unlink()
    results_run.rewrite(path, verdict=killed, figures={}, files={}, summary=None)
    build.build(folder)
    assert "the kernel killed 1 of its processes" in page_of(folder)
    assert verify(folder) == []


def test_limits_that_nobody_enforced_and_shared_cpus_are_reservations(tmp_path: Path) -> None:
    model = replace(STREAMLIT, levels=((10, 0), (14, 0)), idle=False, spare_cpus=False)
    folder = results_run.write_run(tmp_path / "run", [model])
    loose = Limits(
        cpus=(0, 1),
        memory_bytes=None,
        swap_bytes=None,
        cpu_enforced=False,
        memory_enforced=False,
        how="affinity only",
        generator_cpus=(0, 1),
        spare_cpus=False,
        notes=("run as root to enforce them",),
    )
    results_run.rewrite(folder / "trials/streamlit/chat/002-10-0", limits=loose)
    notes = " ".join(assemble(folder).notes)
    assert "Memory limit NOT enforced in 1 trial(s) (affinity only)." in notes
    assert "run as root to enforce them" in notes
    assert "No spare CPUs: load generator and model used the target's CPUs, up to 0.3 cores in a trial." in notes
    cell = assemble(folder).table.cell("capacity_users/streamlit")
    assert cell is not None
    assert cell.text.startswith("10–≤33 users; at 14 users the machine was the limit; the upper end is worked")


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", [replace(STREAMLIT, levels=((10, 0),), idle=False)])
    (folder / "trials/streamlit/chat/002-10-0/trial.json").write_text('{"key": ')
    with pytest.raises(BenchError, match=r"002-10-0/trial\.json"):
        build.build(folder)


def test_frames_say_which_trial_a_row_belongs_to(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", [replace(STREAMLIT, levels=((10, 0),))])
    frames = load(folder)
    for frame in (frames.turns, frames.tokens, frames.resources, frames.trials):
        assert {"target", "scenario", "level", "repetition"} <= set(frame.columns)
    chat = frames.turns[frames.turns["scenario"] == "chat"]
    assert len(chat) > 20
    assert set(chat["level"]) == {10}
    assert len(frames.tokens) == len(frames.turns)
    assert set(frames.resources["scenario"]) == {"check", "chat", "idle"}
    assert frames.trials.set_index("scenario").loc["chat", "outcome"] == "pass"
