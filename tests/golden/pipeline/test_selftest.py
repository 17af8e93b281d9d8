"""The self-test through the real pipeline, with a right generator and with wrong ones; no timing is asserted."""

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from harness.analysis import stats
from harness.cli import lookup, main
from harness.cli import selftest as command
from harness.errors import EXIT_DONE, EXIT_INVALID
from harness.host import machine
from harness.records import KnownQuantity, Window
from harness.results import folder as results_folder
from harness.runtimes.local import LocalRuntime, generator
from harness.selftest import bench, cases, comparing, course
from harness.selftest.bench import Case, Laboratory, Measured

pytestmark = pytest.mark.spread


@pytest.fixture
def lab(tmp_path: Path) -> Laboratory:
    """A laboratory whose model runs in the tests' own environment."""
    llm = lookup.catalogue().model
    part = replace(llm, local=replace(llm.local, start=(*llm.local.start, "--step-ms", "1")))
    return Laboratory(
        folder=tmp_path, runtime=LocalRuntime(), model=part, model_python=Path(sys.executable), tell=print
    )


def short(protocol: str) -> Case:
    case = cases.timing(protocol)
    window = Window(measure_min_s=2.0, measure_max_s=4.0, measure_turns=20, drain_s=5.0)
    return replace(case, profile=replace(case.profile, window=window))


def with_generator(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    right = generator.command()
    wrong = str(Path(__file__).with_name(name))
    monkeypatch.setattr(
        generator, "command", lambda: tuple(wrong if word.endswith("locustfile.py") else word for word in right)
    )


def failed(rows: Sequence[KnownQuantity]) -> set[str]:
    return {one.name for one in rows if one.outcome == "failed"}


@pytest.mark.alone
@pytest.mark.parametrize("protocol", ["rest", "openai"])
def test_every_quantity_is_measured_and_no_turn_is_lost(lab: Laboratory, protocol: str) -> None:
    found = lab.measure(short(protocol), 6)
    rows = {one.name: one for one in comparing.timing(found, protocol)}
    assert all(one.error is not None for one in rows.values() if one.unit)
    assert rows[f"{protocol}: turns"].outcome == "ok"
    assert (rows[f"{protocol}: turns"].measured or 0) >= 20
    assert (rows[f"{protocol}: TTFT, median error"].true or 0) >= 0.2  # the model's own, never early
    for known in found.truth.values():
        assert len(known.written_s) == 12
        assert list(known.written_s) == sorted(known.written_s)


@pytest.mark.alone
def test_a_server_that_rephrases_first_has_both_calls_taken_off(lab: Laboratory) -> None:
    case = cases.rephrasing()
    window = Window(measure_min_s=2.0, measure_max_s=9.0, measure_turns=20, drain_s=5.0)
    found = lab.measure(replace(case, profile=replace(case.profile, window=window)), 6)
    rows = {one.name: one for one in comparing.rephrased(found)}
    assert rows["rephrasing: calls per turn"].outcome == "ok"
    assert rows["rephrasing: figure added TTFT p95"].error is not None
    assert found.trial.figures["unmatched_calls"] == 0
    assert found.trial.summary is not None
    assert not found.trial.summary.stopped_early  # though each first token came later than SLO and one call allow
    turns = results.read_turns(found.folder)
    answered = turns[(turns["phase"] == "measure") & (turns["outcome"] == "ok")]
    assert len(answered) >= 20
    ttft_s, tokens, itl_s = 0.2, 12, 0.02
    calls_s = ttft_s + (tokens - 1) * itl_s + ttft_s  # one whole answer, then a first token: the model is never early
    assert (answered["model_wait_s"] >= calls_s).all()
    assert (answered["added_ttft_s"] >= 0).all()  # and never charged for less than nothing


def test_a_generator_whose_clock_is_20_ms_late_is_found(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_generator(monkeypatch, "selftest_late_clock.py")
    names = failed(comparing.timing(lab.measure(short("rest"), 6), "rest"))
    assert {"rest: TTFT, median error", "rest: lateness, median error"} <= names


def test_a_recorder_that_loses_a_turn_is_found(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_generator(monkeypatch, "selftest_lost_turn.py")
    found = lab.measure(short("rest"), 6)
    assert {"rest: turns", "rest: verdict"} <= failed(comparing.timing(found, "rest"))
    assert "invalid.lost_turns" in {one.code for one in found.trial.verdict.reasons}


@pytest.mark.alone
@pytest.mark.parametrize("fault", cases.faults(), ids=lambda one: one.case.name)
def test_a_spoilt_server_is_caught(lab: Laboratory, monkeypatch: pytest.MonkeyPatch, fault: cases.Fault) -> None:
    # Two readings of a clock differ by more on a machine that tests keep busy.
    monkeypatch.setattr(bench, "RULES", replace(bench.RULES, little_error_ratio=1.0))
    found = comparing.caught(fault, lab.measure(fault.case, course.FAULT_USERS))
    assert found.outcome == "ok", found.text


def test_the_same_server_unspoilt_is_not_caught(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "RULES", replace(bench.RULES, little_error_ratio=1.0))
    deceitful = [fault for fault in cases.faults() if fault.error_kind]  # lateness may come of a busy machine too
    found = lab.measure(replace(deceitful[0].case, behaviour=()), course.FAULT_USERS)
    assert {comparing.caught(fault, found).outcome for fault in deceitful} == {"failed"}


def test_the_memory_of_a_session_is_what_the_server_keeps(lab: Laboratory) -> None:
    rows = comparing.leaked(lab.measure(cases.leak(), 1))
    assert failed(rows) == set(), rows


def apart(monkeypatch: pytest.MonkeyPatch, folder: Path, *sections: object) -> None:
    """Have the command measure these sections alone and keep what it finds in a folder of the test's."""
    monkeypatch.setattr(course, "SECTIONS", sections)
    monkeypatch.setattr(machine, "one_campaign", nullcontext)
    monkeypatch.setattr(command, "FOLDER", folder / "samples")
    monkeypatch.setattr(results_folder, "SELFTEST_FILE", str(folder / "selftest.json"))


@pytest.mark.alone
def test_the_command_ends_with_0_where_all_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One section of the course, the quickest, as it stands."""
    apart(monkeypatch, tmp_path, course.leaks)
    assert main(["selftest"]) == EXIT_DONE
    kept = json.loads((tmp_path / "selftest.json").read_text(encoding="utf-8"))
    assert {one["outcome"] for one in kept["quantities"]} == {"ok"}


def test_the_command_ends_with_3_and_keeps_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def timings(measure: object) -> list[KnownQuantity]:
        assert callable(measure)
        found = measure(short("rest"), 6)
        assert isinstance(found, Measured)
        return comparing.timing(found, "rest")

    right = stats.percentile
    monkeypatch.setattr(stats, "percentile", lambda values, q: right(values, q / 2))
    apart(monkeypatch, tmp_path, timings)
    assert main(["selftest"]) == EXIT_INVALID
    printed = capsys.readouterr()
    assert "known quantities were not found" in printed.err
    assert "rest: figure TTFT p95" in printed.err
    kept = json.loads((tmp_path / "selftest.json").read_text(encoding="utf-8"))
    assert kept["machine"] == machine.fingerprint()
    outcomes = {one["name"]: one["outcome"] for one in kept["quantities"]}
    assert outcomes["rest: figure TTFT p95"] == "failed"
    assert outcomes["rest: turns"] == "ok"
