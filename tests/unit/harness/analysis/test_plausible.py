"""The capacities that verdicts leave plausible, and how often a judgement by them is wrong."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import log_ndtr

from harness.analysis.claims import Ask, reached
from harness.analysis.plausible import Interval, Tried, capacity, capacity_ratio, ratio_of_means
from harness.trials.think_times import MARGIN
from reports.verify import claims as again
from tests.perf import judgements


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


def test_differences_hold_every_value_inside_both() -> None:
    a = Interval(low=400, high=600, low_trials=3, high_trials=2)
    b = Interval(low=100, high=200, low_trials=1, high_trials=5)
    assert a.minus(b) == Interval(low=200, high=500, low_trials=3, high_trials=1)
    assert Interval(low=400).minus(b) == Interval(low=200)


SIDES = [
    ((10, 541, 541, -684, -684), (10, 148, 148, -185, -185)),
    ((500, -480, 600, -700, 560, -650, 540, -690), (100, -300)),  # one side is known far better
    ((10, 541, 541), (10, 148, 148, -185, -185)),
    ((10, 541), (10, 148)),
    ((-10,), (30, -40)),
]


def farthest_apart(above: Sequence[int], below: Sequence[int]) -> tuple[float, float]:
    """Return the ends of all ratios of two edges that are together 1/20 as likely as the best, on a grid of both."""
    places = np.linspace(np.log(5), np.log(2000), 3000)
    one, other = (
        sum(log_ndtr(np.sign(level) * (places - np.log(abs(level))) / 0.12) for level in levels)
        for levels in (above, below)
    )
    ends = []
    for place, likely in zip(places, one, strict=True):
        there = places[likely + other >= one.max() + other.max() - np.log(20)]
        ends += [place - there[-1], place - there[0]] if len(there) else []
    return float(np.exp(min(ends))), float(np.exp(max(ends)))


@pytest.mark.parametrize(("above", "below"), SIDES[:2])
def test_a_ratio_holds_whatever_two_edges_are_likely_enough_together(
    above: Sequence[int], below: Sequence[int]
) -> None:
    found = capacity_ratio(tried(*above), tried(*below))
    assert (found.low, found.high) == pytest.approx(farthest_apart(above, below), rel=3e-3)


@pytest.mark.parametrize(("above", "below"), SIDES)
def test_verify_finds_the_ratio_again(above: Sequence[int], below: Sequence[int]) -> None:
    printed = capacity_ratio(tried(*above), tried(*below))
    found = again.ratio(*([(abs(level), level > 0) for level in levels] for levels in (above, below)))
    assert found[2:] == (printed.low_trials, printed.high_trials)
    for ours, theirs in zip((printed.low, printed.high), found[:2], strict=True):
        assert ours == (None if theirs is None else pytest.approx(theirs, rel=again.CLOSE))


def test_a_ratio_without_trials_of_one_side_is_open() -> None:
    assert capacity_ratio([], tried(100, -200)) == capacity_ratio(tried(100, -200), []) == Interval()


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


@pytest.mark.parametrize("share", judgements.NEAREST)
@pytest.mark.parametrize("judge", list(judgements.JUDGES.values()))
def test_at_the_number_itself_few_campaigns_are_judged_wrongly(judge: judgements.Judge, share: float) -> None:
    """Fifty campaigns show that it is not one in ten; ``make perf`` counts a thousand."""
    assert judgements.wrong(judgements.judged(judge, share, campaigns=50), share) < 5 / 50


@pytest.mark.parametrize(("share", "expected"), [(0.3, False), (3.0, True)])
def test_far_from_the_number_most_campaigns_settle(share: float, expected: bool) -> None:
    assert judgements.judged(judgements.of_users, share, campaigns=40).count(expected) > 30
