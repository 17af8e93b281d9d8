"""Several sessions as one result: interval over sessions, range of the next one, and what explains their spread. Pure.

A session is a run: its trials share the machine's hour, so that they are one observation of what another hour gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

CONFIDENCE = 0.95
SETTLED_SESSIONS = 5  # fewer say nothing of what explains their spread
HALVED = 0.5  # of the spread: what a way of comparing sessions has to reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One session's value of a figure.

    Attributes:
        at_least: A lower bound, since no level failed within reach.
        worked_out: The middle of a bracket with a worked-out end.
    """

    value: float
    at_least: bool = False
    worked_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A figure over sessions.

    Attributes:
        value: Geometric mean over sessions; with ``at_least`` a lower bound of it.
        interval: 95 % interval of that mean; None for a single session or with ``at_least``.
        following: Range that holds the next session's value with 95 %; None where there is no interval.
        sessions: Their number.
    """

    value: float
    interval: tuple[float, float] | None
    following: tuple[float, float] | None
    sessions: int
    at_least: bool = False


def middle(low: float | None, high: float | None, *, worked_out: bool = False) -> Reading | None:
    """Return a bracket as one value: its geometric middle, the lower end where the upper one is open.

    None without a positive lower end. On a logarithmic scale the middle is as far from one end as from the other, and
    the middle of a ratio's bracket is the ratio of the middles.
    """
    if low is None or low <= 0:
        return None
    return Reading(value=low, at_least=True) if high is None else Reading(value=sqrt(low * high), worked_out=worked_out)


def pooled(readings: Sequence[Reading]) -> Pooled | None:
    """Return a figure over sessions; None without a reading, or where one is not positive.

    Student's t on logarithms with n − 1 degrees of freedom: mean ± t·s/√n, and for the next session
    mean ± t·s·√(1 + 1/n) (Hahn & Meeker, Statistical Intervals, 1991, sections 4.2 and 4.7).
    """
    if not readings or any(one.value <= 0 for one in readings):
        return None
    logs = [log(one.value) for one in readings]
    n, centre = len(logs), sum(logs) / len(logs)
    at_least = any(one.at_least for one in readings)
    if n < 2 or at_least:
        return Pooled(value=exp(centre), interval=None, following=None, sessions=n, at_least=at_least)
    from scipy.stats import t

    reach = float(t.ppf(0.5 + CONFIDENCE / 2, n - 1)) * _deviation(logs)
    ends = [(exp(centre - reach * share), exp(centre + reach * share)) for share in (1 / sqrt(n), sqrt(1 + 1 / n))]
    return Pooled(value=exp(centre), interval=ends[0], following=ends[1], sessions=n)


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
