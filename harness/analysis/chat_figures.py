"""A trial's figures from its raw samples: the names and formulas behind every printed number."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isfinite, nan, sqrt

import pandas as pd

from harness.analysis import blocks, stats
from harness.analysis.resource_figures import Figures, resource_figures
from harness.analysis.slo import at_least_name
from harness.records import GeneratorSummary, PhaseTimes, Slo

SLICES = 5  # of each half of a window
CLOCK_S = 0.001  # far more than one clock, read by two processes, can differ by


def finite(value: float | None) -> float | None:
    """Return a value that JSON can hold: None stands for beyond any bound."""
    return None if value is None or not isfinite(value) else float(value)


def _percentile(turns: pd.DataFrame, column: str, q: float) -> float | None:
    """Percentile over turns; one that did not end ``ok`` counts as infinite, so that slow turns never vanish."""
    values = turns[column].where(turns["outcome"] == "ok", inf)
    known = values[values.notna()]
    return finite(stats.percentile(known.tolist(), q))


def chat_figures(
    turns: pd.DataFrame,
    resources: pd.DataFrame,
    summary: GeneratorSummary,
    slo: Slo,
    calls: pd.DataFrame | None = None,
    *,
    possible: float | None = None,
    climb_s: float = 0.0,
) -> Figures:
    """Return the figures of a trial of scenario ``chat``; names carry their units.

    A trial that was cut, its verdict being certain, has no percentile, throughput or mean: its window is what it was
    cut for. It has the share of all turns that the window could hold which was beyond the SLO already. A climb has the
    users at which it left the SLO.

    Args:
        turns: A row per turn of the whole trial (``turns.parquet``).
        resources: A row per sample and component (``resources.parquet``).
        summary: The generator's own account.
        slo: Thresholds for the goodput.
        calls: A row per call of the model in the whole trial (``calls.parquet``).
        possible: The most turns that the window can hold, for a trial that was cut.
        climb_s: Over so much of the window users came; 0: all were there before it.
    """
    window = summary.phases["measure"]
    window_s = window.end_s - window.start_s
    measured = turns[turns["phase"] == "measure"]
    # A trial that was stopped because its verdict was certain cut the answers under way: that is no fault of theirs.
    cut = (measured["error_kind"] == "unfinished") & summary.stopped_early
    judged = measured[~cut]
    whole = not (summary.stopped_early or climb_s)
    figures = _of_window(turns, judged, summary, slo) if whole else {}
    figures |= _counts(judged, window_s)
    if summary.stopped_early and possible:
        shares = blocks.at_least_beyond(judged, slo, possible)
        figures |= {at_least_name(name): share for name, share in shares.items()}
    if climb_s:
        stopped = summary.stopped_early
        figures["climb_users"] = blocks.climbed(judged, window, slo, summary.users, climb_s, stopped=stopped)
    figures |= _load(turns, measured, summary, window)
    figures |= _workers(measured, summary, window_s)
    if arrivals := summary.arrivals:
        figures["arrivals_per_s"] = arrivals.per_s
        figures["arrivals_without_page"] = float(arrivals.without_page)
        figures["arrivals_without_user"] = float(arrivals.without_user)
    figures["cut_turns"] = float(cut.sum())
    figures["unmatched_turns"] = float(((judged["outcome"] == "ok") & judged["model_request_s"].isna()).sum())
    figures["early_turns"] = float(((judged["outcome"] == "ok") & early(judged)).sum())
    if calls is not None:
        asked = calls[(calls["request_s"] >= window.start_s) & (calls["request_s"] < window.end_s)]
        figures["unmatched_calls"] = float((~asked["tag"].isin(turns["tag"])).sum())
    figures |= resource_figures(resources, window.start_s, window.end_s)
    cpu = figures.pop("target_cpu_s")
    if not whole:
        return figures
    ended = ended_inside(turns, window)
    figures["target_cpu_s_per_turn"] = cpu / ended if cpu is not None and ended else None
    busiest = figures["busiest_process_cores"]
    figures["busiest_cpu_s_per_turn"] = busiest * window_s / ended if busiest is not None and ended else None
    for name, cores in (("generator", figures["generator_cores"]), ("model", figures["model_cores"])):
        per_turn = cores * window_s / ended if cores is not None and ended else None
        figures[f"{name}_cpu_s_per_turn"] = per_turn  # the same work in every session: a witness of the machine's speed
    return figures


def _of_window(turns: pd.DataFrame, judged: pd.DataFrame, summary: GeneratorSummary, slo: Slo) -> Figures:
    """Return what only a whole window shows: percentiles, rates, means, its blocks and halves."""
    window = summary.phases["measure"]
    return {
        **_latencies(judged),
        **_means(judged),
        **_live(turns, summary, window),
        **_rates(judged, window.end_s - window.start_s, slo),
        **_halves(judged, _spans(turns, summary), window),
        "blocks_met_ratio": blocks.met_ratio(judged, window, slo),
    }


def early(turns: pd.DataFrame) -> "pd.Series[bool]":
    """Return which turns had an answer before the model sent it: it is not the one that it is compared with."""
    model_first_s = turns["model_request_s"] + turns["model_ttft_s"]
    return (turns["first_s"] < model_first_s - CLOCK_S) | (turns["lateness_s"] < -CLOCK_S)


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
    return figures


def _rates(measured: pd.DataFrame, window_s: float, slo: Slo) -> Figures:
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
    return {
        "throughput_per_s": ok / window_s,
        "goodput_per_s": good / window_s,
        "goodput_ratio": good / total if total else None,
    }


def lateness_of_tools(turns: pd.DataFrame) -> Figures:
    """Return how late generator and model were, in seconds."""
    return {
        "schedule_delay_p95_s": finite(stats.percentile(turns["schedule_delay_s"].dropna().tolist(), 95)),
        "model_lag_p99_s": finite(stats.percentile(turns["model_lag_s"].dropna().tolist(), 99)),
    }


def _counts(measured: pd.DataFrame, window_s: float) -> Figures:
    """Return how many turns there were, and how late generator and model were: the trust in any trial asks for both."""
    outcome = measured["outcome"]
    return {
        "turns": float(len(measured)),
        "ok": float((outcome == "ok").sum()),
        "failed": float((outcome == "failed").sum()),
        "incomplete": float((outcome == "incomplete").sum()),
        "window_s": window_s,
        **lateness_of_tools(measured),
    }


def _means(measured: pd.DataFrame) -> Figures:
    total = len(measured)
    finished = measured[measured["outcome"] == "ok"]
    text, wire = float(finished["text_bytes"].sum()), float(finished["wire_bytes"].sum())
    return {
        "failure_ratio": (total - len(finished)) / total if total else None,
        "wire_bytes_per_text_byte": wire / text if text and wire else None,  # a user class may not count its bytes
        "updates_per_answer": stats.mean(finished["updates"].astype(float).tolist()),
        "answer_tokens_mean": stats.mean(finished["model_tokens"].dropna().astype(float).tolist()),
        "model_calls_per_turn": stats.mean(finished["model_calls"].astype(float).tolist()),
    }


def _spans(turns: pd.DataFrame, summary: GeneratorSummary) -> list[tuple[float, float]]:
    """Return the times from which and to which each turn was under way: until the page takes the next message."""
    begun = turns["intended_s"] if summary.arrivals else turns["sent_s"]
    answered = turns["done_s"].where(turns["outcome"] != "incomplete")  # the page may have been drawn again meanwhile
    return list(zip(begun, turns["ready_s"].fillna(answered).fillna(inf), strict=True))


def _live(turns: pd.DataFrame, summary: GeneratorSummary, window: PhaseTimes) -> Figures:
    streams = list(zip(turns["first_s"].fillna(inf), turns["last_s"].fillna(inf), strict=True))
    spans = {"live_turns_mean": _spans(turns, summary), "live_streams_mean": streams}
    window_s = window.end_s - window.start_s
    return {name: stats.overlap(one, window.start_s, window.end_s) / window_s for name, one in spans.items()}


def _load(turns: pd.DataFrame, measured: pd.DataFrame, summary: GeneratorSummary, window: PhaseTimes) -> Figures:
    window_s = window.end_s - window.start_s
    recorded = stats.overlap(_spans(turns, summary), window.start_s, window.end_s)
    logged = summary.live_turn_seconds
    return {
        "users": float(summary.users),
        "little_error_ratio": abs(recorded - logged) / logged if logged else None,
        "little_error_s_per_turn": abs(recorded - logged) / len(measured) if len(measured) else None,
        "lost_turns": float(summary.turns_begun - len(measured)),
        # Time that users stood ready to send while the generator did not is load that was not offered.
        "offered_ratio": 1 - float(measured["schedule_delay_s"].sum()) / (summary.users * window_s),
        "generator_cores": summary.cpu_s / window_s,
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
    """Compare the window's halves, as shares of their mean, with standard errors of the difference.

    The errors come from means over slices: turns that are under way together depend on each other, slices about a think
    cycle long nearly do not.
    """
    edges = [window.start_s + k * (window.end_s - window.start_s) / (2 * SLICES) for k in range(2 * SLICES + 1)]
    times = measured[["intended_s", "turn_s"]].dropna().astype(float)
    slices = [
        (
            times.loc[(times["intended_s"] >= a) & (times["intended_s"] < b), "turn_s"].mean(),
            stats.overlap(intervals, a, b) / (b - a) if b > a else nan,
        )
        for a, b in pairwise(edges)
    ]
    return {
        **_difference("turn_half", [float(turn_s) for turn_s, _ in slices]),
        **_difference("live_half", [live for _, live in slices]),
    }


def _difference(name: str, slices: Sequence[float]) -> Figures:
    """Return how the second half of slices differs from the first; None where one is empty, or nothing happened."""
    halves = [[v for v in part if isfinite(v)] for part in (slices[:SLICES], slices[SLICES:])]
    means = [stats.mean(part) for part in halves]
    errors = [stats.standard_error(part) for part in halves]
    figures: Figures = {f"{name}_difference_ratio": None, f"{name}_error_ratio": None}
    (a, b), (ea, eb) = means, errors
    if a is None or b is None or ea is None or eb is None or a + b == 0:
        return figures
    centre = (a + b) / 2
    return {f"{name}_difference_ratio": (b - a) / centre, f"{name}_error_ratio": sqrt(ea**2 + eb**2) / centre}
