"""Rounds, crossings and intervals: against arithmetic, and against campaigns whose true ratio is known to be 1."""

import random
from collections.abc import Callable
from math import exp, log, sqrt

import pytest

from harness.analysis.estimate import (
    Crossing,
    Tried,
    crossing,
    estimate,
    first_of_round,
    over_rounds,
    predicted,
    ratio,
    slo_use,
    walk,
)
from harness.records import Verdict

PASS, FAIL, INVALID = (Verdict(outcome=o) for o in ("pass", "fail", "invalid"))
CONTENDED = Verdict(outcome="fail", contended=True)
STEP = 1.1
#: use of the SLO at so many times the capacity: a cliff, and a slope
SHARP, SOFT = (lambda x: 0.2 if x <= 1 else 20.0), (lambda x: x**6)
Use = Callable[[float], float]


def walked(start: int, use: Callable[[int], float], step: float = STEP, highest: int = 5000):
    walking, levels = walk(start, step, 1, highest), []
    try:
        level = next(walking)
        while True:
            levels.append(level)
            seen = use(level)
            level = walking.send((PASS if seen <= 1 else FAIL, seen))
    except StopIteration as end:
        return end.value, levels


def campaign(draw: random.Random, capacity: float, noise: float, shape: Use, rounds: int, *, dithered: bool = True):
    """Simulate one target's rounds: every trial has a capacity of its own, log-normal around the true one."""

    def use(level: int) -> float:
        return shape(level / (capacity * exp(draw.gauss(0, noise))))

    edge = capacity * exp(draw.gauss(0, noise / sqrt(2))) * STEP ** draw.uniform(-0.5, 0.5)
    found: dict[int, Crossing] = {}
    for number in range(rounds):
        start = first_of_round(edge, STEP, 1, 5000, f"{draw.random()}") if dithered else round(edge)
        crossed, _ = walked(start, use)
        if crossed:
            found[number] = crossed
    return found


def coverage(capacity: float, noise: float, shape: Use, *, dithered: bool = True, campaigns: int = 1000) -> float:
    """Return in how many A/A campaigns of five rounds the 95 % interval of the ratio holds 1."""
    draw = random.Random(f"{capacity}:{noise}")
    held = 0
    for _ in range(campaigns):
        a, b = (campaign(draw, capacity, noise, shape, 5, dithered=dithered) for _ in range(2))
        found = ratio(a, b)
        assert found is not None
        held += found.low <= 1 <= found.high
    return held / campaigns


@pytest.mark.parametrize(
    ("capacity", "noise", "shape"), [(150, 0.02, SHARP), (150, 0.05, SOFT), (400, 0.1, SHARP), (1500, 0.1, SOFT)]
)
def test_interval_of_the_ratio_covers_one_in_95_percent_of_a_a_campaigns(
    capacity: float, noise: float, shape: Use
) -> None:
    assert 0.935 <= coverage(capacity, noise, shape) <= 0.965


@pytest.mark.parametrize("capacity", [40, 150, 400, 1500])
@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_intervals_cover_the_true_capacity_and_the_ratio_of_unlike_shapes(capacity: float, noise: float) -> None:
    draw = random.Random(f"true:{capacity}:{noise}")
    held = {"cliff": 0, "slope": 0, "cliff over slope": 0}
    for _ in range(1000):
        cliff, slope = (campaign(draw, capacity, noise, shape, 5) for shape in (SHARP, SOFT))
        found = {
            "cliff": (estimate(list(cliff.values())), capacity),
            "slope": (estimate(list(slope.values())), capacity),
            "cliff over slope": (ratio(cliff, slope), 1.0),
        }
        for name, (one, true) in found.items():
            assert one is not None
            held[name] += one.low <= true <= one.high
    assert all(0.93 <= count / 1000 <= 0.98 for count in held.values()), held


def test_clipping_only_far_off_would_pull_a_cliff_to_one_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.analysis.estimate.LEAST_USE", 1e-3)
    monkeypatch.setattr("harness.analysis.estimate.MOST_USE", 1e3)
    draw, held = random.Random(7), 0
    for _ in range(300):
        found = estimate(list(campaign(draw, 150, 0.02, lambda x: 0.6 if x <= 1 else 20.0, 5).values()))
        assert found is not None
        held += found.low <= 150 <= found.high
    assert held / 300 < 0.7


@pytest.mark.parametrize(("pass_use", "fail_use"), [(0.0, 1.3), (0.2, 20.0), (0.79, float("inf"))])
def test_a_cliff_however_deep_crosses_in_the_middle_of_its_step(pass_use: float, fail_use: float) -> None:
    low, high = Tried(level=100, use=pass_use, verdict=PASS), Tried(level=121, use=fail_use, verdict=FAIL)
    found = crossing([low, high])
    assert found is not None
    assert found.users == pytest.approx(110)


def test_repeating_the_same_two_ends_would_cover_one_far_too_seldom() -> None:
    assert coverage(150, 0.02, SHARP, dithered=False, campaigns=300) < 0.85


def test_a_round_costs_little_more_than_two_trials() -> None:
    draw, trials = random.Random(5), []
    for n in range(500):
        _, levels = walked(
            first_of_round(150, STEP, 1, 5000, f"{n}"), lambda level: SHARP(level / (150 * exp(draw.gauss(0, 0.05))))
        )
        trials.append(len(levels))
    assert 2 <= sum(trials) / len(trials) <= 2.5


@pytest.mark.parametrize("edge", [1, 2, 7, 60, 999, 4500])
@pytest.mark.parametrize("beside", [0.5, 0.92, 1.0, 1.08, 2.0])
def test_a_round_crosses_within_a_step_of_the_edge(edge: int, beside: float) -> None:
    start = max(1, round(edge * beside))
    found, levels = walked(start, lambda level: 0.5 if level <= edge else 2.0, step=1.25, highest=20_000)
    if found is None:  # the range ends at 1, or the start was too far off
        assert levels[-1] == 1 or len(levels) == 8
        return
    assert edge / 1.25 <= found.users <= (edge + 1) * 1.25


def test_the_crossing_lies_where_the_use_of_the_slo_is_one() -> None:
    # use = (level / 150)^6 is linear in logarithms: the interpolation is exact
    low, high = (Tried(level=n, use=(n / 150) ** 6, verdict=v) for n, v in ((146, PASS), (154, FAIL)))
    found = crossing([low, high])
    assert found is not None
    assert found.users == pytest.approx(150)
    assert crossing([high, low]) == found
    assert crossing([low]) is None
    assert crossing([low, low]) is None


def test_unbounded_use_lies_far_above_the_edge_but_inside_the_step() -> None:
    low = Tried(level=100, use=0.0, verdict=PASS)
    found = crossing([low, Tried(level=110, use=float("inf"), verdict=CONTENDED)])
    assert found is not None
    assert found.users == pytest.approx(sqrt(100 * 110))
    assert found.most is None
    known = crossing([low, Tried(level=110, use=float("inf"), verdict=CONTENDED, cores=1.6)])
    assert known is not None
    assert known.most == round(110 * 2 / 1.6)


def test_a_second_invalid_trial_ends_a_round_and_one_alone_does_not() -> None:
    walking = walk(100, STEP, 1, 5000)
    assert next(walking) == 100
    assert walking.send((INVALID, 0.0)) == 100
    assert walking.send((PASS, 0.5)) == 110
    with pytest.raises(StopIteration) as end:
        walking.send((INVALID, 0.0))
    assert end.value.value is None


def test_a_round_that_meets_the_end_of_the_range_has_no_crossing() -> None:
    assert walked(95, lambda level: 0.5, highest=100) == (None, [95])
    assert walked(2, lambda level: 2.0) == (None, [2, 1])


def test_interval_is_students_t_on_logarithms() -> None:
    # logs 0, ln 2, ln 4: mean ln 2, deviation ln 2, t(0.975, 2) = 4.30265 (Fisher & Yates, table III)
    found = over_rounds([1, 2, 4])
    assert found is not None
    half = 4.30265 * log(2) / sqrt(3)
    assert (found.value, found.low, found.high) == pytest.approx((2, 2 * exp(-half), 2 * exp(half)), rel=1e-5)
    assert over_rounds([5.0]) is None


def test_ratio_is_paired_by_round() -> None:
    a = {1: Crossing(users=200, most=200), 2: Crossing(users=100, most=100)}
    b = {
        1: Crossing(users=100, most=100),
        2: Crossing(users=50, most=50),
        3: Crossing(users=7, most=7),
    }
    found = ratio(a, b)
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((2, 2, 2))


def test_a_contended_round_widens_the_interval_and_leaves_no_mean() -> None:
    firm = {n: Crossing(users=100 + n, most=100 + n) for n in range(3)}
    soft = {n: Crossing(users=100 + n, most=130 + n if n == 1 else 100 + n) for n in range(3)}
    lowest, most = (over_rounds([getattr(one, name) for one in soft.values()]) for name in ("users", "most"))
    assert lowest
    assert most
    found = estimate(list(soft.values()))
    assert found is not None
    assert (found.value, found.low, found.high) == (None, lowest.low, most.high)
    assert found.between == (lowest.value, most.value)
    above, below = ratio(soft, firm), ratio(firm, soft)
    assert above is not None
    assert below is not None
    assert above.value is below.value is None
    assert above.high is not None
    assert (below.low, below.high) == pytest.approx((1 / above.high, 1 / above.low))
    assert above.between
    assert below.between == pytest.approx((1 / above.between[1], 1 / above.between[0]))


def test_a_contended_round_of_unknown_cores_bounds_from_below_and_no_denominator() -> None:
    firm = {n: Crossing(users=100 + n, most=100 + n) for n in range(3)}
    soft = {n: Crossing(users=100 + n, most=None if n == 1 else 100 + n) for n in range(3)}
    for found in (estimate(list(soft.values())), ratio(soft, firm)):
        assert found is not None
        assert (found.value, found.high, found.between) == (None, None, None)
    assert ratio(firm, soft) is None


def test_use_of_the_slo_is_the_largest_share_and_unbounded_for_turns_that_never_ended() -> None:
    slo = {"added_ttft_p95_s": 0.5, "lateness_p95_s": 0.5, "added_stall_p95_s": 0.25, "failure_ratio": 0.01}
    figures = {"added_ttft_p95_s": 0.1, "lateness_p95_s": 0.3, "added_stall_p95_s": 0.2, "failure_ratio": 0.0}
    assert slo_use(figures, slo) == pytest.approx(0.8)
    assert slo_use(figures | {"lateness_p95_s": None, "incomplete": 3.0}, slo) == float("inf")
    assert slo_use({}, slo) == float("inf")
    cut = {"turns": 80.0, "failed": 0.0, "incomplete": 0.0, "added_ttft_missed_at_least_ratio": 0.1}
    assert slo_use(cut, slo) == float("inf")


def test_capacity_at_another_think_time_goes_as_response_plus_think_time() -> None:
    assert predicted(100, answer_s=1, think_s=3, other_think_s=15) == pytest.approx(400)
