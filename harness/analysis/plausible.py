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
_SCATTER = exp(TRIAL_NOISE)
_FAR = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A valid trial: its users, and whether the target met the SLO."""

    level: int
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A quantity's ends, None where open, and the number of trials that each end rests on."""

    low: float | None = None
    high: float | None = None
    low_trials: int = 0
    high_trials: int = 0

    def over(self, other: "Interval") -> "Interval":
        """Return the quotient of two positive quantities: every ratio inside both intervals.

        An end rests on the fewer trials of the two that it is made of.
        """
        low = self.low / other.high if self.low is not None and other.high else None
        high = self.high / other.low if self.high is not None and other.low else None
        return self._with(other, low, high)

    def minus(self, other: "Interval") -> "Interval":
        """Return the difference of two quantities: every difference inside both intervals."""
        low = self.low - other.high if self.low is not None and other.high is not None else None
        high = self.high - other.low if self.high is not None and other.low is not None else None
        return self._with(other, low, high)

    def _with(self, other: "Interval", low: float | None, high: float | None) -> "Interval":
        return Interval(
            low=low,
            high=high,
            low_trials=min(self.low_trials, other.high_trials),
            high_trials=min(self.high_trials, other.low_trials),
        )


def capacity_ratio(above: Sequence[Tried], below: Sequence[Tried]) -> Interval:
    """Return the ratios of two capacities of one session that both targets' trials together leave plausible.

    What slows a session slows both. At the ends of the ratio each side is as unlikely as the other, so that each
    accounts for half of the logarithm of ``LEAST_LIKELY``.
    """
    return capacity(above, 0, sqrt(LEAST_LIKELY)).over(capacity(below, 0, sqrt(LEAST_LIKELY)))


def capacity(
    tried: Sequence[Tried], session_noise: float = SESSION_NOISE, least_likely: float = LEAST_LIKELY
) -> Interval:
    """Return the capacities (users) that trials leave plausible.

    The low end rests on the passes at or above it, the high end on the failures at or below it; one standard deviation
    between trials is let pass.

    Args:
        tried: Without invalid trials, and without failures of a contended machine: they do not tell of the target.
        session_noise: 0 inside one session.
        least_likely: As a share of the best capacity's likelihood.
    """
    passes = [one.level for one in tried if one.passed]
    fails = [one.level for one in tried if not one.passed]
    if not tried:
        return Interval()
    scale = sqrt(TRIAL_NOISE**2 + session_noise**2)
    signed = [(log(one.level), 1.0 if one.passed else -1.0) for one in tried]
    first, last = min(signed)[0] - 2 * _REACH * scale, max(signed)[0] + 2 * _REACH * scale

    def likely(users_log: float) -> float:
        return _log_likelihood(users_log, signed, session_noise)

    peak = _highest(likely, first, last)
    wanted = likely(peak) + log(least_likely)
    low = exp(_crossing(likely, first, peak, wanted)) if passes else None
    high = exp(_crossing(likely, last, peak, wanted)) if fails else None
    return Interval(
        low=low,
        high=high,
        low_trials=sum(low is not None and level >= low / _SCATTER for level in passes),
        high_trials=sum(high is not None and level <= high * _SCATTER for level in fails),
    )


def _log_likelihood(edge_log: float, signed: Sequence[tuple[float, float]], session_noise: float) -> float:
    """Return the logarithm of the chance of these verdicts, averaged over what the session may have added."""
    if not session_noise:
        return sum(_log_chance((level - edge_log) * sign) for level, sign in signed)
    logs = [
        sum(_log_chance((level - edge_log - session_noise * draw) * sign) for level, sign in signed) for draw in _DRAWS
    ]
    most = max(logs)
    chances = sum(weight * exp(one - most) for weight, one in zip(_WEIGHTS, logs, strict=True))
    return most + log(chances / sum(_WEIGHTS))


def _log_chance(short: float) -> float:
    """Return the logarithm of the chance that a trial's edge lies so far off, in logarithms of users."""
    deviations = short / TRIAL_NOISE
    if deviations > _FAR:
        return -(deviations**2) / 2 - log(deviations * sqrt(2 * pi))  # its tail, where erfc has no digits left
    return log(erfc(deviations / sqrt(2)) / 2)


def _highest(likely: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function without a second summit is highest."""
    for _ in range(30):
        third = (high - low) / 3
        if likely(low + third) < likely(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2


def _crossing(likely: Callable[[float], float], outside: float, inside: float, wanted: float) -> float:
    """Return where the likelihood falls to ``wanted`` between a place below it and one above it."""
    for _ in range(25):
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
