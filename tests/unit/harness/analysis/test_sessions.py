"""Several sessions as one result, against scipy's own intervals and against simulated campaigns."""

import random
from math import exp, log

import numpy as np
import pytest
from scipy import stats

from harness.analysis.sessions import Reading, Witness, explains, middle, pooled, spread
from tests.perf import sessions as simulated

VALUES = (488.0, 541.0, 610.0, 803.0, 866.0)


def readings(*values: float) -> list[Reading]:
    return [Reading(value=value) for value in values]


def test_a_bracket_is_its_geometric_middle_and_an_open_one_a_bound() -> None:
    assert middle(100, 400) == Reading(value=200)
    assert middle(100, None) == Reading(value=100, at_least=True)
    assert middle(100, 400, worked_out=True) == Reading(value=200, worked_out=True)
    assert middle(0, 1) is None
    assert middle(None, 90) is None


def test_the_middle_of_a_ratios_bracket_is_the_ratio_of_the_middles() -> None:
    a, b, ratio = middle(541, 684), middle(175, 221), middle(541 / 221, 684 / 175)
    assert a
    assert b
    assert ratio
    assert ratio.value == pytest.approx(a.value / b.value)


def test_value_and_interval_are_students_t_on_logarithms() -> None:
    found = pooled(readings(*VALUES))
    logs = np.log(VALUES)
    low, high = stats.t.interval(0.95, len(logs) - 1, loc=logs.mean(), scale=stats.sem(logs))
    assert found
    assert found.interval
    assert found.following
    assert found.value == pytest.approx(stats.gmean(VALUES))
    assert found.interval == pytest.approx((exp(low), exp(high)))
    ahead = logs.std(ddof=1) * (1 + 1 / 5) ** 0.5
    assert found.following == pytest.approx(np.exp(stats.t.interval(0.95, 4, loc=logs.mean(), scale=ahead)))


def test_the_next_session_may_lie_outside_of_the_interval() -> None:
    found = pooled(readings(*VALUES))
    assert found
    assert found.interval
    assert found.following
    assert found.following[0] < found.interval[0] < found.value < found.interval[1] < found.following[1]


def test_a_lower_bound_among_the_sessions_makes_the_result_one() -> None:
    found = pooled([*readings(100, 400), Reading(value=200, at_least=True)])
    assert found is not None
    assert (found.value, found.interval, found.following) == (pytest.approx(200), None, None)
    assert found.at_least


def test_one_session_has_no_interval_and_no_positive_value_is_not_pooled() -> None:
    single = pooled(readings(300))
    assert single is not None
    assert (single.value, single.interval, single.sessions) == (pytest.approx(300), None, 1)
    assert pooled([]) is None
    assert pooled(readings(1, 0)) is None


def test_intervals_of_simulated_sessions_hold_the_truth_at_their_stated_rate() -> None:
    draw, hits, ahead, count = random.Random(3), 0, 0, 4000
    apart = (0.12**2 + 0.20**2) ** 0.5
    for _ in range(count):
        *values, following = (500 * exp(draw.gauss(0, apart)) for _ in range(6))
        found = pooled(readings(*values))
        assert found
        assert found.interval
        assert found.following
        hits += found.interval[0] <= 500 <= found.interval[1]
        ahead += found.following[0] <= following <= found.following[1]
    assert 0.94 <= hits / count <= 0.96
    assert 0.94 <= ahead / count <= 0.96


def test_intervals_over_searched_sessions_hold_the_truth_in_more_than_nine_of_ten_pools() -> None:
    """Two hundred pools tell no finer; ``make perf`` judges the goal on more of them."""
    found = simulated.outcomes(simulated.pools(count=200, seed=7), sessions=5)
    assert all(simulated.share(held) > 0.9 for held in found.values()), found


def test_intervals_over_worked_out_ends_hold_neither_end_of_the_truth_as_often() -> None:
    found = simulated.outcomes(simulated.pools(count=100, contended=1.0, seed=7), sessions=5, contended=1.0)
    assert simulated.share(found["ratio"]) < 0.9
    assert simulated.share(found["ratio without the tools"]) < 0.9


def test_spread_is_the_standard_deviation_of_logarithms() -> None:
    assert spread(VALUES) == pytest.approx(np.log(VALUES).std(ddof=1))
    assert spread([5.0]) is None


def witness(users: list[float], factors: list[float], target: str = "a") -> Witness:
    return Witness(name="work", target=target, raw=tuple(users), factors=tuple(factors))


SPEEDS = [0.8, 0.9, 1.0, 1.1, 1.25]


def test_a_witness_that_halves_the_spread_explains_it() -> None:
    users = [500 * speed for speed in SPEEDS]
    one = witness(users, [1 / speed for speed in SPEEDS])
    assert one.spreads == (pytest.approx(np.log(SPEEDS).std(ddof=1)), pytest.approx(0, abs=1e-12))
    assert explains([one]) == {"work": True}


def test_a_witness_that_leaves_more_than_half_does_not() -> None:
    users = [500 * exp(0.8 * log(speed)) for speed in reversed(SPEEDS)]
    assert explains([witness(users, [1 / speed for speed in SPEEDS])]) == {"work": False}


def test_it_has_to_help_every_target() -> None:
    factors = [1 / speed for speed in SPEEDS]
    good, bad = witness([500 * s for s in SPEEDS], factors), witness([90.0, 60, 80, 70, 75], factors, "b")
    assert explains([good, bad]) == {"work": False}


def test_fewer_than_five_sessions_settle_nothing() -> None:
    users = [500 * speed for speed in SPEEDS[:4]]
    assert explains([witness(users, [1 / speed for speed in SPEEDS[:4]])]) == {"work": None}
