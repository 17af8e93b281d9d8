"""Phases and the live-turn integral, without a clock."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import AnswerPlan, Distribution, LoadPlan
from loadtests.schedule.phases import Timeline, live_turn_seconds


def plan(**changes: float) -> LoadPlan:
    load = LoadPlan(
        scenario="chat",
        protocol="rest",
        instances=("http://127.0.0.1:1",),
        users=1,
        seed=1,
        turns_per_conversation=1,
        message_chars=70,
        think_s=Distribution(median=1.0),
        answer=AnswerPlan(ttft_s=Distribution(median=0.3), itl_s=0.02, tokens=Distribution(median=40)),
        ramp_up_s=10.0,
        warm_up_s=5.0,
        measure_min_s=20.0,
        measure_max_s=40.0,
        measure_turns=100,
        drain_s=8.0,
        output="",
        stop_file="",
    )
    return replace(load, **changes)  # type: ignore[arg-type]  # numbers only


def timeline(**changes: float) -> Timeline:
    return Timeline(plan(**changes), 100.0)


def test_a_turn_belongs_to_the_phase_of_its_intended_send() -> None:
    phases = timeline()
    phases.advance(140.0, ended=100, outstanding=3)
    expected = [("ramp_up", 100), ("ramp_up", 109.9), ("warm_up", 110), ("warm_up", 114.9), ("measure", 115)]
    expected += [("measure", 139.9), ("drain", 140)]
    assert [(phases.phase_of(at_s), at_s) for _, at_s in expected] == expected


@pytest.mark.parametrize(
    ("now_s", "ended", "end_s"),
    [
        (134.9, 100, None),  # enough turns, too short
        (135.0, 99, None),  # long enough, too few turns
        (135.0, 100, 135.0),
        (150.0, 100, 150.0),
        (155.0, 0, 155.0),
        (155.3, 0, 155.0),  # noticed late: the bound holds
    ],
)
def test_measure_ends_with_enough_turns_and_time_or_at_its_bound(now_s: float, ended: int, end_s: float | None) -> None:
    phases = timeline()
    assert not phases.advance(now_s, ended=ended, outstanding=5)
    assert phases.measure_end_s == end_s


def test_the_drain_ends_with_the_last_measured_turn() -> None:
    phases = timeline()
    assert not phases.advance(140.0, ended=100, outstanding=2)
    assert not phases.advance(141.0, ended=101, outstanding=1)
    assert phases.advance(142.0, ended=102, outstanding=0)
    assert (phases.times()["drain"].start_s, phases.times()["drain"].end_s) == (140.0, 142.0)


def test_the_drain_ends_at_its_bound() -> None:
    phases = timeline()
    phases.advance(140.0, ended=100, outstanding=2)
    assert not phases.advance(147.9, ended=100, outstanding=2)
    assert phases.advance(148.0, ended=100, outstanding=2)


def test_stop_ends_everything_at_once() -> None:
    phases = timeline()
    assert phases.advance(120.0, ended=1, outstanding=4, stop=True)
    times = phases.times()
    assert (times["measure"].start_s, times["measure"].end_s) == (115.0, 120.0)
    assert times["drain"].start_s == times["drain"].end_s == 120.0


def test_a_stop_while_ramping_up_leaves_the_later_phases_out() -> None:
    phases = timeline()
    assert phases.advance(105.0, ended=0, outstanding=0, stop=True)
    assert set(phases.times()) == {"ramp_up"}
    assert phases.times()["ramp_up"].end_s == 105.0


def settle(phases: Timeline, live: Callable[[float], float], until_s: float = 200.0) -> float | None:
    """Return the time at which *measure* began."""
    now_s = 100.0
    while now_s < until_s and phases.measure_start_s is None and phases.end_s is None:
        phases.advance(now_s, ended=0, outstanding=0, live=round(live(now_s)))
        now_s += 0.05
    return phases.measure_start_s


def test_measure_begins_once_the_turns_under_way_are_flat() -> None:
    phases = timeline(settle_s=20.0)
    assert phases.phase_of(118.0) == "warm_up"
    start_s = settle(phases, lambda now_s: 200 if now_s > 114 else 400)
    assert start_s == pytest.approx(118.5, abs=0.1)  # half a second of the queue left among 5 s weighs little enough
    assert phases.phase_of(112.0) == "warm_up"
    assert phases.phase_of(119.0) == "measure"
    assert phases.unsettled is None


def test_a_flat_load_is_measured_right_after_the_warm_up() -> None:
    assert settle(timeline(settle_s=20.0), lambda _: 200) == pytest.approx(115.0, abs=0.1)


def test_a_load_that_never_settles_ends_the_trial_within_its_bound() -> None:
    phases = timeline(settle_s=20.0)
    assert settle(phases, lambda now_s: 100 * 1.1 ** (now_s - 100)) is None
    assert phases.end_s == pytest.approx(135.0, abs=0.1)
    assert phases.unsettled is not None
    assert phases.unsettled.after_s == pytest.approx(25.0, abs=0.1)
    assert phases.unsettled.later_live > phases.unsettled.earlier_live
    assert set(phases.times()) == {"ramp_up", "warm_up"}


def test_a_stop_while_settling_leaves_measure_out() -> None:
    phases = timeline(settle_s=20.0)
    phases.advance(120.0, ended=0, outstanding=0, live=5)
    assert phases.advance(121.0, ended=0, outstanding=0, live=5, stop=True)
    assert set(phases.times()) == {"ramp_up", "warm_up"}
    assert phases.times()["warm_up"].end_s == 121.0


def test_the_integral_counts_each_turn_inside_the_window() -> None:
    changes = [(0.0, 1), (12.0, -1), (11.0, 1), (13.0, -1), (15.0, 1), (30.0, -1), (40.0, 1)]
    assert live_turn_seconds(changes, 10.0, 20.0) == pytest.approx(2.0 + 2.0 + 5.0)


turns = st.lists(
    st.tuples(st.floats(0, 100, allow_nan=False), st.one_of(st.none(), st.floats(0, 50, allow_nan=False))), max_size=30
)


@given(turns)
def test_the_integral_is_the_sum_of_the_overlaps(turns: list[tuple[float, float | None]]) -> None:
    changes = []
    expected = 0.0
    for start_s, length_s in turns:
        end_s = 1000.0 if length_s is None else start_s + length_s
        changes.append((start_s, 1))
        if length_s is not None:
            changes.append((end_s, -1))
        expected += max(0.0, min(end_s, 70.0) - max(start_s, 30.0))
    assert live_turn_seconds(changes, 30.0, 70.0) == pytest.approx(expected, abs=1e-9)
