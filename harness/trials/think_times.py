"""The trials at other think times that claims on a number of users need: pure.

They are made at the claim's own numbers, a margin beyond each, never at the capacity predicted for that think time: at
100 s that would take tens of thousands of users and answer a question that no claim asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import NamedTuple

from harness.analysis.capacity import Capacity
from harness.analysis.claims import NEEDED, SAME_THINK, THINK_TIMES_S, tells
from harness.analysis.estimate import predicted
from harness.records import Profile

MARGIN = 1.4  # two trials that agree so far beyond a number decide it (tests/unit/harness/analysis/test_plausible.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Trials at one think time and level, to be made until one of them does not end as predicted."""

    think_s: int  # median
    level: int
    passes: bool  # as predicted
    times: int = NEEDED


def wanted(profile: Profile, capacity: Capacity, claimed: Sequence[int]) -> list[Wanted]:
    """Return the trials on both sides of each turn: where so many users clearly do not fit, and where they clearly do.

    The prediction has to lie the square of the margin beyond the claimed number, so that the level tried lies the
    margin beyond the one and short of the other. Where the profile's own think time is the nearest such, its search
    has tried that side already, unless its failures were contended: what such a search failed at tells nothing
    (:func:`harness.analysis.claims.tells`), so that a miss is tried above the most that there can be.
    """
    if not capacity.low:
        return []
    clear = capacity.high is not None
    users = sqrt(capacity.low * capacity.high) if capacity.high is not None else capacity.low
    too_many = None if capacity.upper is None else max(MARGIN * users, capacity.upper)
    answer_s, own_s = profile.answer_mean_s(), profile.think_mean_s()
    slower, faster = _offers(profile, ceil, searched=clear), _offers(profile, floor, searched=True)
    found = []
    for number in claimed:
        below, above = floor(number / MARGIN), ceil(number * MARGIN)
        misses = [one for one in slower if tells(below, too_many, answer_s, own_s, one.mean_s)]
        if misses and (median := max(misses).median):
            found.append(Wanted(think_s=median, level=below, passes=False))
        fits = [one for one in faster if predicted(users, answer_s, own_s, one.mean_s) >= number * MARGIN**2]
        if fits and (median := min(fits).median):
            found.append(Wanted(think_s=median, level=above, passes=True))
    return [one for one in found if not any(_covers(other, one) for other in found)]


def _covers(other: Wanted, one: Wanted) -> bool:
    """Return whether what one trial is to show follows from another: users who fit do so if fewer or if slower."""
    if other is one or other.passes != one.passes:
        return False
    if one.passes:
        return other.level >= one.level and other.think_s <= one.think_s
    return other.level <= one.level and other.think_s >= one.think_s


class _Offer(NamedTuple):
    """A think time that may be tried: its mean in seconds, and its median; 0 for the profile's own."""

    mean_s: float
    median: int


def _offers(profile: Profile, whole: Callable[[float], int], *, searched: bool) -> list[_Offer]:
    """Return the think times that may be tried; the profile's own among them where its search has tried it.

    Medians are whole seconds, rounded to the harder side by ``whole``: users who fit at a somewhat shorter think time
    fit at the one asked for.
    """
    own_s = profile.think_mean_s()
    spread = own_s / profile.think_s.median
    asked = [one for one in THINK_TIMES_S if not (searched and 1 / SAME_THINK < one / own_s < SAME_THINK)]
    medians = [max(1, whole(think_s / spread)) for think_s in asked]
    offers = [_Offer(median * spread, median) for median in medians]
    return [*offers, _Offer(own_s, 0)] if searched else offers
