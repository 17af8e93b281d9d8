"""A second way to what rests on single turns' SLO: blocks, the edge of a climb, and the shares of a cut trial."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
SECONDS, TURNS = 5.0, 20
FIVE_PERCENT = 0.05
COLUMN_OF = {
    "added_ttft_p95_s": "added_ttft_s",
    "lateness_p95_s": "lateness_s",
    "added_stall_p95_s": "added_stall_s",
}
SHOWN_AS = {
    "added_ttft_p95_s": "added_ttft",
    "lateness_p95_s": "lateness",
    "added_stall_p95_s": "added_stall",
    "failure_ratio": "failure",
}


def _misses(turns: Mapping[str, Any], rows: Mask, slo: Mapping[str, float]) -> dict[str, Mask]:
    """Return for each threshold which of the rows are beyond it."""
    bad = turns["outcome"][rows] != "ok"
    found: dict[str, Mask] = {"failure_ratio": bad}
    with np.errstate(invalid="ignore"):
        for threshold, column in COLUMN_OF.items():
            found[threshold] = bad | (turns[column][rows] > slo[threshold])
    return found


def _blocks(
    turns: Mapping[str, Any],
    rows: Mask,
    window: tuple[float, float],
    slo: Mapping[str, float],
    length_s: float,
    *,
    rest: bool = False,
) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return the turns of each whole block, and whether it met every threshold; ``rest``: of the last one too."""
    whole, left = divmod(window[1] - window[0] + 1e-9 * length_s, length_s)
    count = int(whole) + int(rest and left > 2e-9 * length_s)
    place = np.floor((turns["intended_s"][rows] - window[0]) / length_s).astype(int)
    inside = (place >= 0) & (place < count)
    totals = np.bincount(place[inside], minlength=count)
    met = np.ones(count, bool)
    for threshold, beyond in _misses(turns, rows, slo).items():
        share = slo["failure_ratio"] if threshold == "failure_ratio" else FIVE_PERCENT
        met &= np.bincount(place[inside & beyond], minlength=count) <= share * totals
    return totals, met


def met(turns: Mapping[str, Any], rows: Mask, window: tuple[float, float], slo: Mapping[str, float]) -> float | None:
    """Return the share of blocks that met the SLO."""
    total, span_s = int(np.count_nonzero(rows)), window[1] - window[0]
    length_s = max(SECONDS, TURNS * span_s / total) if total else SECONDS
    totals, good = _blocks(turns, rows, window, slo, length_s)
    return float((good & (totals > 0)).mean()) if total and len(good) > 1 else None


def climbed(
    turns: Mapping[str, Any],
    rows: Mask,
    window: tuple[float, float],
    key: Mapping[str, Any],
    profile: Mapping[str, Any],
    *,
    cut: bool,
) -> float | None:
    """Return the users let in at the middle of the first of two missed blocks in a row; ``cut``: of the last one too.

    A climb is cut while most turns of its second missed block are under way.
    """
    totals, good = _blocks(turns, rows, window, profile["slo"], SECONDS, rest=cut)
    counted = np.flatnonzero(totals >= TURNS)
    bad = ~good[counted]
    edges = counted[bad & np.append(bad[1:], cut)] if counted.size else counted
    if not edges.size:
        return None
    return float(key["level"] * min(1.0, (edges[0] + 0.5) * SECONDS / profile["search"]["climb_s"]))


def at_least(
    turns: Mapping[str, Any], rows: Mask, key: Mapping[str, Any], profile: Mapping[str, Any]
) -> dict[str, float | None]:
    """Return the shares of all turns the window could hold that were beyond each threshold when it was cut."""
    possible = _possible(key, profile)
    return {
        f"{SHOWN_AS[threshold]}_missed_at_least_ratio": float(np.count_nonzero(beyond)) / possible
        for threshold, beyond in _misses(turns, rows, profile["slo"]).items()
    }


def thresholds(
    figures: Mapping[str, float | None], slo: Mapping[str, float], *, cut: bool
) -> dict[str, tuple[float | None, float]]:
    """Return the figure and the limit that decide each threshold: of a cut trial the share of turns beyond it."""
    if not cut:
        return {name: (figures[name], limit) for name, limit in slo.items() if name in figures}
    named = {name: f"{SHOWN_AS[name]}_missed_at_least_ratio" for name in slo}
    return {
        name: (figures[figure], slo[name] if name == "failure_ratio" else FIVE_PERCENT)
        for name, figure in named.items()
        if figure in figures
    }


def _possible(key: Mapping[str, Any], profile: Mapping[str, Any]) -> float:
    """A fifth more turns than users without any delay would send, or than the window waits for."""
    window = profile["window"]
    return float(1.2 * max(window["measure_turns"], window["measure_min_s"] * key["level"] / sum(pace(key, profile))))


def pace(key: Mapping[str, Any], profile: Mapping[str, Any]) -> tuple[float, float]:
    """Return the mean seconds of an answer as the model sends it, and of a user's thinking after it."""
    think_s = _mean(profile["think_s"]) if key["scenario"] != "think" else _mean(profile["think_s"], key["parameter"])
    answer = profile["answer"]
    knots = answer.get("tokens_quantiles") or ()
    tokens = float(np.mean((np.array(knots[1:]) + np.array(knots[:-1])) / 2)) if knots else _mean(answer["tokens"])
    return _mean(answer["ttft_s"]) + tokens * float(answer["itl_s"]), think_s


def _mean(what: Mapping[str, Any], median: float | None = None) -> float:
    return float((what["median"] if median is None else median) * np.exp(what.get("sigma", 0.0) ** 2 / 2))
