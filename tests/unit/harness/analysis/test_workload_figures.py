"""Recovery from a spike and slopes of a soak, from made-up samples whose answer follows from arithmetic."""

import random
from collections.abc import Callable, Sequence
from math import isclose, sqrt

import pandas as pd
import pytest

from harness.analysis import stats, workload_figures
from harness.analysis.workload_figures import soak_figures, spike_figures
from harness.records import GeneratorSummary, PhaseTimes, Slo

SLO = Slo()


def summary(end_s: float, spike: PhaseTimes | None = None) -> GeneratorSummary:
    return GeneratorSummary(
        users=1,
        phases={"measure": PhaseTimes(start_s=0.0, end_s=end_s)},
        turns_begun=0,
        turns_ended=0,
        turns_written=0,
        live_turn_seconds=0.0,
        cpu_s=0.0,
        stopped_early=False,
        recorder_errors=0,
        sign_in_failures=0,
        locust_version="",
        spike=spike,
    )


def turns(slow_until_s: float, end_s: float = 60.0, *, outcome: str = "ok", every_s: float = 0.25) -> pd.DataFrame:
    """A turn every quarter second; those intended before ``slow_until_s`` and after 10 miss the SLO."""
    rows = []
    for n in range(int(end_s / every_s)):
        at_s = n * every_s
        bad = 10 <= at_s < slow_until_s
        rows.append(
            {
                "intended_s": at_s,
                "done_s": at_s + 0.1,
                "outcome": outcome if bad else "ok",
                "added_ttft_s": 2.0 if bad else 0.01,
                "lateness_s": 0.01,
                "added_stall_s": 0.01,
            }
        )
    return pd.DataFrame(rows)


SPIKE = PhaseTimes(start_s=10.0, end_s=20.0)


@pytest.mark.parametrize(
    ("slow_until_s", "recovered_s"),
    [
        (20.0, 0.0),  # nobody is slow once the spike is over
        (23.0, 3.0),
        (20.3, 0.0),  # two slow ones of forty are all that a p95 lets pass
        (20.8, 1.0),  # the four up to 20.75 are too many for [20, 30), and out of [21, 31)
        (49.0, 29.0),
        (60.0, None),
    ],
)
def test_recovery_is_the_first_second_from_which_on_every_window_meets_the_slo(
    slow_until_s: float, recovered_s: float | None
) -> None:
    found = spike_figures(turns(slow_until_s), summary(60.0, SPIKE), SLO, 10.0)
    assert found["recovery_s"] == recovered_s
    assert found["recovery_watched_s"] == 30.0


def test_a_relapse_is_no_recovery() -> None:
    frame = turns(22.0)
    frame.loc[(frame["intended_s"] >= 40) & (frame["intended_s"] < 42), "added_ttft_s"] = 3.0
    assert spike_figures(frame, summary(60.0, SPIKE), SLO, 10.0)["recovery_s"] == 22.0  # [42, 52) is the first clean


def test_a_window_without_turns_meets_nothing() -> None:
    frame = turns(20.0)
    quiet = frame[(frame["intended_s"] < 30) | (frame["intended_s"] >= 45)]
    assert spike_figures(quiet, summary(60.0, SPIKE), SLO, 10.0)["recovery_s"] == 16.0  # [35, 45) is empty


def test_failures_during_the_spike_are_counted_and_leave_its_percentile_without_a_bound() -> None:
    found = spike_figures(turns(15.0, outcome="failed"), summary(60.0, SPIKE), SLO, 10.0)
    assert found["spike_turns"] == 40
    assert found["spike_failure_ratio"] == 0.5
    assert found["spike_added_ttft_p95_s"] is None
    assert found["recovery_s"] == 0.0


def resources(bytes_per_s: float, cpu_per_s: float, end_s: float) -> pd.DataFrame:
    rows = [
        {
            "t_s": n / 2,
            "component": "app",
            "role": "target",
            "anon_bytes": 1e8 + bytes_per_s * n / 2 + (n % 2) * 1e4,
            "shared_bytes": 0.0,
            "cpu_s": cpu_per_s * n / 2,
        }
        for n in range(int(end_s * 2) + 1)
    ]
    return pd.DataFrame(rows)


def test_a_leak_and_growing_latency_are_slopes_per_hour() -> None:
    frame = turns(0.0, end_s=600.0)
    frame["added_ttft_s"] = 0.01 + frame["intended_s"] * 1e-5
    found = soak_figures(frame, resources(1000.0, 0.4, 600.0), summary(600.0), 60.0)
    assert found["blocks"] == 10
    assert found["memory_slope_bytes_per_hour"] == pytest.approx(3.6e6, rel=1e-3)
    assert found["added_ttft_slope_s_per_hour"] == pytest.approx(0.036, rel=1e-6)
    assert found["memory_slope_bytes_per_hour_low"] is not None
    assert found["memory_slope_bytes_per_hour_low"] > 3.5e6


def test_a_steady_target_has_slopes_whose_intervals_hold_zero() -> None:
    found = soak_figures(turns(0.0, end_s=600.0), resources(0.0, 0.4, 600.0), summary(600.0), 60.0)
    for name in workload_figures.SLOPES:
        low, high = found[f"{name}_low"], found[f"{name}_high"]
        assert low is not None
        assert high is not None
        assert low <= 0 <= high or isclose(low, 0, abs_tol=1e-4)


def test_too_few_blocks_have_no_slope() -> None:
    found = soak_figures(turns(0.0, end_s=100.0), resources(0.0, 0.4, 100.0), summary(100.0), 60.0)
    assert (found["blocks"], found["memory_slope_bytes_per_hour"]) == (1, None)


HOURS = [n / 60 for n in range(20)]
READINGS = 60  # in a block


def wandering(kind: float, draw: random.Random, drift_per_block: float = 0.0) -> list[float]:
    """Memory at the end of twenty blocks; ``kind`` is the autocorrelation of readings, 1 for a random walk."""
    value, ends = draw.gauss(0, 1 / sqrt(1 - kind**2)) if kind < 1 else 0.0, []
    tail = round(READINGS * workload_figures.BLOCK_END_SHARE)
    for block in range(len(HOURS)):
        readings = []
        for _ in range(READINGS):
            value = kind * value + draw.gauss(0, 1)
            readings.append(value)
        ends.append(sum(readings[-tail:]) / tail + block * drift_per_block)
    return ends


def between_blocks(kind: float, draw: random.Random, drift_per_block: float = 0.0) -> list[float]:
    """As strongly correlated from block to block as ``wandering`` is from reading to reading."""
    value, ends = draw.gauss(0, 1 / sqrt(1 - kind**2)) if kind < 1 else 0.0, []
    for block in range(len(HOURS)):
        value = kind * value + draw.gauss(0, 1)
        ends.append(value + block * drift_per_block)
    return ends


Memory = Callable[[float, random.Random], list[float]]
Fit = Callable[[Sequence[float], Sequence[float]], tuple[float, float, float] | None]


def excludes_zero(fit: Fit, memory: Memory, kind: float, times: int = 1000) -> float:
    draw, found = random.Random(f"{kind}"), 0
    for _ in range(times):
        line = fit(HOURS, memory(kind, draw))
        assert line is not None
        found += not line[1] <= 0 <= line[2]
    return found / times


@pytest.mark.parametrize("memory", [wandering, between_blocks])
@pytest.mark.parametrize("kind", [0.0, 0.5, 0.8, 1.0])
def test_memory_that_wanders_without_drift_is_called_a_leak_in_six_percent_at_most(memory: Memory, kind: float) -> None:
    assert excludes_zero(stats.drift, memory, kind) <= 0.065


def test_least_squares_would_call_wandering_memory_a_leak_far_too_often() -> None:
    assert excludes_zero(stats.slope, between_blocks, 0.8, times=300) > 0.3
    assert excludes_zero(stats.slope, between_blocks, 1.0, times=300) > 0.6


@pytest.mark.parametrize("kind", [0.0, 0.5, 0.8, 1.0])
def test_a_true_leak_is_found_in_wandering_memory_and_its_size_lies_inside_the_interval(kind: float) -> None:
    draw, seen, held = random.Random(f"leak:{kind}"), 0, 0
    for _ in range(300):
        line = stats.drift(HOURS, between_blocks(kind, draw, drift_per_block=1.2))
        assert line is not None
        seen += line[1] > 0
        held += line[1] <= 1.2 * 60 <= line[2]
    assert seen / 300 > 0.95
    assert held / 300 > 0.93


def test_drift_is_students_t_on_the_changes() -> None:
    # changes 1, 3, 5 an hour: mean 3, deviation 2, t(0.975, 2) = 4.30265 (Fisher & Yates, table III)
    half = 4.30265 * 2 / sqrt(3)
    assert stats.drift([0, 1, 2, 3], [10, 11, 14, 19]) == pytest.approx((3, 3 - half, 3 + half), rel=1e-5)
    assert stats.drift([0, 1], [0, 1]) is None
