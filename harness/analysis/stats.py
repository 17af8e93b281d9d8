"""Statistics: values in, values out."""

from collections.abc import Sequence
from itertools import pairwise
from math import isinf, sqrt

from harness.errors import BenchError


def percentile(values: Sequence[float], q: float) -> float | None:
    """Return the q-th percentile (0 to 100) by linear interpolation; None for no values.

    Hyndman & Fan (1996) type 7. Infinite values (answers that never ended) count: a percentile that touches one is
    infinite.
    """
    if not values:
        return None
    if not 0 <= q <= 100:
        raise BenchError(f"percentile {q} is outside of 0 to 100", "ask for one inside")
    ordered = sorted(values)
    place = (len(ordered) - 1) * q / 100
    low = int(place)
    share = place - low
    if share == 0:
        return ordered[low]
    if isinf(ordered[low + 1]):
        return ordered[low + 1]
    return ordered[low] + share * (ordered[low + 1] - ordered[low])


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean; None for no values."""
    return sum(values) / len(values) if values else None


def standard_error(values: Sequence[float]) -> float | None:
    """Return the standard error of the mean from the sample variance; None for fewer than two values."""
    if len(values) < 2:
        return None
    centre = sum(values) / len(values)
    variance = sum((v - centre) ** 2 for v in values) / (len(values) - 1)
    return sqrt(variance / len(values))


def slope(
    x: Sequence[float], y: Sequence[float], confidence: float = 0.95, constants: int = 1
) -> tuple[float, float, float] | None:
    """Return the least-squares slope of y over x with its interval (low, high); None for fewer points than it takes.

    Student's t with n − 1 − ``constants`` degrees of freedom (Draper & Smith, Applied Regression Analysis, 1.4).

    Args:
        constants: How many were fitted: one, or one for each group whose own means were taken out of x and y before.
    """
    n, freedom = len(x), len(x) - 1 - constants
    if freedom < 1 or n != len(y):
        return None
    mean_x, mean_y = sum(x) / n, sum(y) / n
    spread = sum((v - mean_x) ** 2 for v in x)
    if spread == 0:
        return None
    value = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    residual = sum((b - mean_y - value * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    from scipy.stats import t

    half = float(t.ppf(0.5 + confidence / 2, freedom)) * sqrt(residual / freedom / spread)
    return value, value - half, value + half


def rates(x: Sequence[float], y: Sequence[float]) -> list[float]:
    """Return the rates of change of y over x from each point to the next; none between points of the same x."""
    return [(d - c) / (b - a) for (a, c), (b, d) in pairwise(zip(x, y, strict=True)) if a != b]


def drift(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float] | None:
    """Return the mean rate of change from one point to the next with its interval; None for under three points.

    Student's t on the rates: what a random walk with drift asks for, whose distances from a straight line depend on
    each other (Granger & Newbold, Spurious regressions in econometrics, 1974); too wide for noise around a line.
    """
    return mean_interval(rates(x, y), confidence) if len(x) == len(y) else None


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float] | None:
    """Return the mean of independent values with its interval (low, high) by Student's t; None for under two values."""
    error = standard_error(values)
    if error is None:
        return None
    centre = sum(values) / len(values)
    from scipy.stats import t

    half = float(t.ppf(0.5 + confidence / 2, len(values) - 1)) * error
    return centre, centre - half, centre + half


def overlap(times: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """Return the total time that intervals (from, to) spend inside [start, end]."""
    return sum(max(0.0, min(b, end) - max(a, start)) for a, b in times)
