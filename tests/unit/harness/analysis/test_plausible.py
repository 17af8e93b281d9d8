"""The capacities that verdicts leave plausible, and how often a judgement by them is wrong."""

import random
from collections.abc import Sequence
from math import exp

import pytest

from harness import profiles
from harness.analysis.capacity import search
from harness.analysis.claims import Ask, reached
from harness.analysis.plausible import Interval, Tried, capacity, capacity_ratio, ratio_of_means
from harness.records import Verdict
from harness.trials.course import search_plan
from harness.trials.think_times import MARGIN
from reports.verify import claims as again

QUICK = profiles.load("quick").search
PASS, FAIL = Verdict(outcome="pass"), Verdict(outcome="fail")
NEAR = (0.93, 0.999, 1.001, 1.08)  # true values as shares of the threshold


def tried(*levels: int) -> list[Tried]:
    """Return trials: negative levels failed."""
    return [Tried(level=abs(level), passed=level > 0) for level in levels]


def test_passes_alone_bound_from_below_and_failures_from_above() -> None:
    above, below = capacity(tried(100, 100)), capacity(tried(-100, -100))
    assert above.low is not None
    assert below.high is not None
    assert (above.high, below.low) == (None, None)
    assert above.low < 100 < below.high
    assert above.low * below.high == pytest.approx(100 * 100, rel=1e-3)
    assert capacity([]) == Interval()


def test_two_trials_that_agree_a_margin_beyond_a_number_decide_it_and_at_the_number_do_not() -> None:
    ask = Ask(quantity="capacity_users", direction="at least", threshold=1000)
    beyond, short = round(1000 * MARGIN), round(1000 / MARGIN)
    assert reached(ask, capacity(tried(beyond, beyond))) is True
    assert reached(ask, capacity(tried(-short, -short))) is False
    assert reached(ask, capacity(tried(1000, 1000))) is None
    assert reached(ask, capacity(tried(-1000, -1000))) is None


@pytest.mark.parametrize("level", [1, 10, 1000])
def test_one_trial_never_decides_however_far_it_lies(level: int) -> None:
    ask = Ask(quantity="capacity_users", direction="at least", threshold=100)
    assert reached(ask, capacity(tried(-level))) is None
    assert reached(ask, capacity(tried(100 * level))) is None


def test_one_session_leaves_less_plausible_inside_than_across_sessions() -> None:
    trials = tried(541, 541, -684, -684)
    within, across = capacity(trials, 0), capacity(trials)
    assert None not in (within.low, within.high, across.low, across.high)
    assert across.low < within.low < 541 < 684 < within.high < across.high  # type: ignore[operator]
    assert (across.low_trials, across.high_trials) == (2, 2)


def test_further_trials_narrow_the_interval_in_any_order() -> None:
    few = tried(500, 500, -800, -800)
    more = [*few, *tried(590, 590, -700, -700)]
    wide, narrow = capacity(few, 0), capacity(more, 0)
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]
    assert capacity(more[::-1], 0).low == pytest.approx(narrow.low)


def test_a_base_trial_far_below_counts_on_no_side() -> None:
    assert capacity(tried(10, 500, -700, -700)).low_trials == 1


def test_quotients_and_differences_hold_every_value_inside_both() -> None:
    a = Interval(low=400, high=600, low_trials=3, high_trials=2)
    b = Interval(low=100, high=200, low_trials=1, high_trials=5)
    assert a.over(b) == Interval(low=2, high=6, low_trials=3, high_trials=1)
    assert a.minus(b) == Interval(low=200, high=500, low_trials=3, high_trials=1)
    assert a.over(Interval(low=100)).low is None
    assert Interval(low=400).minus(b) == Interval(low=200)


def test_a_ratio_of_means_needs_two_values_a_side() -> None:
    assert ratio_of_means([2.0], [1.0, 1.1]) == Interval(low_trials=1, high_trials=1)
    found = ratio_of_means([2.0, 2.2, 2.1], [1.0, 1.1, 1.05])
    assert found.low is not None
    assert found.high is not None
    assert found.low < 2 < found.high
    assert found.low * found.high == pytest.approx(4)


@pytest.mark.parametrize("levels", [(100, 100), (-90, -90), (10, 541, -684, 541, -684), (500, -480, 600, -700, -650)])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_verify_finds_the_interval_again(levels: Sequence[int], noise: float) -> None:
    printed = capacity(tried(*levels), noise)
    found = again.users([(abs(level), level > 0) for level in levels], noise)
    assert found[2:] == (printed.low_trials, printed.high_trials)
    for ours, theirs in zip((printed.low, printed.high), found[:2], strict=True):
        assert ours == (None if theirs is None else pytest.approx(theirs, rel=again.CLOSE))


def searched(true: float, session: float, draw: random.Random) -> list[Tried]:
    """Play a search as ``quick`` makes it, of a target whose edge scatters from trial to trial.

    Half of them begin at an edge that a climb saw, half at a bound that is off.
    """
    climbed = true * session * exp(draw.gauss(0, 0.12)) if draw.random() < 0.5 else None
    start = max(1, round(true * exp(draw.uniform(-0.5, 0.7))))
    looking = search(search_plan(QUICK, start, climbed))
    made: list[Tried] = []
    try:
        level = next(looking)
        while True:
            made.append(Tried(level=level, passed=level < true * session * exp(draw.gauss(0, 0.12))))
            level = looking.send((PASS if made[-1].passed else FAIL, None))
    except StopIteration:
        return made


@pytest.mark.parametrize("share", NEAR)
def test_a_number_of_users_is_judged_wrongly_in_at_most_five_percent_of_campaigns(share: float) -> None:
    ask = Ask(quantity="capacity_users", direction="at least", threshold=1000)
    draw = random.Random(f"users {share}")
    true = 1000 * share
    found = [reached(ask, capacity(searched(true, exp(draw.gauss(0, 0.2)), draw))) for _ in range(100)]
    assert sum(one is (share < 1) for one in found) <= 5


@pytest.mark.parametrize("share", NEAR)
def test_a_ratio_is_judged_wrongly_in_at_most_five_percent_of_campaigns(share: float) -> None:
    ask = Ask(quantity="capacity_ratio", direction="at least", threshold=2)
    draw = random.Random(f"ratio {share}")
    found = []
    for _ in range(100):
        session = exp(draw.gauss(0, 0.2))
        found.append(reached(ask, capacity_ratio(*(searched(users, session, draw) for users in (360 * share, 180)))))
    assert sum(one is (share < 1) for one in found) <= 5


@pytest.mark.parametrize(("share", "expected"), [(0.3, False), (3.0, True)])
def test_far_from_the_number_most_campaigns_settle(share: float, expected: bool) -> None:
    ask = Ask(quantity="capacity_users", direction="at least", threshold=1000)
    draw = random.Random(f"far {share}")
    found = [reached(ask, capacity(searched(1000 * share, exp(draw.gauss(0, 0.2)), draw))) for _ in range(40)]
    assert found.count(expected) > 30
