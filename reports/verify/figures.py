"""A second way to every figure of a trial: numpy over Parquet columns, nothing shared with ``harness.analysis``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.results import CALLS, RESOURCES, TURNS
from reports.verify import model_calls, model_pace, slo_blocks, speed, turn_columns, waiting, workloads
from reports.verify import resources as verify_resources
from reports.verify.resources import Array
from reports.verify.turn_columns import Columns, Damage

Figures = dict[str, float | None]
AHEAD_S = 1e-3  # of the model: from here on an answer cannot be that of the call
CUT = ("chat", "think")  # scenarios that are cut once they are certain to fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """A trial's figures worked out again, and samples that contradict each other.

    ``machine``: what is judged though it is not printed, of a trial that only held sessions open.
    """

    figures: Figures
    damage: Damage
    foreign_nonces: int = 0
    own_limits: int = 0
    waited_s: float | None = None
    machine: Figures = field(default_factory=dict)


def recompute(folder: Path, trial: Mapping[str, Any], run: Mapping[str, Any]) -> Recomputed:
    """Work out all figures of a trial from its raw samples; ``trial`` and ``run`` are the plain JSON objects."""
    resources = verify_resources.Readings.read(folder / RESOURCES)
    summary = trial["summary"]
    if summary.get("unsettled"):
        return _unsettled(folder, resources, trial)
    if trial["key"]["scenario"] == "idle":
        return _idle(folder, resources, summary)
    turns = _columns(folder / TURNS)
    damage = turn_columns.row_counts(turns, folder, summary)
    calls = model_calls.Calls.read(folder / CALLS)
    if not damage:
        damage = turn_columns.derived(turns, folder, _begins(turns, summary), model_pace.Pace.of(run), calls)
    window = summary["phases"]["measure"]
    start_s, end_s = float(window["start_s"]), float(window["end_s"])
    measured = turns["phase"] == "measure"
    cut = measured & (turns["error_kind"] == "unfinished") & bool(summary["stopped_early"])
    judged, window_ends = measured & ~cut, (start_s, end_s)
    whole = not (summary["stopped_early"] or trial["key"]["scenario"] == "climb")
    figures = _counts(turns, judged, end_s - start_s)
    figures |= _load(turns, measured, summary, window_ends)
    figures |= _of_whole(turns, judged, summary, run) if whole else _of_part(turns, judged, trial, run)
    figures |= _workers(turns, measured, summary, end_s - start_s)
    if arrivals := summary.get("arrivals"):
        figures |= {f"arrivals_{name}": float(arrivals[name]) for name in ("per_s", "without_page", "without_user")}
    figures["cut_turns"] = float(np.count_nonzero(cut))
    unknown = np.isnan(turns["model_request_s"]) & (turns["outcome"] == "ok")
    figures["unmatched_turns"] = float(np.count_nonzero(unknown & judged))
    ahead_s = turns["model_request_s"] + turns["model_ttft_s"] - turns["first_s"]
    ahead = (ahead_s > AHEAD_S) | (-turns["lateness_s"] > AHEAD_S)
    figures["early_turns"] = float(np.count_nonzero(ahead & judged & (turns["outcome"] == "ok")))
    if calls is not None:
        figures["unmatched_calls"] = calls.unmatched(turns["tag"], start_s, end_s)
        answered = judged & (turns["outcome"] == "ok")
        figures["model_calls_per_turn"] = _mean(calls.counts(turns["tag"][answered]))
    used = verify_resources.window(resources, start_s, end_s)
    used_s = {"target": used.pop("target_cpu_s"), "busiest": used.pop("busiest_cpu_s")}
    figures |= used
    if whole:
        ended = int(np.count_nonzero((turns["done_s"] >= start_s) & (turns["done_s"] < end_s)))
        model_s = resources.growth_of_all("cpu_s", "model", start_s, end_s)
        figures |= _per_turn(used_s | {"generator": float(summary["cpu_s"]), "model": model_s}, ended)
    if trial.get("speed"):
        figures["machine_speed"] = speed.of_trial(trial)
    if trial["key"]["scenario"] == "visit":
        figures |= workloads.visits(summary, figures)
    figures |= _of_workload(turns, resources, trial, run["profile"])
    return Recomputed(
        figures=figures,
        damage=damage,
        foreign_nonces=_foreign_nonces(turns),
        own_limits=_own_limits(turns, summary),
        waited_s=waiting.waited_s(turns, summary, run["profile"]["answer"]),
    )


def _of_whole(
    turns: Columns, judged: npt.NDArray[np.bool_], summary: Mapping[str, Any], run: Mapping[str, Any]
) -> Figures:
    """Figures that only a whole window has."""
    window = (float(summary["phases"]["measure"]["start_s"]), float(summary["phases"]["measure"]["end_s"]))
    slo = run["profile"]["slo"]
    return {
        **_latencies(turns, judged),
        **_rates(turns, judged, window[1] - window[0], slo),
        **_halves(turns, judged, window, _begins(turns, summary)),
        "blocks_met_ratio": slo_blocks.met(turns, judged, window, slo),
    }


def _of_part(
    turns: Columns, judged: npt.NDArray[np.bool_], trial: Mapping[str, Any], run: Mapping[str, Any]
) -> Figures:
    """Figures of a trial that was cut, or whose users came while it was measured."""
    key, measure = trial["key"], trial["summary"]["phases"]["measure"]
    if key["scenario"] == "climb":
        window = (float(measure["start_s"]), float(measure["end_s"]))
        stopped = bool(trial["summary"]["stopped_early"])
        edge = slo_blocks.climbed(turns, judged, window, key, run["profile"], cut=stopped)
        shares: Figures = {"climb_users": edge}
    elif key["scenario"] in CUT:
        shares = slo_blocks.at_least(turns, judged, key, run["profile"])
    else:
        shares = {}
    return shares


def _per_turn(used_s: Figures, ended: int) -> Figures:
    """CPU seconds of each part of the stack over the turns that ended meanwhile."""
    return {
        f"{n}_cpu_s_per_turn": cpu_s / ended if cpu_s is not None and ended else None for n, cpu_s in used_s.items()
    }


def _foreign_nonces(turns: Columns) -> int:
    return int(np.count_nonzero(turns["error_kind"] == "foreign_nonce"))


def _own_limits(turns: Columns, summary: Mapping[str, Any]) -> int:
    """Turns and visits that failed for a limit of the load generator's own process."""
    errors = [str(visit["error"] or "") for visit in summary.get("visits") or ()]
    visits = sum(error.startswith("the load generator reached a limit of its own: ") for error in errors)
    return int(np.count_nonzero(turns["error_kind"] == "generator")) + visits


def _idle(folder: Path, resources: verify_resources.Readings, summary: Mapping[str, Any]) -> Recomputed:
    """Figures of open sessions, and what else ran on the machine from the first quiet window to the last."""
    steps, turns = summary["steps"], _columns(folder / TURNS)
    used = verify_resources.window(resources, steps[0]["start_s"], steps[-1]["end_s"]) if steps else {}
    return Recomputed(
        figures=verify_resources.idle(resources, steps),
        damage=[],
        foreign_nonces=_foreign_nonces(turns),
        own_limits=_own_limits(turns, summary),
        machine={name: used.get(name) for name in ("foreign_cpu_ratio", "steal_ratio", "throttled_s")},
    )


def _unsettled(folder: Path, resources: verify_resources.Readings, trial: Mapping[str, Any]) -> Recomputed:
    """Figures of the machine, generator and model from the last sign-in on, of a load that never settled."""
    turns = _columns(folder / TURNS)
    there_too = turns["phase"] == "warm_up"
    late = {
        "schedule_delay_p95_s": _quantile(turns["schedule_delay_s"][there_too], 0.95),
        "model_lag_p99_s": _quantile(turns["model_lag_s"][there_too], 0.99),
    }
    there = trial["summary"]["phases"]["warm_up"]
    used = verify_resources.window(resources, float(there["start_s"]), float(there["end_s"]))
    names = ("target_cores", "host_busy_ratio", "steal_ratio", "foreign_cpu_ratio", "throttled_s")
    speeds = {"machine_speed": speed.of_trial(trial)} if trial.get("speed") else {}
    return Recomputed(
        figures={name: used[name] for name in names} | late | speeds,
        damage=[],
        foreign_nonces=_foreign_nonces(turns),
        own_limits=_own_limits(turns, trial["summary"]),
    )


def _of_workload(
    turns: Columns, resources: verify_resources.Readings, trial: Mapping[str, Any], profile: Mapping[str, Any]
) -> Figures:
    """Figures that only some workloads have."""
    match trial["key"]["scenario"]:
        case "spike":
            return workloads.spike(turns, trial["summary"], profile, _quantile)
        case "soak":
            return workloads.soak(turns, resources, trial["summary"], profile)
    return {}


def _columns(path: Path) -> Columns:
    """Read a flat table: text columns as objects, all others as floats with NaN for absent."""
    table = pq.read_table(path)
    found: Columns = {}
    for name in table.column_names:
        values = table.column(name).to_numpy()
        text = name in ("phase", "outcome", "tag", "error", "error_kind", "word")
        found[name] = values.astype(object) if text else values.astype(float)
    return found


def _begins(turns: Columns, summary: Mapping[str, Any]) -> Array:
    """The start of each turn: at its arrival in an open workload, else when its message was sent."""
    begins: Array = turns["intended_s" if summary.get("arrivals") else "sent_s"]
    return begins


def _quantile(values: Array, share: float) -> float | None:
    """Linear interpolation between order statistics (Hyndman & Fan type 7); ``None`` for none or beyond any bound."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return None
    below, part = divmod((len(known) - 1) * share, 1)
    low = known[int(below)]
    if part == 0:
        return float(low) if np.isfinite(low) else None
    high = known[int(below) + 1]
    return float(low * (1 - part) + high * part) if np.isfinite(high) else None


def _latencies(turns: Columns, measured: npt.NDArray[np.bool_]) -> Figures:
    ok = turns["outcome"][measured] == "ok"
    figures: Figures = {}
    for name in ("ttft", "added_ttft", "lateness", "added_stall", "turn"):
        values = np.where(ok, turns[f"{name}_s"][measured], np.inf)
        figures[f"{name}_p50_s"], figures[f"{name}_p95_s"] = _quantile(values, 0.50), _quantile(values, 0.95)
    figures["turn_mean_s"] = _mean(turns["turn_s"][measured][ok])
    figures["ready_delay_p95_s"] = _quantile(turns["ready_delay_s"][measured], 0.95)
    return figures


def _rates(turns: Columns, measured: npt.NDArray[np.bool_], window_s: float, slo: Mapping[str, float]) -> Figures:
    outcome = turns["outcome"][measured]
    ok = outcome == "ok"
    total, finished = len(outcome), int(np.count_nonzero(ok))
    good = ok.copy()
    for threshold, column in (
        ("added_ttft_p95_s", "added_ttft_s"),
        ("lateness_p95_s", "lateness_s"),
        ("added_stall_p95_s", "added_stall_s"),
    ):
        with np.errstate(invalid="ignore"):
            good &= turns[column][measured] <= slo[threshold]
    return {
        "throughput_per_s": finished / window_s,
        "goodput_per_s": float(np.count_nonzero(good)) / window_s,
        "goodput_ratio": float(np.count_nonzero(good)) / total if total else None,
    }


def _counts(turns: Columns, measured: npt.NDArray[np.bool_], window_s: float) -> Figures:
    outcome = turns["outcome"][measured]
    ok = outcome == "ok"
    total, finished = len(outcome), int(np.count_nonzero(ok))
    text, wire = (float(np.nansum(turns[name][measured][ok])) for name in ("text_bytes", "wire_bytes"))
    return {
        "turns": float(total),
        "ok": float(finished),
        "failed": float(np.count_nonzero(outcome == "failed")),
        "incomplete": float(np.count_nonzero(outcome == "incomplete")),
        "failure_ratio": 1 - finished / total if total else None,
        "window_s": window_s,
        "wire_bytes_per_text_byte": wire / text if text and wire else None,
        "updates_per_answer": _mean(turns["updates"][measured][ok]),
        "answer_tokens_mean": _mean(turns["model_tokens"][measured][ok]),
        "schedule_delay_p95_s": _quantile(turns["schedule_delay_s"][measured], 0.95),
        "model_lag_p99_s": _quantile(turns["model_lag_s"][measured], 0.99),
    }


def _mean(values: Array) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _covered(begin: Array, end: Array, start_s: float, end_s: float) -> float:
    """Seconds that intervals spend inside a span; an absent end lasts for ever, an absent beginning never comes."""
    opened = np.where(np.isnan(begin), np.inf, begin)
    closed = np.where(np.isnan(end), np.inf, end)
    return float(np.clip(np.minimum(closed, end_s) - np.maximum(opened, start_s), 0, None).sum())


def _ends(turns: Columns) -> Array:
    """Return when the page took the next message; of a failed turn when it was over, nothing of one that was cut."""
    over = np.where(turns["outcome"] == "incomplete", np.nan, turns["done_s"])
    return np.where(np.isnan(turns["ready_s"]), over, turns["ready_s"])


def _load(
    turns: Columns,
    measured: npt.NDArray[np.bool_],
    summary: Mapping[str, Any],
    window: tuple[float, float],
) -> Figures:
    window_s = window[1] - window[0]
    begins = _begins(turns, summary)
    live_s = _covered(begins, _ends(turns), *window)
    logged_s = float(summary["live_turn_seconds"])
    late_s = float(np.nansum(turns["schedule_delay_s"][measured]))
    return {
        "users": float(summary["users"]),
        "live_turns_mean": live_s / window_s,
        "live_streams_mean": _covered(turns["first_s"], turns["last_s"], *window) / window_s,
        "little_error_ratio": abs(live_s - logged_s) / logged_s if logged_s else None,
        "little_error_s_per_turn": abs(live_s - logged_s) / count if (count := np.count_nonzero(measured)) else None,
        "lost_turns": float(summary["turns_begun"]) - float(np.count_nonzero(measured)),
        "offered_ratio": 1.0 - late_s / (float(summary["users"]) * window_s),
        "generator_cores": float(summary["cpu_s"]) / window_s,
    }


def _workers(turns: Columns, measured: npt.NDArray[np.bool_], summary: Mapping[str, Any], window_s: float) -> Figures:
    shares = summary.get("workers") or ()
    figures: Figures = {}
    for k, share in enumerate(shares):
        delays = turns["schedule_delay_s"][measured & (turns["user"].astype(int) % len(shares) == k)]
        figures[f"generator_{k}_cores"] = float(share["cpu_s"]) / window_s
        figures[f"generator_{k}_schedule_delay_p95_s"] = float(np.percentile(delays, 95)) if len(delays) else None
    return figures


def _halves(turns: Columns, measured: npt.NDArray[np.bool_], window: tuple[float, float], begins: Array) -> Figures:
    """Second half minus first, as a share of their mean, with the standard error over five slices of each half."""
    intended, times = turns["intended_s"][measured], turns["turn_s"][measured]
    edges = np.linspace(window[0], window[1], 11)
    tenth = np.searchsorted(edges, intended, side="right") - 1
    known = ~np.isnan(times)
    means = np.array(
        [times[known & (tenth == k)].mean() if (known & (tenth == k)).any() else np.nan for k in range(10)]
    )
    live = np.array([_covered(begins, _ends(turns), a, b) / max(b - a, 1e-12) for a, b in pairwise(edges)])
    return _half_ratios("turn", means) | _half_ratios("live", live)


def _half_ratios(name: str, tenths: Array) -> Figures:
    parts = [part[~np.isnan(part)] for part in (tenths[:5], tenths[5:])]
    if min(len(part) for part in parts) < 2 or not sum(part.sum() for part in parts):
        return {f"{name}_half_difference_ratio": None, f"{name}_half_error_ratio": None}
    early, late = float(parts[0].mean()), float(parts[1].mean())
    centre = (early + late) / 2
    return {
        f"{name}_half_difference_ratio": (late - early) / centre,
        f"{name}_half_error_ratio": float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))) / centre,
    }
