"""Whether a load has settled: the number of turns under way over two stretches of equal length; decisions only."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

ALLOWED = 0.10  # of the mean: a queue that grows or drains changes it by more
STANDARD_ERRORS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """Mean turns under way over two stretches, one after the other, and the difference that chance explains."""

    earlier: float
    later: float
    allowed: float

    @property
    def flat(self) -> bool:
        """Tell if the two differ by no more than chance explains."""
        return abs(self.later - self.earlier) <= self.allowed


class Settling:
    """Readings of the number of turns under way, and what the last ``span_s`` seconds of them show.

    Args:
        span_s: Length of both stretches together: two think cycles or more.
        answer_s: Mean length of an answer. Turns under way lose their memory within it, which says how far two means
            differ by chance: a mean over T of a count L has a variance of about L · R / T.
    """

    def __init__(self, span_s: float, answer_s: float) -> None:
        self._span_s = span_s
        self._answer_s = answer_s
        self._readings: deque[tuple[float, int]] = deque()

    def note(self, at_s: float, live: int) -> None:
        """Take a reading; those older than the span are dropped, but for the last of them."""
        self._readings.append((at_s, live))
        while len(self._readings) > 1 and self._readings[1][0] <= at_s - self._span_s:
            self._readings.popleft()

    def look(self, since_s: float) -> Stretches | None:
        """Return what the span shows; None while it reaches back before ``since_s`` or before the first reading."""
        end_s = self._readings[-1][0] if self._readings else since_s
        start_s, middle_s = end_s - self._span_s, end_s - self._span_s / 2
        if start_s < since_s or self._readings[0][0] > start_s:
            return None
        a, b = _mean(self._readings, start_s, middle_s), _mean(self._readings, middle_s, end_s)
        mean = (a + b) / 2
        chance = STANDARD_ERRORS * sqrt(2 * mean * self._answer_s / (self._span_s / 2))
        return Stretches(earlier=a, later=b, allowed=max(ALLOWED * mean, chance))


def _mean(readings: Iterable[tuple[float, int]], start_s: float, end_s: float) -> float:
    """Return the mean over time, on straight lines between readings: a busy machine takes them at uneven intervals."""
    total = 0.0
    for (first_s, first), (last_s, last) in pairwise(readings):
        a_s, b_s = max(first_s, start_s), min(last_s, end_s)
        if b_s > a_s:
            slope = (last - first) / (last_s - first_s)
            total += (b_s - a_s) * (first + slope * ((a_s + b_s) / 2 - first_s))
    return total / (end_s - start_s)
