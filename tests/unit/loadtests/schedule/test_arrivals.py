"""Arrivals and the pool that meets them, without a clock."""

from dataclasses import replace
from itertools import pairwise
from statistics import mean

import pytest

from harness.records import AnswerPlan, Distribution, LoadPlan
from loadtests.schedule.arrivals import MOST_LET_IN, Pool
from loadtests.schedule.phases import Timeline

PLAN = LoadPlan(
    scenario="chat",
    protocol="rest",
    instances=("http://127.0.0.1:1",),
    users=50,
    seed=1,
    turns_per_conversation=1,
    message_chars=70,
    think_s=Distribution(median=1.0),
    answer=AnswerPlan(ttft_s=Distribution(median=0.3), itl_s=0.02, tokens=Distribution(median=40)),
    ramp_up_s=10.0,
    warm_up_s=5.0,
    measure_min_s=1000.0,
    measure_max_s=1000.0,
    measure_turns=100,
    drain_s=8.0,
    arrivals_per_s=2.0,
    output="",
    stop_file="",
)
BEGIN_S = 100.0  # then ramp-up until 110, warm-up until 115
RESERVE = 5  # one, and two seconds of arrivals


def pool(**changes: object) -> Pool:
    plan = replace(PLAN, **changes)  # type: ignore[arg-type]
    return Pool(plan, Timeline(plan, BEGIN_S))


def let_in_all(one: Pool, now_s: float) -> int:
    total = 0
    while count := one.wanted(now_s):
        assert count <= MOST_LET_IN
        total += count
    return total


def test_arrivals_are_a_poisson_process_of_the_stated_rate_from_the_ramp_up_on() -> None:
    one = pool()
    times = [one.take(0, 0.0)[1] for _ in range(4000)]
    gaps = [b - a for a, b in pairwise(times)]
    assert times[0] > 110.0
    assert mean(gaps) == pytest.approx(0.5, rel=0.05)  # standard error 1/√4000 = 1.6 %
    assert sum(gap > 0.5 for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.03)  # e⁻¹ of an exponential


def test_arrivals_are_numbered_and_the_same_whoever_takes_them() -> None:
    a, b = pool(), pool()
    assert [a.take(n, 0.0) for n in range(5)] == [b.take(7, 0.0) for _ in range(5)]


def test_a_reserve_stands_ready_before_the_first_arrival() -> None:
    one = pool()
    assert let_in_all(one, 101.0) == RESERVE
    for user in range(RESERVE):
        one.take(user, 102.0)
    assert one.wanted(102.0) == 0


def test_another_user_is_let_in_for_each_that_begins_to_wait_for_an_answer() -> None:
    one = pool()
    let_in_all(one, 101.0)
    due = [one.take(user, 102.0)[1] for user in range(RESERVE)]
    assert let_in_all(one, due[1]) == 2


def test_arrivals_that_nobody_took_bring_more_users() -> None:
    one = pool()
    let_in_all(one, 101.0)  # all of whose pages hang
    more = let_in_all(one, 121.0)
    assert 10 <= more <= 40  # 22 arrivals on average in 11 seconds


def test_the_pool_has_a_bound_and_arrivals_beyond_it_are_counted_when_measured() -> None:
    one = pool(users=2)
    assert let_in_all(one, 101.0) == 2
    _, warm = one.take(0, 112.0)  # late in the warm-up: nothing to count
    assert warm < 115
    assert one.account().without_user == 0
    while one.take(1, 200.0)[1] < 115:
        pass
    assert one.account().without_user == 1
    assert one.account().without_page == 0


def test_waiting_for_a_page_is_counted_apart() -> None:
    one = pool()
    let_in_all(one, 101.0)
    while one.take(1, 200.0)[1] < 115:
        pass
    assert (one.account().without_page, one.account().without_user) == (1, 0)


def test_arrivals_that_are_due_and_untaken_are_outstanding_and_given_away_at_the_end() -> None:
    one = pool()
    first = one.take(0, 0.0)
    due = one.outstanding(130.0)
    left = one.left(130.0)
    assert [number for number, _ in left] == list(range(1, len(left) + 1))
    assert all(first[1] < at_s <= 130.0 for _, at_s in left)
    assert sum(at_s >= 115.0 for _, at_s in left) == due > 10
    assert one.outstanding(130.0) == 0
    assert one.take(0, 130.0)[1] > 130.0
