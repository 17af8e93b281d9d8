"""The figures of workloads beside the chat: open sessions, a spike, visits, a soak; and of swapped parts."""

from collections.abc import Iterator

from harness.analysis.figure import JSON, TABLE, Figure


def _slope(name: str, label: str, unit: str, definition: str) -> Iterator[Figure]:
    yield Figure(name, label, unit, TABLE, definition)
    for end in ("low", "high"):
        yield Figure(f"{name}_{end}", f"{label}, {end} end", unit, TABLE, f"{end} end of its 95 % interval")


MEMORY = (
    Figure(
        "memory_slope_bytes_per_session",
        "Memory per open session",
        "bytes/session",
        TABLE,
        "mean change of memory from step to step ÷ sessions opened between them",
    ),
    Figure(
        "memory_slope_low_bytes",
        "Memory per open session, low end",
        "bytes/session",
        TABLE,
        "low end of its 95 % interval",
    ),
    Figure(
        "memory_slope_high_bytes",
        "Memory per open session, high end",
        "bytes/session",
        TABLE,
        "high end of its 95 % interval",
    ),
    Figure(
        "memory_bytes_N", "Memory in total, N open sessions", "bytes", TABLE, "mean over the step with N open sessions"
    ),
)
SPIKE = (
    Figure("recovery_s", "Recovery time", "s", TABLE, "end of the spike to the first of the windows that meet the SLO"),
    Figure("recovery_watched_s", "Recovery watched", "s", TABLE, "longest recovery time that the trial can show"),
    Figure("spike_turns", "Turns during the spike", "count", JSON, "turns intended during the spike"),
    Figure(
        "spike_failure_ratio",
        "Failed or unfinished turns during the spike",
        "ratio",
        TABLE,
        "failed or unfinished turns ÷ spike_turns",
    ),
    Figure(
        "spike_added_ttft_p95_s",
        "Added TTFT p95 during the spike",
        "s",
        TABLE,
        "95th percentile over turns intended during the spike",
    ),
)
VISITS = (
    Figure("page_p50_s", "Page load, median", "s", TABLE, "first request to the page with its files"),
    Figure("page_requests", "Page load, requests", "count", TABLE, "median over visits"),
    Figure("page_bytes", "Page load, size", "bytes", TABLE, "bytes received, median over visits"),
    Figure("sign_in_p50_s", "Sign-in, median", "s", TABLE, "page loaded to signed in with a password"),
    Figure(
        "cpu_s_per_visit",
        "CPU time per visit, idle CPU included",
        "s/visit",
        TABLE,
        "CPU time of the target ÷ visits that ended",
    ),
    Figure("visit_failure_ratio", "Failed visits", "ratio", TABLE, "visits_failed ÷ (visits_failed + visits_ok)"),
    Figure("visits_ok", "Completed visits", "count", TABLE, "visits that began in the window and ended well"),
    Figure("visits_failed", "Visits with an error", "count", JSON, "visits that began in the window and failed"),
)
SOAK = (
    Figure("blocks", "Blocks", "count", TABLE, "whole blocks of the soak"),
    *_slope("memory_slope_bytes_per_hour", "Memory growth", "bytes/hour", "mean change from block end to block end"),
    *_slope(
        "cpu_slope_s_per_turn_per_hour",
        "Growth of CPU time per turn",
        "s/turn/hour",
        "least-squares slope of the blocks' means",
    ),
    *_slope(
        "added_ttft_slope_s_per_hour",
        "Growth of mean added TTFT",
        "s/hour",
        "least-squares slope of the blocks' means",
    ),
)
SWAP = (
    Figure(
        "maintenance.swap",
        "Parts that swap",
        "ratio",
        TABLE,
        "pairs of API and front end that work from end to end ÷ pairs tried",
    ),
)
