"""Figures that only some workloads have: how a target gets over a spike, and what a long hold does to it."""

from collections.abc import Sequence
from math import inf

import pandas as pd

from harness.analysis import stats
from harness.analysis.chat_figures import ended_inside, finite
from harness.analysis.resource_figures import Figures, stack_memory, sum_over_components
from harness.records import GeneratorSummary, PhaseTimes, Slo

STEP_S = 1.0  # from one rolling window to the next
SECONDS_PER_HOUR = 3600.0
LATENCIES = ("added_ttft", "lateness", "added_stall")


def spike_figures(turns: pd.DataFrame, summary: GeneratorSummary, slo: Slo, window_s: float) -> Figures:
    """Return what happened during a spike, and the recovery time after its end.

    ``recovery_s`` is the smallest k · 1 s such that the turns intended in [E + j, E + j + window_s) meet every
    threshold for every whole j from k on, E being the moment from which the further users send no more, and every
    such window being inside *measure*. A window without turns does not meet it. None: not within
    ``recovery_watched_s``.
    """
    spike, end_s = summary.spike, summary.phases["measure"].end_s
    if spike is None:
        return {}
    during = _intended(turns, spike.start_s, spike.end_s)
    lost = (during["outcome"] != "ok").sum()
    recovered: float | None = None
    starts = int((end_s - spike.end_s - window_s) / STEP_S + 1e-9) + 1
    for k in range(starts - 1, -1, -1):
        start_s = spike.end_s + k * STEP_S
        if not meets(_intended(turns, start_s, start_s + window_s), slo):
            break
        recovered = k * STEP_S
    return {
        "spike_turns": float(len(during)),
        "spike_failure_ratio": float(lost) / len(during) if len(during) else None,
        "spike_added_ttft_p95_s": finite(stats.percentile(_latency(during, "added_ttft"), 95)),
        "recovery_s": recovered,
        "recovery_watched_s": max(0, starts - 1) * STEP_S,
    }


def meets(turns: pd.DataFrame, slo: Slo) -> bool:
    """Tell whether turns meet every threshold; none do not."""
    if turns.empty or (turns["outcome"] != "ok").mean() > slo.failure_ratio:
        return False
    worst = {name: stats.percentile(_latency(turns, name), 95) for name in LATENCIES}
    return all(value is not None and value <= getattr(slo, f"{name}_p95_s") for name, value in worst.items())


def _intended(turns: pd.DataFrame, start_s: float, end_s: float) -> pd.DataFrame:
    return turns[(turns["intended_s"] >= start_s) & (turns["intended_s"] < end_s)]


def _latency(turns: pd.DataFrame, name: str) -> list[float]:
    """A turn that did not end well counts as infinitely slow."""
    values = turns[f"{name}_s"].where(turns["outcome"] == "ok", inf)
    return [float(value) for value in values.dropna()]


def visit_figures(numbers: Figures, summary: GeneratorSummary) -> Figures:
    """Return what visits that began in *measure* took; CPU time is shared among those that ended in it.

    Args:
        numbers: The trial's figures, its CPU among them.
        summary: With the visits.
    """
    window = summary.phases["measure"]
    begun = [one for one in summary.visits if window.start_s <= one.start_s < window.end_s]
    good = [one for one in begun if one.end_s is not None and one.error is None]
    failed = sum(one.error is not None for one in begun)
    over = sum(one.error is None and one.end_s is not None and _within(one.end_s, window) for one in summary.visits)
    cores, window_s = numbers.get("target_cores"), window.end_s - window.start_s
    pages = [one for one in begun if one.page_s is not None]
    return {
        "visits_ok": float(len(good)),
        "visits_failed": float(failed),
        "visit_failure_ratio": failed / (failed + len(good)) if failed + len(good) else None,
        "page_requests": stats.percentile([float(one.page_requests or 0) for one in pages], 50),
        "page_bytes": stats.percentile([float(one.page_bytes or 0) for one in pages], 50),
        "page_p50_s": stats.percentile([(one.page_s or 0.0) - one.start_s for one in pages], 50),
        "sign_in_p50_s": stats.percentile(
            [one.signed_in_s - one.page_s for one in pages if one.signed_in_s is not None and one.page_s is not None],
            50,
        ),
        "cpu_s_per_visit": cores * window_s / over if cores is not None and over else None,
    }


def _within(at_s: float, window: PhaseTimes) -> bool:
    return window.start_s <= at_s < window.end_s


def soak_figures(turns: pd.DataFrame, resources: pd.DataFrame, summary: GeneratorSummary, block_s: float) -> Figures:
    """Return how memory, CPU time per turn and added TTFT change per hour, each with its 95 % interval.

    Readings half a second apart depend on each other, which would make the interval far too narrow: the slope is that
    of means over whole blocks of ``block_s``, which are nearly independent where a block is much longer than a cycle.
    Memory is not even then: it wanders, so its slope is its mean change from the end of one block to that of the next.
    """
    window = summary.phases["measure"]
    target = resources[resources["role"] == "target"]
    count = int((window.end_s - window.start_s) / block_s + 1e-9)
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in SLOPES}
    for n in range(count):
        block = PhaseTimes(start_s=window.start_s + n * block_s, end_s=window.start_s + (n + 1) * block_s)
        hour = (n + 0.5) * block_s / SECONDS_PER_HOUR
        for name, value in zip(SLOPES, _block(turns, target, block), strict=True):
            if value is not None:
                series[name].append((hour, value))
    figures: Figures = {"blocks": float(count)}
    for name, points in series.items():
        fit = stats.drift if name == MEMORY_SLOPE else stats.slope
        line = fit([x for x, _ in points], [y for _, y in points])
        for suffix, value in zip(("", "_low", "_high"), line or (None, None, None), strict=True):
            figures[f"{name}{suffix}"] = value
    return figures


BLOCK_END_SHARE = 0.2  # of a block, over which memory is averaged
MEMORY_SLOPE = "memory_slope_bytes_per_hour"
SLOPES = (MEMORY_SLOPE, "cpu_slope_s_per_turn_per_hour", "added_ttft_slope_s_per_hour")


def _block(turns: pd.DataFrame, target: pd.DataFrame, block: PhaseTimes) -> Sequence[float | None]:
    """Return mean memory at the end of a block, CPU time per turn ended and mean added TTFT of all of it."""
    # Means over whole blocks would smooth a random walk, whose changes then depend on each other: 9 to 12 % false.
    memory = stack_memory(target, block.end_s - BLOCK_END_SHARE * (block.end_s - block.start_s), block.end_s)
    cpu_s = sum_over_components(target, "cpu_s", block.start_s, block.end_s)
    ended = ended_inside(turns, block)
    mine = _intended(turns, block.start_s, block.end_s)
    added = mine.loc[mine["outcome"] == "ok", "added_ttft_s"].dropna()
    return (
        float(memory.mean()) if len(memory) else None,
        cpu_s / ended if cpu_s is not None and ended else None,
        float(added.mean()) if len(added) else None,
    )
