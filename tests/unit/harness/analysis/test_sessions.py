"""Several sessions as one result, against scipy's own intervals and against simulated campaigns."""

import random
from math import exp, log

import numpy as np
import pytest
from scipy import stats

from harness.analysis.sessions import Reading, Witness, explains, middle, pooled, power, spread
from tests.perf import sessions as simulated

VALUES = (488.0, 541.0, 610.0, 803.0, 866.0)


def readings(*values: float) -> list[Reading]:
    return [Reading(value=value) for value in values]


def test_a_bracket_is_its_geometric_middle_and_an_open_one_a_bound() -> None:
    assert middle(100, 400) == Reading(value=200)
    assert middle(100, None) == Reading(value=100, at_least=True)
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


def soft(least: float, most: float) -> Reading:
    return Reading(value=least, most=most)


def test_a_worked_out_end_gives_two_values_and_no_mean_between_them() -> None:
    assert middle(100, 400, between=[150, 190]) == soft(150, 190)
    found = pooled([soft(100, 120), soft(400, 500), *readings(200)])
    assert found is not None
    assert found.value is None
    assert found.between == pytest.approx((stats.gmean([100, 400, 200]), stats.gmean([120, 500, 200])))


def test_the_interval_goes_from_the_leasts_low_end_to_the_mosts_high_one() -> None:
    least, most = pooled(readings(100, 400, 200)), pooled(readings(120, 500, 200))
    found = pooled([soft(100, 120), soft(400, 500), *readings(200)])
    assert least
    assert most
    assert found
    for name in ("interval", "following"):
        ends = getattr(least, name)[0], getattr(most, name)[1]
        assert getattr(found, name) == pytest.approx(ends)


def test_a_lower_bound_beside_a_worked_out_end_is_one_of_the_least() -> None:
    found = pooled([soft(100, 500), Reading(value=400, at_least=True)])
    assert found is not None
    assert (found.value, found.between, found.interval, found.at_least) == (pytest.approx(200), None, None, True)


def test_one_session_with_a_worked_out_end_lies_between_its_two_values() -> None:
    found = pooled([soft(100, 120)])
    assert found is not None
    assert (found.value, found.between, found.interval) == (None, pytest.approx((100, 120)), None)


def test_an_end_worked_out_at_the_level_that_failed_leaves_one_value() -> None:
    found = pooled([soft(100, 100), *readings(400)])
    assert found is not None
    assert (found.value, found.between) == (pytest.approx(200), None)


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


def test_intervals_over_searched_sessions_hold_the_truth_as_often_as_the_goal_says() -> None:
    found = simulated.outcomes(simulated.pools(count=600), sessions=5)
    low, high = simulated.GOAL
    assert all(low <= simulated.share(held) <= high for held in found.values()), found


def test_intervals_over_worked_out_ends_hold_both_ends_of_what_the_truth_can_be() -> None:
    found = simulated.outcomes(simulated.pools(count=150, contended=1.0), sessions=5, contended=1.0)
    for name in ("capacity", "capacity without the tools", "ratio", "ratio without the tools"):
        assert simulated.share(found[name]) >= simulated.GOAL[0], name


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


def test_the_power_is_that_of_least_squares_with_a_constant_for_each_group() -> None:
    draw = random.Random(5)
    groups = []
    for base in (0.02, 0.05, 0.03):
        speeds = [exp(draw.gauss(0, 0.2)) for _ in range(3)]
        groups.append([(speed, base * speed**-0.6 * exp(draw.gauss(0, 0.02))) for speed in speeds])
    found = power([*groups, [(1.0, 9.0)]])  # a level tried once says nothing
    logs = np.log(np.array(groups))
    apart = (logs - logs.mean(axis=1, keepdims=True)).reshape(-1, 2)
    line = stats.linregress(apart[:, 0], apart[:, 1])
    assert found is not None
    assert (found.value, found.trials) == (pytest.approx(line.slope), 9)
    # linregress counts one constant, not three
    half = stats.t.ppf(0.975, 5) * line.stderr * (7 / 5) ** 0.5
    assert (found.low, found.high) == pytest.approx((line.slope - half, line.slope + half))


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [[(1.0, 0.02)], [(0.9, 0.03)]],  # no repetition
        [[(1.0, 0.02), (0.8, 0.03)]],  # two trials fit any power
        [[(1.0, 0.02), (1.0001, 0.03)], [(0.9, 0.02), (0.9, 0.03)]],  # one speed
    ],
)
def test_trials_that_do_not_differ_in_speed_or_are_too_few_give_no_power(
    groups: list[list[tuple[float, float]]],
) -> None:
    assert power(groups) is None
