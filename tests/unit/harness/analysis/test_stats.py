"""Statistics against independent sources."""

import itertools
import random
import statistics
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis import stats
from harness.errors import BenchError


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.floats(0, 100))
def test_percentile_agrees_with_numpy(values: list[float], q: float) -> None:
    assert stats.percentile(values, q) == pytest.approx(float(np.percentile(values, q)), rel=1e-9, abs=1e-6)


def test_percentile_counts_answers_that_never_ended() -> None:
    values = [1.0] * 94 + [inf] * 6
    assert stats.percentile(values, 50) == 1.0
    assert stats.percentile(values, 95) == inf


def test_percentile_of_nothing_is_absent_and_of_nonsense_an_error() -> None:
    assert stats.percentile([], 95) is None
    with pytest.raises(BenchError, match="101"):
        stats.percentile([1.0], 101)


def test_standard_error_agrees_with_the_standard_library() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    assert stats.standard_error(values) == pytest.approx(statistics.stdev(values) / 2)
    assert stats.standard_error([1.0]) is None


def test_slope_of_a_known_line_with_its_interval() -> None:
    # NIST StRD Norris-like check by hand: y = 2x with residuals ±1 at four points.
    value, low, high = stats.slope([0, 1, 2, 3], [1, 1, 5, 5]) or (0, 0, 0)
    assert value == pytest.approx(1.6)
    # s² = 1.6, Sxx = 5, t(0.975, 2) = 4.302653 (any t table)
    assert high - value == pytest.approx(4.302653 * (1.6 / 5) ** 0.5, rel=1e-6)
    assert value - low == pytest.approx(high - value)


def test_slope_interval_covers_the_true_slope_at_its_stated_rate() -> None:
    draw, hits = random.Random(7), 0
    for _ in range(1000):
        line = stats.slope([0, 50, 100, 150], [3 * x + draw.gauss(0, 20) for x in (0, 50, 100, 150)])
        assert line is not None
        hits += line[1] <= 3 <= line[2]
    assert 930 <= hits <= 970


def test_slope_needs_three_points_that_differ() -> None:
    assert stats.slope([1, 2], [1, 2]) is None
    assert stats.slope([1, 1, 1], [1, 2, 3]) is None


def test_overlap_counts_only_the_time_inside() -> None:
    assert stats.overlap([(0, 2), (1, inf), (5, 6)], 1, 3) == pytest.approx(3)


STEPS = (0.0, 50.0, 100.0, 150.0)  # open sessions, as in an idle trial


def held(starts: int, fit: str, *, drift: float = 70.0, noise: float = 400.0, times: int = 4000) -> float:
    """Return how often the interval of memory per session holds the truth; memory is a random walk with drift."""
    draw, found = random.Random(f"{starts}:{fit}"), 0
    for _ in range(times):
        rates, line = [], None
        for _ in range(starts):
            memory = [draw.gauss(0, 1e6)]
            for a, b in itertools.pairwise(STEPS):
                memory.append(memory[-1] + drift * (b - a) + draw.gauss(0, noise * (b - a) ** 0.5))
            rates += stats.rates(STEPS, memory)
            line = stats.slope(STEPS, memory)
        line = stats.mean_interval(rates) if fit == "steps" else line
        assert line is not None
        found += line[1] <= drift <= line[2]
    return found / times


@pytest.mark.parametrize("starts", [1, 2, 3])
def test_memory_per_session_lies_inside_its_interval_as_often_as_it_says(starts: int) -> None:
    assert 0.93 <= held(starts, "steps") <= 0.97


def test_a_line_through_the_steps_of_one_start_is_too_sure_of_itself() -> None:
    assert held(1, "line") < 0.9
