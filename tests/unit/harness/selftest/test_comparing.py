"""The self-test can fail: a right harness passes, one with a wrong clock, percentile or count does not."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from harness.analysis import chat_figures, stats
from harness.analysis.capacity import Capacity
from harness.records import (
    Emission,
    GeneratorSummary,
    KnownQuantity,
    PhaseTimes,
    Reason,
    ResourceSample,
    SelfTest,
    Slo,
    TrialKey,
    Turn,
    Verdict,
)
from harness.selftest import cases, comparing, course
from harness.selftest.bench import Answered, Measured
from tests.doubles import trials

KEY = TrialKey(target="timing rest", scenario="chat", level=20, repetition=0, number=1)
TRANSIT_S = 0.0003
PASS = Verdict(outcome="pass")


def answered(number: int) -> Answered:
    """Five tokens, the more delayed and the longer paused the higher the number."""
    request_s = 100.0 + number * 0.1
    hold_s, pause_s = number * 0.002, number * 0.003
    written = (0.2, 0.22, 0.24, 0.26 + pause_s, 0.28 + pause_s)
    times = tuple(request_s + hold_s + one for one in written)
    return Answered(
        tag=f"{number:016x}", request_s=request_s, written_s=times, done_s=times[-1] + 0.001, cpu_s=number * 0.00525
    )


def emission(one: Answered) -> Emission:
    return Emission(
        tag=one.tag,
        request_s=one.request_s,
        ttft_s=0.2,
        itl_s=0.02,
        tokens=5,
        emit_s=(0.2, 0.22, 0.24, 0.26, 0.28),
        finished=True,
    )


def recorded(one: Answered, late_s: float = TRANSIT_S) -> Turn:
    """The turn as a client saw it whose clock reads ``late_s`` too much."""
    sent_s = one.request_s
    return Turn(
        user=0,
        conversation=0,
        turn=0,
        tag=one.tag,
        phase="measure",
        intended_s=sent_s,
        sent_s=sent_s,
        first_s=one.written_s[0] + late_s,
        last_s=one.written_s[-1] + late_s,
        done_s=one.done_s + late_s,
        ready_s=one.done_s + late_s,
        chunks=5,
        updates=5,
        wire_bytes=100,
        text_bytes=33,
        outcome="ok",
        arrival_s=tuple(at_s - sent_s + late_s for at_s in one.written_s),
        arrival_tokens=(1, 2, 3, 4, 5),
    )


def measured(folder: Path, turns: Sequence[Turn], truth: Sequence[Answered], verdict: Verdict = PASS) -> Measured:
    """A trial as the harness works it out from these turns."""
    window = PhaseTimes(start_s=100.0, end_s=110.0)
    summary = GeneratorSummary(
        users=20,
        phases={"measure": window, "drain": PhaseTimes(start_s=110.0, end_s=112.0)},
        turns_begun=len(truth),
        turns_ended=len(truth),
        turns_written=len(truth),
        live_turn_seconds=40.0,
        cpu_s=1.0,
        stopped_early=False,
        recorder_errors=0,
        sign_in_failures=0,
        locust_version="0",
    )
    samples = [
        ResourceSample(t_s=100.0 + n, component="relay", role="target", cpu_s=0.05 * n, anon_bytes=1) for n in range(12)
    ]
    results.write_samples(folder, list(turns), [emission(one) for one in truth], samples)
    found = chat_figures.chat_figures(results.read_turns(folder), results.read_resources(folder), summary, Slo())
    trial = replace(trials.trial(KEY, verdict, found), summary=summary)
    return Measured(trial=trial, folder=folder, truth={one.tag: one for one in truth})


TRUTH = [answered(number) for number in range(100)]


def failed(rows: Sequence[KnownQuantity]) -> set[str]:
    return {one.name.removeprefix("rest: ") for one in rows if one.outcome == "failed"}


def test_a_right_harness_passes_with_its_transit_as_error(tmp_path: Path) -> None:
    rows = comparing.timing(measured(tmp_path, [recorded(one) for one in TRUTH], TRUTH), "rest")
    assert failed(rows) == set()
    by_name = {one.name: one for one in rows}
    assert by_name["rest: TTFT, median error"].error == pytest.approx(TRANSIT_S)
    assert by_name["rest: lateness, p99 of its error"].error == pytest.approx(TRANSIT_S)
    assert by_name["rest: stall, median error"].error == pytest.approx(0, abs=1e-9)
    assert by_name["rest: turns"].measured == 100
    assert by_name["rest: CPU of the server"].true == pytest.approx(0.05, rel=0.02)
    assert len(rows) == 19


def test_a_clock_that_is_20_ms_late_is_found(tmp_path: Path) -> None:
    rows = comparing.timing(measured(tmp_path, [recorded(one, 0.0203) for one in TRUTH], TRUTH), "rest")
    assert {"TTFT, median error", "lateness, median error", "turn time, median error"} <= failed(rows)
    assert {"figure TTFT p50", "figure TTFT p95", "figure lateness p95"} <= failed(rows)
    assert not {one for one in failed(rows) if one.startswith(("stall", "ITL"))}  # a constant shift is in no gap


def test_a_wrong_percentile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = stats.percentile
    monkeypatch.setattr(stats, "percentile", lambda values, q: right(values, q - 4))
    rows = comparing.timing(measured(tmp_path, [recorded(one) for one in TRUTH], TRUTH), "rest")
    assert {"figure TTFT p95", "figure lateness p95", "figure added stall p95"} <= failed(rows)
    assert not {one for one in failed(rows) if one.endswith("error")}


def test_a_dropped_turn_and_an_invented_one_are_found(tmp_path: Path) -> None:
    turns = [recorded(one) for one in TRUTH]
    assert failed(comparing.timing(measured(tmp_path, turns[1:], TRUTH), "rest")) == {"turns"}
    invented = replace(turns[5], tag="f" * 16)
    assert "turns" in failed(comparing.timing(measured(tmp_path, [*turns, invented], TRUTH), "rest"))


def test_cpu_time_that_is_counted_twice_is_found(tmp_path: Path) -> None:
    truth = [replace(one, cpu_s=one.cpu_s / 2) for one in TRUTH]
    rows = comparing.timing(measured(tmp_path, [recorded(one) for one in TRUTH], truth), "rest")
    assert failed(rows) == {"CPU of the server"}


def test_a_trial_without_turns_has_found_nothing(tmp_path: Path) -> None:
    rows = comparing.timing(measured(tmp_path, [], []), "rest")
    assert {one.outcome for one in rows if one.unit == "s"} == {"failed"}


def test_an_invalid_trial_of_a_good_server_fails_with_its_reason(tmp_path: Path) -> None:
    verdict = Verdict(outcome="invalid", reasons=(Reason(code="invalid.little", text="the law is broken"),))
    found = comparing.valid(measured(tmp_path, [recorded(one) for one in TRUTH], TRUTH, verdict), "verdict")
    assert (found.outcome, found.text) == ("failed", "the law is broken")


def rephrasing(folder: Path, second: Sequence[Emission]) -> Measured:
    """A trial of the server that asks twice; the relay waited 0.3 s for the first call and 0.2 s for the answer."""
    truth = [replace(one, model_s=0.5, written_s=tuple(at_s + 0.3 for at_s in one.written_s)) for one in TRUTH]
    truth = [replace(one, done_s=one.written_s[-1]) for one in truth]
    found = measured(folder, [replace(recorded(one), word="blue") for one in truth], truth)
    turns, summary = [replace(recorded(one), word="blue") for one in truth], found.trial.summary
    assert summary is not None
    results.write_samples(folder, turns, second, [ResourceSample(t_s=100.0, component="x", role="target", cpu_s=0.0)])
    figures = chat_figures.chat_figures(results.read_turns(folder), results.read_resources(folder), summary, Slo())
    return replace(found, trial=replace(found.trial, figures=figures))


def test_a_call_that_is_not_taken_off_is_found(tmp_path: Path) -> None:
    first = [replace(emission(one), emit_s=(0.3,) * 5, end_s=0.3, word="bird") for one in TRUTH]
    answers = [replace(emission(one), request_s=one.request_s + 0.3, word="blue") for one in TRUTH]
    rows = comparing.rephrased(rephrasing(tmp_path, [*first, *answers]))
    assert failed(rows) == set(), rows
    rows = comparing.rephrased(rephrasing(tmp_path, answers))
    assert failed(rows) == {"rephrasing: figure added TTFT p95", "rephrasing: calls per turn"}


def test_a_knee_is_found_within_a_tenth_or_one_user() -> None:
    known = cases.knees()[1]
    for low, high, outcome in [(21, 23, "ok"), (19, 21, "ok"), (24, 27, "failed"), (17, 19, "failed")]:
        found = Capacity(low=low, high=high, at_least=False, status="bracketed")
        assert comparing.knee(known, found, 6).outcome == outcome, (low, high)
    nothing = Capacity(low=10, high=None, at_least=False, status="inconclusive")
    assert comparing.knee(known, nothing, 6).outcome == "failed"


def test_the_knees_are_of_different_sizes_and_all_above_the_level_the_search_starts_at() -> None:
    users = [one.users for one in cases.knees()]
    assert users == [12, 22, 42]
    assert course.SEARCH.start not in users


def test_a_spoilt_server_counts_as_caught_only_for_the_right_reason(tmp_path: Path) -> None:
    cut = next(one for one in cases.faults() if one.code == "slo.failure_ratio")
    turns = [replace(recorded(one), outcome="failed", error_kind="truncated") for one in TRUTH]
    right = Verdict(outcome="fail", reasons=(Reason(code="slo.failure_ratio", text="100 % failed"),))
    assert comparing.caught(cut, measured(tmp_path, turns, TRUTH, right)).outcome == "ok"
    late = Verdict(outcome="fail", reasons=(Reason(code="slo.lateness_p95_s", text="too late"),))
    assert comparing.caught(cut, measured(tmp_path, turns, TRUTH, late)).outcome == "failed"
    assert comparing.caught(cut, measured(tmp_path, turns, TRUTH)).outcome == "failed"
    other = [replace(one, error_kind="connection") for one in turns]
    assert comparing.caught(cut, measured(tmp_path, other, TRUTH, right)).outcome == "failed"


@pytest.mark.parametrize(
    ("slope", "low", "high", "outcome"),
    [
        (1.04, 1.03, 1.05, "ok"),
        (1.2, 0.9, 1.5, "failed"),
        (1.0, None, None, "failed"),
        (None, None, None, "failed"),
    ],
)
def test_the_slope_of_memory_is_judged_and_its_interval_shown(
    tmp_path: Path, slope: float | None, low: float | None, high: float | None, outcome: str
) -> None:
    names = ("memory_slope_bytes_per_session", "memory_slope_low_bytes", "memory_slope_high_bytes")
    found = {name: value and value * cases.LEAK_BYTES for name, value in zip(names, (slope, low, high), strict=True)}
    trial = trials.trial(KEY, PASS, found)
    (found_out,) = comparing.leaked(Measured(trial=trial, folder=tmp_path, truth={}))
    assert found_out.outcome == outcome
    assert ("95 % interval" in found_out.text) == (low is not None)


def test_the_tail_behind_a_stall_is_held_against_arithmetic(tmp_path: Path) -> None:
    _, closed, opened = cases.stall()
    truth = [answered(0)] * 3
    found = measured(tmp_path, [recorded(one) for one in truth], truth)
    for known, workload in ((closed, "closed"), (opened, "open")):
        rows = comparing.stalled(found, known, workload)
        assert [one.outcome for one in rows] == ["ok", "failed", "failed"]
        assert {workload in one.name for one in rows} == {True}
    assert 0.3 < closed[95] < closed[99] < cases.STALL_S
    assert (opened[95], opened[99]) == (pytest.approx(0.35), pytest.approx(0.47))


def quantity(outcome: str, name: str = "rest: TTFT, p99 of its error") -> KnownQuantity:
    return KnownQuantity(
        name=name, unit="s", true=0.3, measured=0.301, error=0.001, allowed=0.02, outcome=outcome, text="93 turns"
    )


def selftest(*quantities: KnownQuantity) -> SelfTest:
    return SelfTest(
        created_at="2026-01-02T03:04:05+00:00",
        tool_version="0",
        machine={"cpu_model": "x"},
        duration_s=150.0,
        foreign_cpu_ratio=0.01,
        quantities=quantities,
    )


def test_it_passes_only_where_something_was_found_and_nothing_was_not() -> None:
    assert selftest(quantity("ok"), quantity("not measured")).passed
    assert not selftest(quantity("ok"), quantity("failed")).passed
    assert not selftest(quantity("not measured")).passed
    assert not selftest().passed


def test_the_last_one_of_this_machine_is_kept_and_another_machines_is_not_taken(tmp_path: Path) -> None:
    assert results.read_selftest(tmp_path, {"cpu_model": "x"}) is None
    kept = selftest(quantity("ok"))
    results.write_selftest(tmp_path, kept)
    assert results.read_selftest(tmp_path, {"cpu_model": "x"}) == kept
    assert results.read_selftest(tmp_path, {"cpu_model": "y"}) is None


@pytest.mark.parametrize("written", ['{"format_version": 1, "unheard_of": 1}', '{"unheard_of": 1}', "{"])
def test_one_of_another_format_or_version_counts_as_none(tmp_path: Path, written: str) -> None:
    path = results.write_selftest(tmp_path, selftest(quantity("ok")))
    path.write_text(written)
    assert results.read_selftest(tmp_path, {"cpu_model": "x"}) is None
