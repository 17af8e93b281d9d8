"""Resource samples of a trial to figures of CPU and memory."""

import json
from collections.abc import Sequence

import pandas as pd

from harness.analysis import stats
from harness.records import StepTimes

Figures = dict[str, float | None]


def growth(samples: pd.DataFrame, column: str, start_s: float, end_s: float) -> float | None:
    """Growth of a cumulative counter over [start, end], interpolated linearly between readings."""
    known = samples[["t_s", column]].dropna().astype(float).sort_values("t_s")
    if len(known) < 2:
        return None
    import numpy as np

    at = np.interp([start_s, end_s], known["t_s"], known[column])
    return float(at[1] - at[0])


def resource_figures(resources: pd.DataFrame, start_s: float, end_s: float) -> Figures:
    """Return CPU and memory of the target, and CPU of everything else, between two moments (monotonic seconds)."""
    span_s = end_s - start_s
    roles = {str(role): frame for role, frame in resources.groupby("role")}
    target = roles.get("target", resources.iloc[:0])
    cpu = sum_over_components(target, "cpu_s", start_s, end_s)
    model = sum_over_components(roles.get("model", resources.iloc[:0]), "cpu_s", start_s, end_s)
    memory = stack_memory(target, start_s, end_s)
    host = resources.drop_duplicates("t_s")
    busy = growth(host, "host_busy_s", start_s, end_s)
    idle = growth(host, "host_idle_s", start_s, end_s)
    total = busy + idle if busy is not None and idle is not None else None
    steal = growth(host, "host_steal_s", start_s, end_s)
    foreign = growth(host, "foreign_cpu_s", start_s, end_s)
    busiest = busiest_process_cpu_s(target, start_s, end_s)
    return {
        "target_cpu_s": cpu,
        "target_cores": cpu / span_s if cpu is not None else None,
        "model_cores": model / span_s if model is not None else None,
        "busiest_process_cores": busiest / span_s if busiest is not None else None,
        "throttled_s": _largest_growth(target, "throttled_s", start_s, end_s),  # components share the groups above them
        "memory_mean_bytes": float(memory.mean()) if len(memory) else None,
        "memory_peak_bytes": float(memory.max()) if len(memory) else None,
        "host_busy_ratio": busy / total if busy is not None and total else None,
        "steal_ratio": steal / total if steal is not None and total else None,
        "foreign_cpu_ratio": foreign / total if foreign is not None and total else None,
    }


def sum_over_components(samples: pd.DataFrame, column: str, start_s: float, end_s: float) -> float | None:
    """Return the growth of a counter over all components together; None where none has readings."""
    deltas = [growth(frame, column, start_s, end_s) for _, frame in samples.groupby("component")]
    known = [d for d in deltas if d is not None]
    return sum(known) if known else None


def _largest_growth(samples: pd.DataFrame, column: str, start_s: float, end_s: float) -> float | None:
    grown = [growth(frame, column, start_s, end_s) for _, frame in samples.groupby("component")]
    return max((value for value in grown if value is not None), default=None)


def stack_memory(target: pd.DataFrame, start_s: float, end_s: float) -> "pd.Series[float]":
    """Return anonymous + shared memory of all the target's components together, per reading inside the span."""
    inside = target[(target["t_s"] >= start_s) & (target["t_s"] <= end_s)]
    both = inside["anon_bytes"].astype(float) + inside["shared_bytes"].fillna(0).astype(float)
    return both.groupby(inside["t_s"]).sum(min_count=1).dropna()


def busiest_process_cpu_s(target: pd.DataFrame, start_s: float, end_s: float) -> float | None:
    """Return the CPU seconds of the single busiest process of the target in the span, linear between readings."""
    readings: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for t_s, component, text in zip(target["t_s"], target["component"], target["process_cpu_s"], strict=True):
        for pid, cpu_s in json.loads(text).items():
            times, values = readings.setdefault((component, pid), ([], []))
            times.append(t_s)
            values.append(cpu_s)
    import numpy as np

    grown = [
        float(np.interp(end_s, times, values) - np.interp(start_s, times, values))
        for times, values in readings.values()
    ]
    return max(grown, default=None)


def idle_figures(resources: pd.DataFrame, steps: Sequence[StepTimes]) -> Figures:
    """Return the memory of the whole stack at each number of open sessions, and its slope with a 95 % interval.

    Each step counts once (its mean over the quiet window): readings within a step are not independent. Nor are the
    steps of one start, each of which begins with the memory that the last one left: their changes are.
    """
    target = resources[resources["role"] == "target"]
    points: list[tuple[int, float]] = []
    figures: Figures = {}
    for step in steps:
        memory = stack_memory(target, step.start_s, step.end_s)
        value = float(memory.mean()) if len(memory) else None
        figures[f"memory_bytes_{step.sessions}"] = value
        if value is not None:
            points.append((step.sessions, value))
    line = stats.drift([float(n) for n, _ in points], [value for _, value in points])
    figures["memory_slope_bytes_per_session"] = line[0] if line else None
    figures["memory_slope_low_bytes"] = line[1] if line else None
    figures["memory_slope_high_bytes"] = line[2] if line else None
    quiet = [s for s in steps if s.sessions == 0]
    if quiet:
        figures["idle_cores"] = quiet_cores(target, quiet[0])
    return figures


def quiet_cores(target: pd.DataFrame, span: StepTimes) -> float | None:
    """Return the cores used from a span's first reading to its last; None where there are fewer than two.

    Not interpolated to the span's ends: sessions open right after it, and the CPU time of that half second would be
    spread into it. That was four fifths of Django's idle CPU once.
    """
    times = target.loc[(target["t_s"] >= span.start_s) & (target["t_s"] <= span.end_s), "t_s"].astype(float)
    start_s, end_s = float(times.min()), float(times.max())
    cpu = sum_over_components(target, "cpu_s", start_s, end_s) if end_s > start_s else None
    return None if cpu is None else cpu / (end_s - start_s)
