"""Results folders: what is written comes back, and what is damaged is named."""

import json
import os
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from harness import results
from harness.errors import BenchError, UsageError
from harness.records import Emission, ResourceSample, TrialKey, Turn, Verdict, to_json
from tests.doubles import trials

KEY = TrialKey(target="django+angular", scenario="chat", level=10, repetition=0, number=3)
TURN = Turn(
    user=1,
    conversation=0,
    turn=0,
    tag="ab" * 8,
    phase="measure",
    intended_s=10.0,
    sent_s=10.001,
    first_s=10.311,
    last_s=10.42,
    done_s=10.421,
    ready_s=10.421,
    chunks=3,
    updates=4,
    wire_bytes=900,
    text_bytes=23,
    outcome="ok",
    arrival_s=(0.31, 0.33, 0.419),
    arrival_tokens=(1, 2, 4),
)
EMISSION = Emission(
    tag="ab" * 8, request_s=10.002, ttft_s=0.3, itl_s=0.02, tokens=4, emit_s=(0.3, 0.32, 0.34, 0.361), finished=True
)


def test_names_become_folder_names() -> None:
    assert results.slug("django+angular") == "django-angular"
    assert results.slug("streamlit:2") == "streamlit-2"


def test_a_name_of_any_letters_and_length_can_name_a_folder() -> None:
    names = ["./чат", "./бот", "++", f"./{'long/' * 80}bot", f"./{'long/' * 80}other", "./bot-\udcff"]
    slugs = [results.slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    for slug in slugs:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", slug)
        assert len(slug) <= 100
    assert results.slug("a" * 100) == "a" * 100
    assert len(results.slug("a" * 101)) == 100
    assert results.trial_folder(Path("r"), KEY) == Path("r/trials/django-angular/chat/003-10-0")
    at_share = replace(KEY, scenario="open", parameter=70)
    assert results.trial_folder(Path("r"), at_share) == Path("r/trials/django-angular/open-70/003-10-0")


def test_a_trial_comes_back_as_written(tmp_path: Path) -> None:
    trial = trials.trial(KEY, Verdict(outcome="pass"))
    folder = results.trial_folder(tmp_path, KEY)
    results.write_trial(folder, trial)
    assert results.read_trials(tmp_path) == [(folder, trial)]


def test_a_path_that_is_no_utf8_comes_back_as_written(tmp_path: Path) -> None:
    folder = os.fsdecode(b"/home/jos\xe9/caf\xc3\xa9")
    results.write_json(tmp_path / "run.json", {"directory": folder})
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert "café" in text
    assert json.loads(text) == {"directory": folder}


def test_a_trial_folder_without_its_last_file_does_not_count(tmp_path: Path) -> None:
    results.trial_folder(tmp_path, KEY).mkdir(parents=True)
    assert results.read_trials(tmp_path) == []


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format_version": 2}', '{"unheard_of": 1}'])
def test_a_damaged_trial_is_named(tmp_path: Path, damage: str) -> None:
    folder = results.trial_folder(tmp_path, KEY)
    folder.mkdir(parents=True)
    (folder / "trial.json").write_text(damage)
    with pytest.raises(BenchError, match=r"trial\.json cannot be read"):
        results.read_trials(tmp_path)


def test_samples_hold_what_client_and_model_saw(tmp_path: Path) -> None:
    sample = ResourceSample(t_s=1.0, component="api", role="target", cpu_s=0.5, process_cpu_s={"12": 0.5})
    files = results.write_samples(tmp_path, [TURN], [EMISSION], [sample])
    assert files == {name: results.sha256(tmp_path / name) for name in files}
    row = results.read_turns(tmp_path).iloc[0]
    assert row["ttft_s"] == pytest.approx(0.310)
    assert row["added_ttft_s"] == pytest.approx(0.010)
    # the third token left at 10.342 and came with the read at 10.420
    assert row["lateness_s"] == pytest.approx(0.078)
    assert row["stall_s"] == pytest.approx(0.089)
    assert row["model_stall_s"] == pytest.approx(0.021)
    assert row["added_stall_s"] == pytest.approx(0.068)
    assert row["model_lag_s"] == pytest.approx(0.001)
    assert row["schedule_delay_s"] == pytest.approx(0.001)
    assert list(results.read_tokens(tmp_path).iloc[0]["arrival_tokens"]) == [1, 2, 4]
    assert json.loads(results.read_resources(tmp_path).iloc[0]["process_cpu_s"]) == {"12": 0.5}


@pytest.mark.parametrize(("sent_s", "lag_s"), [(0.36, 0.0), (0.367, 0.007)])
def test_an_answer_in_one_piece_is_due_with_its_last_token(tmp_path: Path, sent_s: float, lag_s: float) -> None:
    whole = replace(EMISSION, emit_s=(sent_s,) * 4)
    turn = replace(TURN, first_s=10.4, arrival_s=(0.399,), arrival_tokens=(4,))
    results.write_samples(tmp_path, [turn], [whole], [])
    assert results.read_turns(tmp_path).iloc[0]["model_lag_s"] == pytest.approx(lag_s)


def test_no_turns_still_give_files_with_all_columns(tmp_path: Path) -> None:
    results.write_samples(tmp_path, [], [], [])
    assert "added_ttft_s" in results.read_turns(tmp_path).columns
    assert len(results.read_turns(tmp_path)) == 0


def test_a_turn_the_model_never_saw_has_no_added_times(tmp_path: Path) -> None:
    results.write_samples(tmp_path, [TURN], [], [])
    row = results.read_turns(tmp_path).iloc[0]
    assert pd.isna(row["added_ttft_s"])
    assert pd.isna(row["lateness_s"])


def test_a_cut_parquet_file_is_named(tmp_path: Path) -> None:
    results.write_samples(tmp_path, [TURN], [EMISSION], [])
    path = tmp_path / "turns.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BenchError, match=r"turns\.parquet cannot be read"):
        results.read_turns(tmp_path)


def test_a_bad_line_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(json.dumps(to_json(TURN)) + "\n{}\n")
    with pytest.raises(BenchError, match=r"turns\.jsonl:2"):
        results.read_lines(Turn, path)


def test_a_log_line_cut_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "emissions.jsonl"
    path.write_text(json.dumps(to_json(EMISSION)) + '\n{"tag": "cd')
    assert results.read_emissions(path) == [EMISSION]


def test_no_run_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run"):
        results.latest(tmp_path)


def begun(folder: Path, created_at: str, **more: object) -> Path:
    """Write a ``run.json`` that holds no more than this, and return its folder."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"created_at": created_at} | more))
    return folder


def test_the_latest_run_is_the_one_begun_last_whatever_it_is_called(tmp_path: Path) -> None:
    begun(tmp_path / "zz-kept-for-the-paper", "2026-01-01T10:00:00+00:00")
    last = begun(tmp_path / "20260101-105959-quick", "2026-01-01T10:59:59Z")
    begun(tmp_path / "20260101-113000-quick", "2026-01-01T11:30:00+01:00")
    begun(tmp_path / "renamed", "2026-01-01T10:30:00")
    assert results.latest(tmp_path) == last


def test_of_two_runs_of_one_second_the_latest_is_the_one_written_last(tmp_path: Path) -> None:
    for name, written_s in (("b", 100), ("a", 200)):
        os.utime(begun(tmp_path / name, "2026-01-01T10:00:00Z") / "run.json", (written_s, written_s))
    assert results.latest(tmp_path) == tmp_path / "a"


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"created_at": 7}', '{"created_at": "yesterday"}'])
def test_a_run_without_a_time_counts_by_its_file(tmp_path: Path, damage: str) -> None:
    good = begun(tmp_path / "good", "2026-01-01T10:00:00Z")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text(damage)
    assert results.latest(tmp_path) == tmp_path / "bad"  # it is named, not passed over
    os.utime(tmp_path / "bad" / "run.json", (0, 0))
    assert results.latest(tmp_path) == good


@pytest.mark.parametrize(
    ("wrote", "told"),
    [
        ({"tool_version": "99.0"}, "chatbench 99.0 wrote it, this is "),
        ({"tool_version": version("chatbench")}, "a newer state of chatbench"),
        ({}, "a newer state of chatbench"),
    ],
)
def test_a_key_of_a_newer_version_is_told_with_what_reads_it(tmp_path: Path, wrote: dict[str, str], told: str) -> None:
    run = begun(tmp_path / "run", "2026-01-01T10:00:00Z", unheard_of=1, **wrote)
    trial = results.trial_folder(run, KEY)
    trial.mkdir(parents=True)
    known = to_json(trials.trial(KEY, Verdict(outcome="pass")))
    (trial / "trial.json").write_text(json.dumps(known | {"unheard_of": 1}))
    for read in (results.read_run, results.read_trials):
        with pytest.raises(BenchError, match="unknown key 'unheard_of'") as refused:
            read(run)
        assert told in refused.value.hint
        assert "changed or cut" not in refused.value.hint


def test_a_missing_key_of_another_version_is_told_with_that_version(tmp_path: Path) -> None:
    begun(tmp_path / "run", "2026-01-01T10:00:00Z", tool_version="99.0")
    with pytest.raises(BenchError, match="missing key") as refused:
        results.read_run(tmp_path / "run")
    assert "chatbench 99.0 wrote it" in refused.value.hint
    begun(tmp_path / "cut", "2026-01-01T10:00:00Z", tool_version=version("chatbench"))
    with pytest.raises(BenchError, match="missing key") as refused:
        results.read_run(tmp_path / "cut")
    assert "changed or cut" in refused.value.hint


@pytest.mark.parametrize(("written", "reader"), [(1, "chatbench 0.1.0"), (99, "the chatbench that wrote it")])
def test_a_file_of_another_format_is_told_with_what_reads_it(tmp_path: Path, written: int, reader: str) -> None:
    """Whatever else is in it: another format has other keys."""
    folder = results.trial_folder(tmp_path, KEY)
    folder.mkdir(parents=True)
    for path, read in (
        (tmp_path / "run.json", results.read_run),
        (folder / "trial.json", lambda _: results.read_trials(tmp_path)),
        (tmp_path / "swap" / "swap.json", results.read_swap),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"format_version": written, "unheard_of": 1}))
        with pytest.raises(BenchError) as refused:
            read(tmp_path)
        assert refused.value.message == f"{path} has results format {written}, this chatbench reads format 2"
        assert refused.value.hint == f"{reader} reads it: use that version for this run, or measure again"
