"""The capacities that trials leave plausible. Decides only; touches nothing.

A trial tells one thing: the edge lay above its level, or below it, in that minute. Edges differ from trial to trial and
from session to session, so two trials that agree at one level do not place the edge there. The interval holds every
capacity under which the verdicts seen are at least ``LEAST_LIKELY`` times as likely as under the best one. Unlike a
bracket it narrows as trials are added, whatever order a search made them in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import erfc, exp, log, pi, sqrt

TRIAL_NOISE = 0.12  # standard deviation of the logarithm of the edge: six sessions of one build, see docs/method/claims
SESSION_NOISE = 0.20
LEAST_LIKELY = 0.05
_REACH = 4.0  # standard deviations that are looked at
_DRAWS = tuple(_REACH * (2 * step / 20 - 1) for step in range(21))  # of a standard normal, evenly spaced
_WEIGHTS = tuple(exp(-(draw**2) / 2) for draw in _DRAWS)
_FAR = 30.0
_GOLDEN = (sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A valid trial: its users, whether the target met the SLO, and whether the machine was contended where not."""

    level: int
    passed: bool
    contended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A quantity's ends, None where open, and the number of trials that each end rests on."""

    low: float | None = None
    high: float | None = None
    low_trials: int = 0
    high_trials: int = 0

    def minus(self, other: "Interval") -> "Interval":
        """Return the difference of two quantities: every difference inside both intervals.

        An end rests on the fewer trials of the two that it is made of.
        """
        return Interval(
            low=self.low - other.high if self.low is not None and other.high is not None else None,
            high=self.high - other.low if self.high is not None and other.low is not None else None,
            low_trials=min(self.low_trials, other.high_trials),
            high_trials=min(self.high_trials, other.low_trials),
        )


def capacity(tried: Sequence[Tried], session_noise: float = SESSION_NOISE) -> Interval:
    """Return the capacities (users) that trials leave plausible.

    Args:
        tried: Without invalid trials, and without failures that do not tell of the target: see
            :func:`harness.analysis.claims.tells`.
        session_noise: 0 inside one session.
    """
    if not tried:
        return Interval()
    side = _Side(tried, session_noise)
    wanted = side.best + log(LEAST_LIKELY)
    low = _crossing(side.likely, side.first, side.peak, wanted) if side.passes else None
    high = _crossing(side.likely, side.last, side.peak, wanted) if side.fails else None
    return Interval(
        low=None if low is None else exp(low),
        high=None if high is None else exp(high),
        low_trials=0 if low is None else side.passes_from(low),
        high_trials=0 if high is None else side.fails_to(high),
    )


def capacity_ratio(above: Sequence[Tried], below: Sequence[Tried]) -> Interval:
    """Return the ratios of two capacities of one session that both targets' trials together leave plausible.

    What slows a session slows both. A ratio is as likely as the likeliest two edges that are so far apart (profile
    likelihood): dividing one interval by the other asks that both sides be equally wide, and is too narrow otherwise.
    An end rests on the fewer trials of the two edges there.
    """
    if not above or not below:
        return Interval()
    first, second = _Side(above, 0), _Side(below, 0)

    def edge(apart: float) -> float:
        """Return the likeliest edge of the second where the first's lies so far above it: between the best of each."""
        low, high = sorted((second.peak, first.peak - apart))
        return _highest(lambda at: first.likely(at + apart) + second.likely(at), low, high)

    def likely(apart: float) -> float:
        at = edge(apart)
        return first.likely(at + apart) + second.likely(at)

    best, wanted = first.peak - second.peak, first.best + second.best + log(LEAST_LIKELY)

    def ends(outside: float) -> tuple[float, float]:
        """Return both edges where the ratio is just plausible, between a place beyond that and the best one."""
        apart = _crossing(likely, outside, best, wanted)
        at = edge(apart)
        return at + apart, at

    low = high = None
    low_trials = high_trials = 0
    if first.passes and second.fails:
        one, other = ends(first.first - second.last)
        low, low_trials = exp(one - other), min(first.passes_from(one), second.fails_to(other))
    if first.fails and second.passes:
        one, other = ends(first.last - second.first)
        high, high_trials = exp(one - other), min(first.fails_to(one), second.passes_from(other))
    return Interval(low=low, high=high, low_trials=low_trials, high_trials=high_trials)


class _Side:
    """One target's trials, and how likely they make an edge; places are logarithms of users."""

    def __init__(self, tried: Sequence[Tried], session_noise: float) -> None:
        self.passes = [log(one.level) for one in tried if one.passed]
        self.fails = [log(one.level) for one in tried if not one.passed]
        self._session_noise = session_noise
        reach = 2 * _REACH * sqrt(TRIAL_NOISE**2 + session_noise**2)
        self.first, self.last = min(self.passes + self.fails) - reach, max(self.passes + self.fails) + reach
        self.peak = _highest(self.likely, self.first, self.last)
        self.best = self.likely(self.peak)

    def likely(self, edge: float) -> float:
        """Return the logarithm of the chance of these verdicts, averaged over what the session may have added."""
        if not self._session_noise:
            return self._in_session(edge)
        logs = [self._in_session(edge + self._session_noise * draw) for draw in _DRAWS]
        most = max(logs)
        chances = sum(weight * exp(one - most) for weight, one in zip(_WEIGHTS, logs, strict=True))
        return most + log(chances / sum(_WEIGHTS))

    def _in_session(self, edge: float) -> float:
        return sum(_log_chance(level - edge) for level in self.passes) + sum(
            _log_chance(edge - level) for level in self.fails
        )

    def passes_from(self, low: float) -> int:
        """Return how many passes a low end rests on: one standard deviation between trials is let pass."""
        return sum(level >= low - TRIAL_NOISE for level in self.passes)

    def fails_to(self, high: float) -> int:
        """Return how many failures a high end rests on."""
        return sum(level <= high + TRIAL_NOISE for level in self.fails)


def _log_chance(short: float) -> float:
    """Return the logarithm of the chance that a trial's edge lies so far off, in logarithms of users."""
    deviations = short / TRIAL_NOISE
    if deviations > _FAR:
        return -(deviations**2) / 2 - log(deviations * sqrt(2 * pi))  # its tail, where erfc has no digits left
    return log(erfc(deviations / sqrt(2)) / 2)


def _highest(likely: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function without a second summit is highest, by golden-section search."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = likely(left), likely(right)
    for _ in range(24):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = likely(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = likely(left)
    return (low + high) / 2


def _crossing(likely: Callable[[float], float], outside: float, inside: float, wanted: float) -> float:
    """Return where the likelihood falls to ``wanted`` between a place below it and one above it."""
    for _ in range(20):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if likely(middle) >= wanted else (middle, inside)
    return inside


def ratio_of_means(above: Sequence[float], below: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the ratio of two geometric means of positive values with its interval; open for under two values a side.

    Student's t on logarithms with the pooled variance (Box, Hunter & Hunter, Statistics for Experimenters, 3.2).
    """
    counts = {"low_trials": min(len(above), len(below)), "high_trials": min(len(above), len(below))}
    if min(len(above), len(below)) < 2 or min(*above, *below) <= 0:
        return Interval(**counts)
    from scipy.stats import t

    sides = [[log(value) for value in side] for side in (above, below)]
    means = [sum(side) / len(side) for side in sides]
    squares = sum((value - mean) ** 2 for side, mean in zip(sides, means, strict=True) for value in side)
    freedom = len(above) + len(below) - 2
    error = sqrt(squares / freedom * (1 / len(above) + 1 / len(below)))
    half = float(t.ppf(0.5 + confidence / 2, freedom)) * error
    middle = means[0] - means[1]
    return Interval(low=exp(middle - half), high=exp(middle + half), **counts)
