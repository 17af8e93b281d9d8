"""A capacity as an estimate: rounds of short staircases around the edge, and intervals over rounds. Decides only.

A round starts at a level drawn at random around the edge that the search found and walks up while trials pass, or down
while they fail, until a pass and a fail lie one step apart; where the use of the SLO crosses 1 between the two is that
round's capacity. The random start makes the grid of levels part of what varies between rounds: repeating the same two
ends instead leaves the grid's error out of the interval (measured: ``tests/unit/harness/analysis/test_estimate.py``).
"""

import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt

from harness.analysis.capacity import most_users
from harness.records import Verdict

CONFIDENCE = 0.95
DITHER_STEPS = 1.0  # a round starts up to this many steps beside the edge found before
# Beyond these a share of the SLO says no more than "far off". As far from 1 as each other, so that a cliff, however
# deep, is placed in the middle of its step, which the random start moves: anything else leans to one end.
LEAST_USE, MOST_USE = 0.8, 1.25
MOST_TRIALS = 8  # of one round

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One trial of a round: ``use`` is the largest share of its threshold that any figure took, 1 at the edge."""

    level: int
    use: float
    verdict: Verdict
    cores: float | None = None  # that the target had


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The users at which one round crossed the edge.

    Attributes:
        most: The same, unless the machine may have failed instead of the target: then the users that all CPUs carry at
            most, None where that is not known.
    """

    users: float
    most: float | None

    @property
    def observed(self) -> bool:
        """Tell if the target itself failed above these users."""
        return self.most == self.users


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """The geometric mean of some values, and its 95 % interval."""

    value: float
    low: float
    high: float
    rounds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The geometric mean over rounds with its 95 % interval; in users, or as a ratio.

    Attributes:
        value: None where a round was contended: it lies somewhere in the interval.
        high: None where it is not known what a contended round would have carried.
        worked_out: Of each end, whether a contended round's worked-out users went into it.
        between: The means of the least and of the most of each round, where one was contended and both are known.
    """

    value: float | None
    low: float
    high: float | None
    rounds: tuple[float, ...]
    worked_out: tuple[bool, bool] = (False, False)
    between: tuple[float, float] | None = None


def slo_use(figures: Figures, limits: Mapping[str, float]) -> float:
    """Return the largest share of its threshold that any figure took; infinite where unfinished turns leave none."""
    shares = []
    for name, limit in limits.items():
        value = figures.get(name)
        if value is not None:
            shares.append(value / limit if limit else (inf if value > 0 else 0.0))
        elif (figures.get("incomplete") or 0) + (figures.get("failed") or 0):
            shares.append(inf)
    return max(shares, default=inf)


def first_of_round(edge: float, step: float, lowest: int, highest: int, seed: str) -> int:
    """Return the level at which a round starts: the edge, up to ``DITHER_STEPS`` steps beside it by a seeded draw."""
    draw = random.Random(seed).uniform(-DITHER_STEPS, DITHER_STEPS)  # noqa: S311  # a level, not a secret
    return min(highest, max(lowest, round(edge * exp(draw * log(step)))))


def walk(start: int, step: float, lowest: int, highest: int) -> Generator[int, tuple[Verdict, float], Crossing | None]:
    """Yield levels of one round, receive (verdict, use of the SLO), return the crossing.

    None where the round meets an end of the range, an invalid trial twice, or ``MOST_TRIALS``.
    """
    level, retried = start, False
    tried: list[Tried] = []
    for _ in range(MOST_TRIALS):
        verdict, use = yield level
        if verdict.outcome == "invalid":
            if retried:
                return None
            retried = True
            continue
        tried.append(Tried(level=level, use=use, verdict=verdict))
        if found := crossing(tried):
            return found
        wanted = _beside(level, step, upwards=verdict.outcome == "pass")
        if not lowest <= wanted <= highest:
            return None
        level = wanted
    return None


def _beside(level: int, step: float, *, upwards: bool) -> int:
    return max(level + 1, round(level * step)) if upwards else min(level - 1, round(level / step))


def crossing(tried: Sequence[Tried]) -> Crossing | None:
    """Return where the last two trials of a round cross the edge, None unless one passed and the other failed.

    Interpolates the logarithm of the use of the SLO, clipped to ``LEAST_USE`` and ``MOST_USE``, linearly over the
    logarithm of the level.
    """
    if len(tried) < 2 or tried[-1].verdict.outcome == tried[-2].verdict.outcome:
        return None
    low, high = sorted(tried[-2:], key=lambda one: one.level)
    if low.verdict.outcome != "pass":
        return None
    below = log(min(1.0, max(LEAST_USE, low.use)))
    above = log(max(1.0, min(MOST_USE, high.use)))
    share = -below / (above - below) if above > below else 0.5
    users = exp(log(low.level) + share * (log(high.level) - log(low.level)))
    return Crossing(users=users, most=most_users(high.level, high.cores) if high.verdict.contended else users)


def estimate(crossings: Sequence[Crossing]) -> Estimate | None:
    """Return the capacity over rounds; None for fewer than two."""
    most = [one.most for one in crossings]
    return _between([one.users for one in crossings], most, (False, any(not one.observed for one in crossings)))


def _between(lowest: Sequence[float], most: Sequence[float | None], worked_out: tuple[bool, bool]) -> Estimate | None:
    """Return the mean of values that are known; of those known within ends, the interval that holds both ends'."""
    found = over_rounds(lowest)
    known = [one for one in most if one is not None]
    if found is None:
        return None
    if list(lowest) == known:
        return Estimate(value=found.value, low=found.low, high=found.high, rounds=found.rounds)
    above = over_rounds(known) if len(known) == len(most) else None
    high, marks = above.high if above else None, (worked_out[0], worked_out[1] and above is not None)
    means = (found.value, above.value) if above else None
    return Estimate(value=None, low=found.low, high=high, rounds=found.rounds, worked_out=marks, between=means)


def over_rounds(values: Sequence[float]) -> Mean | None:
    """Return the geometric mean of positive values with its interval; None for fewer than two.

    Student's t on the logarithms with n - 1 degrees of freedom.
    """
    if len(values) < 2:
        return None
    from scipy.stats import t

    logs = [log(value) for value in values]
    n, centre = len(logs), sum(logs) / len(logs)
    deviation = sqrt(sum((x - centre) ** 2 for x in logs) / (n - 1))
    half = float(t.ppf(0.5 + CONFIDENCE / 2, n - 1)) * deviation / sqrt(n)
    return Mean(value=exp(centre), low=exp(centre - half), high=exp(centre + half), rounds=tuple(values))


def ratio(numerator: Mapping[int, Crossing], denominator: Mapping[int, Crossing]) -> Estimate | None:
    """Return the ratio of two capacities, paired by round; None for fewer than two rounds that both have.

    Paired t on log ratios: what slows the machine during a round slows both.
    """
    lowest: list[float] = []
    most: list[float | None] = []
    pairs = [(numerator[n], denominator[n]) for n in sorted(set(numerator) & set(denominator))]
    for above, below in pairs:
        if below.most is None:
            return None
        lowest.append(above.users / below.most)
        most.append(None if above.most is None else above.most / below.users)
    worked_out = any(not below.observed for _, below in pairs), any(not above.observed for above, _ in pairs)
    return _between(lowest, most, worked_out)


def predicted(users: float, answer_s: float, think_s: float, other_think_s: float) -> float:
    """Return the capacity at another think time: the load of a closed system goes as users / (R + Z).

    Denning & Buzen 1978, interactive response time law; means in seconds.
    """
    return users * (answer_s + other_think_s) / (answer_s + think_s)
