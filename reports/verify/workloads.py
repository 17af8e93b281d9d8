"""A second way to the figures of spike and soak: numpy over columns, nothing shared with ``harness.analysis``."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from reports.verify.resources import Array, Readings, line, mean_step, steps_of

Figures = dict[str, float | None]
Columns = Mapping[str, Any]
Quantile = Callable[[Array, float], float | None]
HOUR_S = 3600.0


def spike(turns: Columns, summary: Mapping[str, Any], profile: Mapping[str, Any], quantile: Quantile) -> Figures:
    """Return what happened during a spike, and the recovery time."""
    begin_s, over_s = float(summary["spike"]["start_s"]), float(summary["spike"]["end_s"])
    length_s = float(profile["spike"]["window_s"])
    intended, ok = turns["intended_s"], turns["outcome"] == "ok"
    during = (intended >= begin_s) & (intended < over_s)
    last = int(np.floor(float(summary["phases"]["measure"]["end_s"]) - over_s - length_s + 1e-9))
    starts = over_s + np.arange(last + 1)
    met = [_met(turns, (intended >= a) & (intended < a + length_s), profile["slo"], quantile) for a in starts]
    missed = np.flatnonzero(~np.array(met, bool))
    first = int(missed[-1]) + 1 if len(missed) else 0
    added = np.where(ok[during], turns["added_ttft_s"][during], np.inf)
    return {
        "spike_turns": float(np.count_nonzero(during)),
        "spike_failure_ratio": float(np.count_nonzero(during & ~ok) / np.count_nonzero(during))
        if during.any()
        else None,
        "spike_added_ttft_p95_s": quantile(added, 0.95),
        "recovery_s": float(first) if first < len(met) else None,
        "recovery_watched_s": float(max(0, last)),
    }


def _met(turns: Columns, rows: npt.NDArray[np.bool_], slo: Mapping[str, float], quantile: Quantile) -> bool:
    ok = turns["outcome"][rows] == "ok"
    if not len(ok) or np.count_nonzero(~ok) / len(ok) > slo["failure_ratio"]:
        return False
    for name in ("added_ttft_p95_s", "lateness_p95_s", "added_stall_p95_s"):
        worst = quantile(np.where(ok, turns[name.replace("_p95", "")][rows], np.inf), 0.95)
        if worst is None or worst > slo[name]:
            return False
    return True


def visits(summary: Mapping[str, Any], used: Figures) -> Figures:
    """Return what visits took, from the generator's account of each; ``used``: figures of the same trial."""
    window = summary["phases"]["measure"]
    names = ("start_s", "page_s", "page_requests", "page_bytes", "signed_in_s", "end_s")
    rows = [[np.nan if one[name] is None else float(one[name]) for name in names] for one in summary["visits"]]
    start, page, requests, size, signed, end = np.array(rows, float).reshape(-1, len(names)).T
    broken = np.array([one["error"] is not None for one in summary["visits"]], bool)
    begun = (start >= window["start_s"]) & (start < window["end_s"])
    finished = ~np.isnan(end) & ~broken
    good, bad = int(np.count_nonzero(begun & finished)), int(np.count_nonzero(begun & broken))
    over = int(np.count_nonzero(finished & (end >= window["start_s"]) & (end < window["end_s"])))
    cores, length_s = used["target_cores"], window["end_s"] - window["start_s"]
    return {
        "visits_ok": float(good),
        "visits_failed": float(bad),
        "visit_failure_ratio": bad / (good + bad) if good + bad else None,
        "page_requests": _median(requests[begun]),
        "page_bytes": _median(size[begun]),
        "page_p50_s": _median((page - start)[begun]),
        "sign_in_p50_s": _median((signed - page)[begun]),
        "cpu_s_per_visit": cores * length_s / over if cores is not None and over else None,
    }


def _median(values: Array) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def soak(turns: Columns, resources: Readings, summary: Mapping[str, Any], profile: Mapping[str, Any]) -> Figures:
    """Return the slopes per hour with their intervals: of means over blocks, of memory from block end to block end."""
    window = summary["phases"]["measure"]
    length_s = float(profile["soak"]["block_s"])
    count = int(np.floor((window["end_s"] - window["start_s"]) / length_s + 1e-9))
    edges = window["start_s"] + length_s * np.arange(count + 1)
    hours = (np.arange(count) + 0.5) * length_s / HOUR_S
    good = (turns["outcome"] == "ok") & ~np.isnan(turns["added_ttft_s"])
    memory, cpu, added = np.full((3, count), np.nan)
    for n, (a, b) in enumerate(pairwise(edges)):
        readings = resources.memory(b - length_s / 5, b)
        ended = np.count_nonzero((turns["done_s"] >= a) & (turns["done_s"] < b))
        used_s = resources.growth_of_all("cpu_s", "target", a, b)
        rows = good & (turns["intended_s"] >= a) & (turns["intended_s"] < b)
        memory[n] = readings.mean() if len(readings) else np.nan
        cpu[n] = used_s / ended if used_s is not None and ended else np.nan
        added[n] = turns["added_ttft_s"][rows].mean() if rows.any() else np.nan
    figures: Figures = {"blocks": float(count)}
    names = ("memory_slope_bytes_per_hour", "cpu_slope_s_per_turn_per_hour", "added_ttft_slope_s_per_hour")
    found: tuple[float | None, ...]
    for name, values in zip(names, (memory, cpu, added), strict=True):
        known = ~np.isnan(values)
        if values is memory:
            found = mean_step(steps_of(hours[known], values[known])) or (None, None, None)
        else:
            found = line(list(zip(hours[known].tolist(), values[known].tolist(), strict=True)))
        figures |= dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))
    return figures
