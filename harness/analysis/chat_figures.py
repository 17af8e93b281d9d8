"""A trial's figures from its raw samples: the names and formulas behind every printed number."""

import json
from collections.abc import Sequence
from math import inf, isfinite, sqrt

import pandas as pd

from harness.analysis import stats
from harness.records import GeneratorSummary, PhaseTimes, Slo, StepTimes

Figures = dict[str, float | None]


def finite(value: float | None) -> float | None:
    """Return a value that JSON can hold: None stands for beyond any bound."""
    return None if value is None or not isfinite(value) else float(value)


def _percentile(turns: pd.DataFrame, column: str, q: float) -> float | None:
    """Percentile over turns; one that did not end ``ok`` counts as infinite, so that slow turns never vanish."""
    values = turns[column].where(turns["outcome"] == "ok", inf)
    known = values[values.notna()]
    return finite(stats.percentile(known.tolist(), q))


def chat_figures(turns: pd.DataFrame, resources: pd.DataFrame, summary: GeneratorSummary, slo: Slo) -> Figures:
    """Return the figures of a trial of scenario ``chat``; names carry their units.

    Args:
        turns: A row per turn of the whole trial (``turns.parquet``).
        resources: A row per sample and component (``resources.parquet``).
        summary: The generator's own account.
        slo: Thresholds for the goodput.
    """
    window = summary.phases["measure"]
    window_s = window.end_s - window.start_s
    measured = turns[turns["phase"] == "measure"]
    # A trial that was stopped because its verdict was certain cut the answers under way: that is no fault of theirs.
    cut = (measured["error_kind"] == "unfinished") & summary.stopped_early
    judged = measured[~cut]
    figures = _latencies(judged)
    figures |= _counts(judged, window_s, slo)
    figures |= _load(turns, measured, summary, window)
    figures |= _workers(measured, summary, window_s)
    if arrivals := summary.arrivals:
        figures["arrivals_per_s"] = arrivals.per_s
        figures["arrivals_without_page"] = float(arrivals.without_page)
        figures["arrivals_without_user"] = float(arrivals.without_user)
    figures["cut_turns"] = float(cut.sum())
    figures["unmatched_turns"] = float(((judged["outcome"] == "ok") & judged["upstream_request_s"].isna()).sum())
    figures |= resource_figures(resources, window.start_s, window.end_s)
    cpu = figures.pop("target_cpu_s")
    ended = ended_inside(turns, window)
    figures["target_cpu_s_per_turn"] = cpu / ended if cpu is not None and ended else None
    busiest = figures["busiest_process_cores"]
    figures["busiest_cpu_s_per_turn"] = busiest * window_s / ended if busiest is not None and ended else None
    return figures


def ended_inside(turns: pd.DataFrame, window: PhaseTimes) -> int:
    """Return how many turns ended in a span."""
    done = turns["done_s"]
    return int(((done >= window.start_s) & (done < window.end_s)).sum())


def _latencies(measured: pd.DataFrame) -> Figures:
    wanted = {
        "ttft_p50_s": ("ttft_s", 50),
        "ttft_p95_s": ("ttft_s", 95),
        "added_ttft_p50_s": ("added_ttft_s", 50),
        "added_ttft_p95_s": ("added_ttft_s", 95),
        "lateness_p50_s": ("lateness_s", 50),
        "lateness_p95_s": ("lateness_s", 95),
        "added_stall_p50_s": ("added_stall_s", 50),
        "added_stall_p95_s": ("added_stall_s", 95),
        "turn_p50_s": ("turn_s", 50),
        "turn_p95_s": ("turn_s", 95),
    }
    figures = {name: _percentile(measured, column, q) for name, (column, q) in wanted.items()}
    answered = measured.loc[measured["outcome"] == "ok", "turn_s"].dropna()
    figures["turn_mean_s"] = stats.mean(answered.astype(float).tolist())
    figures["ready_delay_p95_s"] = finite(stats.percentile(measured["ready_delay_s"].dropna().tolist(), 95))
    figures["schedule_delay_p95_s"] = finite(stats.percentile(measured["schedule_delay_s"].dropna().tolist(), 95))
    figures["upstream_lag_p99_s"] = finite(stats.percentile(measured["upstream_lag_s"].dropna().tolist(), 99))
    return figures


def _counts(measured: pd.DataFrame, window_s: float, slo: Slo) -> Figures:
    total = len(measured)
    outcome = measured["outcome"]
    ok = int((outcome == "ok").sum())
    good = int(
        (
            (outcome == "ok")
            & (measured["added_ttft_s"] <= slo.added_ttft_p95_s)
            & (measured["lateness_s"] <= slo.lateness_p95_s)
            & (measured["added_stall_s"] <= slo.added_stall_p95_s)
        ).sum()
    )
    finished = measured[outcome == "ok"]
    text, wire = float(finished["text_bytes"].sum()), float(finished["wire_bytes"].sum())
    return {
        "turns": float(total),
        "ok": float(ok),
        "failed": float((outcome == "failed").sum()),
        "incomplete": float((outcome == "incomplete").sum()),
        "failure_ratio": (total - ok) / total if total else None,
        "window_s": window_s,
        "throughput_per_s": ok / window_s,
        "goodput_per_s": good / window_s,
        "goodput_ratio": good / total if total else None,
        "wire_bytes_per_text_byte": wire / text if text and wire else None,  # a user class may not count its bytes
        "updates_per_answer": stats.mean(finished["updates"].astype(float).tolist()),
        "answer_tokens_mean": stats.mean(finished["upstream_tokens"].dropna().astype(float).tolist()),
    }


def _load(turns: pd.DataFrame, measured: pd.DataFrame, summary: GeneratorSummary, window: PhaseTimes) -> Figures:
    window_s = window.end_s - window.start_s
    ends = turns["done_s"].fillna(inf)
    begun = turns["intended_s"] if summary.arrivals else turns["sent_s"]
    intervals = list(zip(begun, ends, strict=True))
    recorded = stats.overlap(intervals, window.start_s, window.end_s)
    logged = summary.live_turn_seconds
    streams = list(zip(turns["first_s"].fillna(inf), turns["last_s"].fillna(inf), strict=True))
    streaming = stats.overlap(streams, window.start_s, window.end_s)
    return {
        "users": float(summary.users),
        "live_turns_mean": recorded / window_s,
        "live_streams_mean": streaming / window_s,
        "little_error_ratio": abs(recorded - logged) / logged if logged else None,
        "little_error_s_per_turn": abs(recorded - logged) / len(measured) if len(measured) else None,
        "lost_turns": float(summary.turns_begun - len(measured)),
        # Time that users stood ready to send while the generator did not is load that was not offered.
        "offered_ratio": 1 - float(measured["schedule_delay_s"].sum()) / (summary.users * window_s),
        "generator_cores": summary.cpu_s / window_s,
        **_halves(measured, intervals, window),
    }


def _workers(measured: pd.DataFrame, summary: GeneratorSummary, window_s: float) -> Figures:
    """Return what tells several generator processes apart; user u belongs to worker u mod their number."""
    figures: Figures = {}
    for k, share in enumerate(summary.workers):
        delays = measured.loc[measured["user"] % len(summary.workers) == k, "schedule_delay_s"].dropna()
        figures[f"generator_{k}_cores"] = share.cpu_s / window_s
        figures[f"generator_{k}_schedule_delay_p95_s"] = finite(stats.percentile(delays.tolist(), 95))
    return figures


def _halves(measured: pd.DataFrame, intervals: Sequence[tuple[float, float]], window: PhaseTimes) -> Figures:
    """Compare the window's halves, as shares of their mean, with standard errors of the difference."""
    middle = (window.start_s + window.end_s) / 2
    early = measured.loc[measured["intended_s"] < middle, "turn_s"].dropna().tolist()
    late = measured.loc[measured["intended_s"] >= middle, "turn_s"].dropna().tolist()
    figures: Figures = {"turn_half_difference_ratio": None, "turn_half_error_ratio": None}
    a, b = stats.mean(early), stats.mean(late)
    ea, eb = stats.standard_error(early), stats.standard_error(late)
    if a is not None and b is not None and ea is not None and eb is not None:
        centre = (a + b) / 2
        figures["turn_half_difference_ratio"] = (b - a) / centre
        figures["turn_half_error_ratio"] = sqrt(ea**2 + eb**2) / centre
    live = [_slices(intervals, window.start_s, middle), _slices(intervals, middle, window.end_s)]
    means = [sum(part) / len(part) for part in live]
    centre = sum(means) / 2
    errors = [stats.standard_error(part) or 0.0 for part in live]
    figures["live_half_difference_ratio"] = (means[1] - means[0]) / centre if centre else None
    figures["live_half_error_ratio"] = sqrt(errors[0] ** 2 + errors[1] ** 2) / centre if centre else None
    return figures


def _slices(intervals: Sequence[tuple[float, float]], start: float, end: float, count: int = 5) -> list[float]:
    """Mean number of live turns in equal slices of a span: slices about a think cycle long are nearly independent."""
    width = (end - start) / count
    return [stats.overlap(intervals, start + i * width, start + (i + 1) * width) / width for i in range(count)]


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
    upstream = sum_over_components(roles.get("upstream", resources.iloc[:0]), "cpu_s", start_s, end_s)
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
        "upstream_cores": upstream / span_s if upstream is not None else None,
        "busiest_process_cores": busiest / span_s if busiest is not None else None,
        "throttled_s": _largest_growth(target, "throttled_s", start_s, end_s),  # components share the groups above them
        "memory_mean_bytes": float(memory.mean()) if len(memory) else None,
        "memory_peak_bytes": float(memory.max()) if len(memory) else None,
        "host_busy_ratio": busy / total if busy is not None and total else None,
        "steal_ratio": steal / total if steal is not None and total else None,
        "foreign_cpu_ratio": max(0.0, foreign) / total if foreign is not None and total else None,
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

    Each step counts once (its mean over the quiet window): readings within a step are not independent.
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
    line = stats.slope([float(n) for n, _ in points], [value for _, value in points])
    figures["memory_slope_bytes_per_session"] = line[0] if line else None
    figures["memory_slope_low_bytes"] = line[1] if line else None
    figures["memory_slope_high_bytes"] = line[2] if line else None
    quiet = [s for s in steps if s.sessions == 0]
    if quiet:
        cpu = sum_over_components(target, "cpu_s", quiet[0].start_s, quiet[0].end_s)
        span_s = quiet[0].end_s - quiet[0].start_s
        figures["idle_cores"] = cpu / span_s if cpu is not None and span_s > 0 else None
    return figures
