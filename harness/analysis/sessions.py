"""Several sessions as one result: interval over sessions, range of the next one, and what explains their spread. Pure.

A session is a run: its trials share the machine's hour, so that they are one observation of what another hour gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log, sqrt
from statistics import fmean

from harness.analysis import stats

CONFIDENCE = 0.95
SETTLED_SESSIONS = 5  # fewer say nothing of what explains their spread
HALVED = 0.5  # of the spread: what a way of comparing sessions has to reach
LEAST_APART = 0.01  # of logarithms of speeds, all repetitions together: closer ones tell nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One session's value of a figure.

    Attributes:
        value: With ``most`` the least that it can be.
        at_least: A lower bound, since no level failed within reach.
        most: The most that it can be, since an end of its bracket was worked out; None where all were observed.
    """

    value: float
    at_least: bool = False
    most: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the most that it can be."""
        return self.value, self.value if self.most is None else self.most

    def times(self, factor: float) -> "Reading":
        """Return it multiplied."""
        return replace(self, value=self.value * factor, most=None if self.most is None else self.most * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A figure over sessions.

    Attributes:
        least: Geometric mean over sessions of the least that each can be; with ``at_least`` a lower bound.
        most: The same of the most, which differs only where an end was worked out.
        interval: 95 % interval, from the low end of the least's to the high end of the most's; None for a single
            session or with ``at_least``.
        following: Range that holds the next session's value with 95 %, likewise; None where there is no interval.
        sessions: Their number.
    """

    least: float
    most: float
    interval: tuple[float, float] | None
    following: tuple[float, float] | None
    sessions: int
    at_least: bool = False

    @property
    def value(self) -> float | None:
        """The mean; None where it is only known to lie between two."""
        return self.least if self.least == self.most else None

    @property
    def between(self) -> tuple[float, float] | None:
        """The means of the least and of the most; None where they are one."""
        return (self.least, self.most) if self.value is None else None


def middle(low: float | None, high: float | None, between: Sequence[float] | None = None) -> Reading | None:
    """Return a bracket as one value: its geometric middle, the lower end where the upper one is open.

    ``between``: the least and the most that it can be, where an end was worked out. None without a positive lower end.
    On a logarithmic scale the middle is as far from one end as from the other, and the middle of a ratio's bracket is
    the ratio of the middles.
    """
    if between is not None:
        return Reading(value=between[0], most=between[1])
    if low is None or low <= 0:
        return None
    return Reading(value=low, at_least=True) if high is None else Reading(value=sqrt(low * high))


def pooled(readings: Sequence[Reading]) -> Pooled | None:
    """Return a figure over sessions; None without a reading, or where one is not positive.

    Student's t on logarithms with n − 1 degrees of freedom: mean ± t·s/√n, and for the next session
    mean ± t·s·√(1 + 1/n) (Hahn & Meeker, Statistical Intervals, 1991, sections 4.2 and 4.7).
    """
    if not readings or any(one.value <= 0 for one in readings):
        return None
    n, at_least = len(readings), any(one.at_least for one in readings)
    least = [log(one.value) for one in readings]
    most = least if at_least else [log(one.ends[1]) for one in readings]
    interval, following = (
        (_reach(least, share)[0], _reach(most, share)[1]) if n > 1 and not at_least else None
        for share in (1 / n, 1 + 1 / n)
    )
    means = [exp(sum(logs) / n) for logs in (least, most)]
    return Pooled(least=means[0], most=means[1], interval=interval, following=following, sessions=n, at_least=at_least)


def _reach(logs: Sequence[float], share: float) -> tuple[float, float]:
    """Return mean ± t·s·√share of logarithms, as numbers."""
    centre, half = sum(logs) / len(logs), _t(len(logs) - 1) * _deviation(logs) * sqrt(share)
    return exp(centre - half), exp(centre + half)


@cache
def _t(freedom: int) -> float:
    """Return the quantile of Student's t that an interval reaches to."""
    from scipy.stats import t

    return float(t.ppf(0.5 + CONFIDENCE / 2, freedom))


def spread(values: Sequence[float]) -> float | None:
    """Return the standard deviation of the logarithms of positive values; None for fewer than two."""
    return _deviation([log(value) for value in values]) if len(values) > 1 else None


def _deviation(logs: Sequence[float]) -> float:
    centre = sum(logs) / len(logs)
    return sqrt(sum((x - centre) ** 2 for x in logs) / (len(logs) - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Something that may explain why sessions differ: users × ``factor`` of each session, for one target."""

    name: str
    target: str
    raw: tuple[float, ...]  # users of the sessions that have both
    factors: tuple[float, ...]

    @property
    def normalised(self) -> tuple[float, ...]:
        """The users with the machine's speed taken out."""
        return tuple(users * factor for users, factor in zip(self.raw, self.factors, strict=True))

    @property
    def spreads(self) -> tuple[float | None, float | None]:
        """The spread over sessions as measured, and with the machine's speed taken out."""
        return spread(self.raw), spread(self.normalised)

    @property
    def settled(self) -> bool:
        """Tell if there are enough sessions to judge by."""
        return len(self.raw) >= SETTLED_SESSIONS

    @property
    def helps(self) -> bool:
        """Tell if it brings enough sessions together: at most half of the spread is left."""
        raw, left = self.spreads
        return self.settled and raw is not None and left is not None and left <= HALVED * raw


def explains(witnesses: Sequence[Witness]) -> Mapping[str, bool | None]:
    """Return by name whether a witness brings the sessions of every target together; None: not settled."""
    found: dict[str, bool | None] = {}
    for name in dict.fromkeys(one.name for one in witnesses):
        mine = [one for one in witnesses if one.name == name]
        found[name] = all(one.helps for one in mine) if all(one.settled for one in mine) else None
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The power of one reading that another one follows from trial to trial, with its 95 % interval."""

    value: float
    low: float
    high: float
    trials: int


def power(groups: Sequence[Sequence[tuple[float, float]]]) -> Power | None:
    """Return the power of the first reading that the second one follows; None where the trials do not tell.

    Least squares on logarithms with a constant for each group: only what differs between its trials counts.

    Args:
        groups: Trials that differ in nothing but their minute, a pair of positive readings each.
    """
    several = [[(log(x), log(y)) for x, y in group] for group in groups if len(group) > 1]
    apart: list[tuple[float, float]] = []
    for group in several:
        middle_x, middle_y = fmean(x for x, _ in group), fmean(y for _, y in group)
        apart += [(x - middle_x, y - middle_y) for x, y in group]
    xs, ys = [x for x, _ in apart], [y for _, y in apart]
    if sum(x * x for x in xs) < LEAST_APART**2:
        return None
    found = stats.slope(xs, ys, CONFIDENCE, constants=len(several))
    return Power(value=found[0], low=found[1], high=found[2], trials=len(apart)) if found else None
