"""Which figures of a run count among several sessions; a rule that shares nothing with ``harness.analysis``."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reports.verify import cells

Trials = Mapping[str, Mapping[str, Any]]
Run = Mapping[str, Any]
Reading = tuple[float, float, bool]  # the least and the most of a session's value, and whether it is a lower bound only

CAPACITY, ESTIMATE = "capacity_users", "capacity_estimate_users"
OF_A_TARGET = (
    CAPACITY,
    ESTIMATE,
    "live_streams_at_capacity",
    "failure_ratio_at_capacity",
    "blocks_met_ratio_at_capacity",
    "users_per_core_at_capacity",
    "cpu_s_per_turn_at_capacity",
    "servers_1000_users",
    "added_ttft_p50_s",
    "added_ttft_p95_s",
    "lateness_p95_s",
    "added_stall_p95_s",
    "failure_ratio",
    "wire_bytes_per_text_byte",
    "updates_per_answer",
    "memory_peak_bytes",
    "memory_slope_bytes_per_session",
    "idle_cores",
    "cold_start_s",
)
OF_THE_PAIR = (
    CAPACITY,
    ESTIMATE,
    "users_per_core_at_capacity",
    "cpu_s_per_turn_at_capacity",
    "memory_slope_bytes_per_session",
)
OF_A_WORKLOAD = {
    "open": ("added_ttft_p95_s", "lateness_p95_s"),
    "visit": (
        "page_p50_s",
        "page_requests",
        "page_bytes",
        "sign_in_p50_s",
        "cpu_s_per_visit",
        "visit_failure_ratio",
    ),
    "spike": ("recovery_s", "spike_failure_ratio", "spike_added_ttft_p95_s"),
    "soak": ("memory_slope_bytes_per_hour", "cpu_slope_s_per_turn_per_hour", "added_ttft_slope_s_per_hour"),
}


def reading(cell_id: str, run: Run, trials: Trials) -> Reading | None:
    """Return what a session's value is between, and whether it is a lower bound only; None where it has none to count.

    A bracket counts by its geometric middle, by two with a worked-out end, an open one by its lower end. A search that
    was given up does not count.
    """
    value, around = cells.expected(cell_id, run, trials)
    measure, _, target = cell_id.partition("/")
    if measure != CAPACITY and not measure.startswith("think_") and (measure != ESTIMATE or value is not None):
        return None if value is None else (float(value), float(value), False)
    low, high = around or (None, None)
    if low is None or low <= 0 or (measure == CAPACITY and high is None and _given_up(target, trials)):
        return None
    if soft := cells.between(cell_id, run, trials):
        return soft[0], soft[1], False
    middle = low if high is None else np.sqrt(low * high)
    return float(middle), float(middle), high is None


def _given_up(target: str, trials: Trials) -> bool:
    """Tell if two invalid trials of one level were the last of a search in which no level had failed throughout."""
    mine = [t for t in trials.values() if (t["key"]["target"], t["key"]["scenario"]) == (target, "chat")]
    tried = [(t["verdict"]["outcome"], t["key"]["level"]) for t in sorted(mine, key=lambda t: int(t["key"]["number"]))]
    highest = max((level for outcome, level in tried if outcome == "pass"), default=0)
    failed = any(outcome == "fail" and level > highest for outcome, level in tried)
    return not failed and len(tried) > 1 and tried[-1] == tried[-2] and tried[-1][0] == "invalid"


def due(run: Run, trials: Trials, pair: tuple[str | None, str | None]) -> Iterator[str]:
    """Yield the ids of the cells on load that a run counts for."""
    for cell_id in _ids(run, trials, pair):
        if reading(cell_id, run, trials) is not None:
            yield cell_id


def _ids(run: Run, trials: Trials, pair: tuple[str | None, str | None]) -> Iterator[str]:
    measured = run["profile"].get("capacity", True)
    if measured and None not in pair:
        yield from (f"{measure}/{pair[0]} / {pair[1]}" for measure in OF_THE_PAIR)
    for target in run["targets"]:
        mine = [t for t in trials.values() if t["key"]["target"] == target]
        for scenario, share in {(t["key"]["scenario"], t["key"]["parameter"]) for t in mine}:
            word = scenario if share is None else f"{scenario}-{share}"
            yield from (f"{word}.{one}/{target}" for one in OF_A_WORKLOAD.get(scenario, ()))
        if measured:
            thinking = {t["key"]["parameter"] for t in mine if t["key"]["scenario"] == "think"}
            read = {name for t in mine for name in t["figures"] if name.removeprefix("memory_bytes_").isdigit()}
            measures = {*OF_A_TARGET, *read, *(f"think_{seconds}_users" for seconds in thinking)}
            yield from (f"{measure}/{target}" for measure in measures)
