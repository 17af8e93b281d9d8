"""The trials at other think times that claims on a number of users need: pure.

They are made at the claim's own numbers, a margin beyond each, never at the capacity predicted for that think time: at
100 s that would take tens of thousands of users and answer a question that no claim asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from harness.analysis.capacity import Capacity
from harness.analysis.claims import NEEDED, SAME_THINK, THINK_TIMES_S
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
    has tried that side already.
    """
    if not capacity.low:
        return []
    known = capacity.high is not None and not capacity.at_least
    users = sqrt(capacity.low * capacity.high) if known and capacity.high else capacity.low
    found = []
    for number in claimed:
        enough, short = number * MARGIN**2, number / MARGIN**2
        fits = _beside(profile, users, enough.__le__, longest=False)
        misses = _beside(profile, users, short.__ge__, longest=True)
        if misses is not None and known:
            found.append(Wanted(think_s=misses, level=floor(number / MARGIN), passes=False))
        if fits is not None:
            found.append(Wanted(think_s=fits, level=ceil(number * MARGIN), passes=True))
    return [one for one in found if not any(_covers(other, one) for other in found)]


def _covers(other: Wanted, one: Wanted) -> bool:
    """Return whether what one trial is to show follows from another: users who fit do so if fewer or if slower."""
    if other is one or other.passes != one.passes:
        return False
    if one.passes:
        return other.level >= one.level and other.think_s <= one.think_s
    return other.level <= one.level and other.think_s >= one.think_s


def _beside(profile: Profile, users: float, good: Callable[[float], bool], *, longest: bool) -> int | None:
    """Return the longest or the shortest median think time whose predicted capacity is good.

    None where there is none, or where it is the profile's own. Medians are whole seconds, rounded to the harder side:
    users who fit at a somewhat shorter think time fit at the one asked for.
    """
    own_s, answer_s = profile.think_mean_s(), profile.answer_mean_s()
    spread = own_s / profile.think_s.median
    other = [think_s / spread for think_s in THINK_TIMES_S if not 1 / SAME_THINK < think_s / own_s < SAME_THINK]
    medians = [max(1, ceil(median) if longest else floor(median)) for median in other]
    offered: list[tuple[float, int | None]] = [(own_s, None), *((median * spread, median) for median in medians)]
    fitting = [one for one in offered if good(predicted(users, answer_s, own_s, one[0]))]
    nearest = max if longest else min
    return nearest(fitting, key=lambda one: one[0])[1] if fitting else None
