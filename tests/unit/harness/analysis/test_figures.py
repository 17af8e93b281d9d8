"""Figures of made-up trials whose numbers follow from arithmetic."""

import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from harness.analysis import chat_figures
from harness.analysis.resource_figures import idle_figures
from harness.records import Emission, GeneratorSummary, PhaseTimes, ResourceSample, Slo, StepTimes, Turn, WorkerShare
from harness.results import turn_table

WINDOW = PhaseTimes(start_s=100.0, end_s=120.0)
SUMMARY = GeneratorSummary(
    users=2,
    phases={"measure": WINDOW},
    turns_begun=20,
    turns_ended=20,
    turns_written=20,
    live_turn_seconds=20.0,
    cpu_s=4.0,
    stopped_early=False,
    recorder_errors=0,
    sign_in_failures=0,
    locust_version="0",
)


def turn(number: int, **changes: object) -> Turn:
    """A turn of one second every two seconds for two users, all inside the window."""
    sent_s = 100.0 + (number // 2) * 2.0
    base = Turn(
        user=number % 2,
        conversation=0,
        turn=number,
        tag=f"{number:016x}",
        phase="measure",
        intended_s=sent_s,
        sent_s=sent_s,
        first_s=sent_s + 0.4,
        last_s=sent_s + 1.0,
        done_s=sent_s + 1.0,
        ready_s=sent_s + 1.0,
        chunks=3,
        updates=3,
        wire_bytes=200,
        text_bytes=100,
        outcome="ok",
        arrival_s=(0.4, 0.7, 1.0),
        arrival_tokens=(1, 2, 3),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # fields by name, in tests


def emission(one: Turn) -> Emission:
    return Emission(
        tag=one.tag, request_s=one.sent_s, ttft_s=0.3, itl_s=0.3, tokens=3, emit_s=(0.3, 0.6, 0.9), finished=True
    )


def resources(cpu_per_s: float = 0.5) -> pd.DataFrame:
    samples = []
    for i in range(41):
        t_s = 100.0 + i * 0.5
        for component, share in (("api", 1.0), ("redis", 0.1)):
            samples.append(
                ResourceSample(
                    t_s=t_s,
                    component=component,
                    role="target",
                    cpu_s=cpu_per_s * share * i * 0.5,
                    anon_bytes=1000,
                    shared_bytes=10,
                    process_cpu_s={f"{component}-1": cpu_per_s * share * i * 0.5},
                    host_busy_s=1.5 * i * 0.5,
                    host_idle_s=0.5 * i * 0.5,
                    host_steal_s=0.02 * i * 0.5,
                    foreign_cpu_s=0.04 * i * 0.5,
                )
            )
        samples.append(ResourceSample(t_s=t_s, component="llm", role="model", cpu_s=0.2 * i * 0.5))
    return turn_table.resources_frame(samples)


def chat(turns: list[Turn], summary: GeneratorSummary = SUMMARY) -> dict[str, float | None]:
    frame = turn_table.turns_frame(turns, [emission(t) for t in turns])
    return chat_figures.chat_figures(frame, resources(), summary, Slo())


@pytest.mark.parametrize(("ahead_s", "count"), [(0.0005, 0.0), (0.002, 1.0)])
def test_an_answer_before_the_model_sent_it_is_counted(ahead_s: float, count: float) -> None:
    turns = [turn(n) for n in range(20)]
    log = [emission(one) for one in turns]
    log[3] = replace(log[3], request_s=log[3].request_s + 0.1 + ahead_s)
    found = chat_figures.chat_figures(turn_table.turns_frame(turns, log), resources(), SUMMARY, Slo())
    assert found["early_turns"] == count


def test_figures_follow_from_arithmetic() -> None:
    found = chat([turn(n) for n in range(20)])
    expected = {
        "turns": 20,
        "failure_ratio": 0,
        "ttft_p50_s": 0.4,
        "added_ttft_p95_s": 0.1,
        "lateness_p95_s": 0.1,
        "added_stall_p95_s": 0.0,
        "throughput_per_s": 1.0,
        "goodput_ratio": 1.0,
        "live_turns_mean": 1.0,
        "live_streams_mean": 0.6,
        "little_error_ratio": 0.0,
        "lost_turns": 0,
        "offered_ratio": 1.0,
        "generator_cores": 0.2,
        "target_cores": 0.55,
        "busiest_process_cores": 0.5,
        "model_cores": 0.2,
        "memory_mean_bytes": 2020,
        "wire_bytes_per_text_byte": 2.0,
        "updates_per_answer": 3.0,
        "host_busy_ratio": 0.75,
        "steal_ratio": 0.01,
        "foreign_cpu_ratio": 0.02,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name
    # 0.55 cores × 20 s over the 19 turns that ended inside the window plus the one ending at its edge
    assert found["target_cpu_s_per_turn"] == pytest.approx(11 / 20, rel=0.06)


def test_the_mean_turn_time_counts_long_answers_in_full_and_leaves_unfinished_ones_out() -> None:
    turns = [turn(n, done_s=turn(n).sent_s + (1.0 if n % 4 else 1.8)) for n in range(16)]
    turns.append(turn(16, outcome="incomplete", done_s=None, last_s=None, ready_s=None))
    found = chat(turns)
    assert found["turn_p50_s"] == pytest.approx(1.0)
    assert found["turn_mean_s"] == pytest.approx(1.2)


def test_an_unfinished_turn_makes_a_percentile_it_touches_absent_and_counts_as_failure() -> None:
    turns = [turn(n) for n in range(18)]
    turns += [turn(n, outcome="incomplete", done_s=None, last_s=None, ready_s=None) for n in (18, 19)]
    found = chat(turns)
    assert found["ttft_p50_s"] == pytest.approx(0.4)
    assert found["ttft_p95_s"] is None
    assert found["incomplete"] == 2
    assert found["failure_ratio"] == pytest.approx(0.1)


def test_answers_cut_by_an_early_stop_are_left_out_and_said() -> None:
    turns = [turn(n) for n in range(18)]
    turns += [turn(n, outcome="incomplete", error_kind="unfinished", done_s=None) for n in (18, 19)]
    found = chat(turns, replace(SUMMARY, stopped_early=True))
    assert (found["turns"], found["incomplete"], found["cut_turns"]) == (18, 0, 2)
    assert found["lost_turns"] == 0
    assert chat(turns)["incomplete"] == 2


@pytest.mark.parametrize("part", [{"summary": replace(SUMMARY, stopped_early=True)}, {"climb_s": 20.0}])
def test_a_part_of_a_window_has_no_percentile_rate_or_mean_of_its_turns(part: dict[str, Any]) -> None:
    turns = [turn(n) for n in range(20)]
    frame = turn_table.turns_frame(turns, [emission(t) for t in turns])
    found = chat_figures.chat_figures(frame, resources(), slo=Slo(), **({"summary": SUMMARY} | part))
    lost = set(chat(turns)) - set(found)
    assert {"failure_ratio", "live_turns_mean", "live_streams_mean", "updates_per_answer", "throughput_per_s"} <= lost
    asked_by_validity = ("turns", "schedule_delay_p95_s", "model_lag_p99_s", "offered_ratio", "little_error_ratio")
    assert [found[name] for name in asked_by_validity] == [chat(turns)[name] for name in asked_by_validity]
    of_turns = {name for name in found if re.search(r"_p\d\d_s$|_mean$|_per_s$|^failure", name)}
    assert of_turns == {"schedule_delay_p95_s", "model_lag_p99_s"}


def test_load_that_was_sent_late_is_load_not_offered() -> None:
    turns = [turn(n, intended_s=turn(n).sent_s - 0.1) for n in range(20)]
    assert chat(turns)["offered_ratio"] == pytest.approx(1 - 20 * 0.1 / (2 * 20))


def test_each_of_several_generators_has_its_cores_and_its_delay() -> None:
    shares = tuple(WorkerShare(users=1, turns_begun=10, turns_ended=10, turns_written=10, cpu_s=s) for s in (1.0, 3.0))
    late = [turn(n, intended_s=turn(n).sent_s - (0.25 if n % 2 else 0.0)) for n in range(20)]
    found = chat(late, replace(SUMMARY, workers=shares))
    assert found["generator_cores"] == pytest.approx(0.2)
    assert [found["generator_0_cores"], found["generator_1_cores"]] == pytest.approx([0.05, 0.15])
    assert found["generator_0_schedule_delay_p95_s"] == pytest.approx(0.0)
    assert found["generator_1_schedule_delay_p95_s"] == pytest.approx(0.25)
    assert not [name for name in chat(late) if name.startswith(("generator_0", "generator_1"))]


def test_turns_outside_the_window_do_not_count() -> None:
    found = chat([turn(n) for n in range(20)] + [turn(20, phase="warm_up", first_s=999.0)])
    assert found["turns"] == 20


def test_lost_turns_and_a_wrong_integral_show() -> None:
    found = chat([turn(n) for n in range(19)], replace(SUMMARY, live_turn_seconds=25.0))
    assert found["lost_turns"] == 1
    assert found["little_error_ratio"] == pytest.approx(6 / 25)
    assert found["little_error_s_per_turn"] == pytest.approx(6 / 19)


def test_a_turn_is_under_way_until_its_page_takes_the_next_message() -> None:
    turns = [turn(n, ready_s=turn(n).sent_s + 1.25) for n in range(18)]  # the page is drawn again after the answer
    turns += [turn(n, ready_s=None, outcome="incomplete") for n in (18, 19)]  # cut while it was drawn: sent at 118 s
    turns.append(turn(20, ready_s=None, sent_s=100.0, outcome="failed", done_s=100.5))
    logged_s = 18 * 1.25 + 2 * 2.0 + 0.5
    found = chat(turns, replace(SUMMARY, live_turn_seconds=logged_s))
    assert found["little_error_ratio"] == pytest.approx(0.0)
    assert found["live_turns_mean"] == pytest.approx(logged_s / 20)


def test_a_window_whose_halves_differ_is_seen() -> None:
    turns = [turn(n) for n in range(10)]
    turns += [turn(n, done_s=turn(n).sent_s + 1.8) for n in range(10, 20)]
    found = chat(turns)
    difference = found["turn_half_difference_ratio"]
    assert difference is not None
    assert difference == pytest.approx(0.8 / 1.4)


def test_memory_per_session_is_the_slope_over_the_steps() -> None:
    steps, samples = [], []
    for i, sessions in enumerate((0, 50, 100, 150)):
        steps.append(StepTimes(sessions=sessions, start_s=i * 10.0, end_s=i * 10.0 + 4))
        for k in range(9):
            samples.append(
                ResourceSample(
                    t_s=i * 10.0 + k * 0.5,
                    component="app",
                    role="target",
                    cpu_s=0.0,
                    anon_bytes=100_000_000 + sessions * 2_000_000,
                    shared_bytes=0,
                )
            )
    found = idle_figures(turn_table.resources_frame(samples), steps)
    assert found["memory_bytes_0"] == 100_000_000
    assert found["memory_bytes_150"] == 400_000_000
    assert found["memory_slope_bytes_per_session"] == pytest.approx(2_000_000)
    assert found["memory_slope_low_bytes"] == pytest.approx(2_000_000)


def test_idle_cpu_ends_where_sessions_begin_to_open() -> None:
    samples = [
        ResourceSample(t_s=0.5 * k, component=name, role="target", cpu_s=cores * 0.5 * k + (0.2 if k > 6 else 0.0))
        for k in range(20)
        for name, cores in (("app", 0.006), ("redis", 0.002))
    ]
    quiet = StepTimes(sessions=0, start_s=0.4, end_s=3.4)  # the burst lies between the readings at 3.0 and 3.5 s
    found = idle_figures(turn_table.resources_frame(samples), [quiet])
    assert found["idle_cores"] == pytest.approx(0.008)


def test_idle_cpu_of_fewer_than_two_readings_is_absent() -> None:
    frame = turn_table.resources_frame([ResourceSample(t_s=1.0, component="app", role="target", cpu_s=1.0)])
    assert idle_figures(frame, [StepTimes(sessions=0, start_s=0.0, end_s=3.0)])["idle_cores"] is None
