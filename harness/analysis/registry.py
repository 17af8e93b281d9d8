"""The registry of figures: name, label, unit, definition and place of every number that a trial or the table holds.

Labels and units of report, terminal and verdicts come from here. ``N`` in a name and its label stands for a number.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from harness.analysis.figure import JSON, LISTED, POOLED, TABLE, TRIALS, Figure
from harness.analysis.workload_registry import MEMORY, SOAK, SPIKE, SWAP, VISITS

_NUMBER = re.compile(r"(?<=_)\d+(?=_|$)")


def figure(name: str) -> Figure:
    """Return a figure by its name; a number in the name is put into the label.

    Raises:
        KeyError: no figure has this name.
    """
    known = BY_NAME.get(name)
    if known:
        return known
    number = _NUMBER.search(name)
    if number is None:
        raise KeyError(name)
    pattern = BY_NAME[_NUMBER.sub("N", name, count=1)]
    return replace(pattern, name=name, label=re.sub(r"\bN\b", number[0], pattern.label))


def _percentiles(stem: str, label: str, definition: str, printed: dict[int, str]) -> Iterator[Figure]:
    for q, place in printed.items():
        yield Figure(f"{stem}_p{q}_s", f"{label} p{q}", "s", place, f"{q}th percentile over turns: {definition}")


CAPACITY = (
    Figure("works", "Works", None, TABLE, "whether the base trial passed; in place of a capacity"),
    Figure(
        "capacity_users",
        "Capacity (users within SLO)",
        "users",
        TABLE,
        "highest level that passed throughout, to the lowest that failed throughout; ≤: worked out, not observed",
    ),
    Figure(
        "capacity_estimate_users",
        "Capacity, estimate over rounds",
        "users",
        TABLE,
        "geometric mean over rounds of the level where the SLO is just met; Student's t on logarithms",
    ),
    Figure(
        "capacity_at_reference_users",
        "Capacity at reference speed",
        "users",
        POOLED,
        "capacity over sessions, each ÷ machine_speed over its trials; printed where that halves their spread",
    ),
    Figure(
        "think_N_users",
        "Capacity at think time N s (median), tested",
        "users",
        TABLE,
        "trials a step beside the capacity predicted for this think time, or at the users that a claim names",
    ),
    Figure(
        "climb_users",
        "Users at which a slow climb left the SLO",
        "users",
        JSON,
        "users let in at the middle of the first of two blocks of 5 s in a row that missed it; where the search begins",
    ),
    Figure(
        "live_streams_at_capacity", "Live streams at capacity", None, TABLE, "live_streams_mean at the capacity's level"
    ),
    Figure(
        "failure_ratio_at_capacity",
        "Failed or unfinished turns at capacity",
        "ratio",
        TABLE,
        "failure_ratio at the capacity's level",
    ),
    Figure(
        "blocks_met_ratio_at_capacity",
        "Blocks that met the SLO at capacity",
        "ratio",
        TABLE,
        "blocks_met_ratio at the capacity's level",
    ),
    Figure(
        "users_per_core_at_capacity",
        "Users per core at capacity",
        "users/core",
        TABLE,
        "the capacity's level ÷ target_cores there: one process or two makes no difference",
    ),
    Figure(
        "cpu_s_per_turn_at_capacity",
        "CPU time per turn at capacity",
        "s/turn",
        TABLE,
        "target_cpu_s_per_turn × (1 − idle_cores ÷ target_cores) at the capacity's level: without idle CPU",
    ),
    Figure(
        "servers_1000_users",
        "Servers for 100 / 1,000 / 10,000 users",
        "servers",
        TABLE,
        "users ÷ users of a server that is 70 % busy, scaled from the capacity's level; memory and capacity bound it",
    ),
)
LATENCY = (
    *_percentiles("ttft", "TTFT", "first token − send", {50: JSON, 95: JSON}),
    *_percentiles(
        "added_ttft", "Added TTFT", "TTFT − time in which the model had a call of the turn", {50: TABLE, 95: TRIALS}
    ),
    *_percentiles("lateness", "Lateness", "arrival − emission, of an answer's latest token", {50: JSON, 95: TRIALS}),
    *_percentiles("added_stall", "Added stall", "longest gap − the model's longest gap", {50: JSON, 95: TRIALS}),
    *_percentiles("turn", "Turn time", "end of the answer − send", {50: JSON, 95: JSON}),
    Figure("turn_mean_s", "Mean turn time", "s", JSON, "arithmetic mean over answered turns"),
    *_percentiles("ready_delay", "Ready delay", "page ready for the next message − end of the answer", {95: JSON}),
    *_percentiles("schedule_delay", "Schedule delay", "send − intended send", {95: LISTED}),
    Figure(
        "model_lag_p99_s", "Model lag p99", "s", LISTED, "99th percentile over turns: emission − due time, latest token"
    ),
)
TURNS = (
    Figure("turns", "Turns", "count", LISTED, "turns of the measured phase, without those that an early stop cut off"),
    Figure("ok", "Answered turns", "count", JSON, "turns whose whole answer arrived"),
    Figure("failed", "Failed turns", "count", JSON, "turns that ended with an error"),
    Figure("incomplete", "Unfinished turns", "count", JSON, "turns without an end when the trial ended"),
    Figure("failure_ratio", "Failed or unfinished turns", "ratio", TRIALS, "(turns − ok) ÷ turns"),
    Figure(
        "blocks_met_ratio",
        "Blocks that met the SLO",
        "ratio",
        LISTED,
        "blocks of 5 s or 20 turns, the longer, with at most 5 % of turns beyond each threshold ÷ blocks",
    ),
    *(
        Figure(
            f"{name}_missed_at_least_ratio",
            f"Turns beyond the threshold of {what}, at least",
            "ratio",
            JSON,
            "of a trial cut as certain to fail: such turns ÷ all turns that the window could hold",
        )
        for name, what in (
            ("added_ttft", "added TTFT"),
            ("lateness", "lateness"),
            ("added_stall", "added stall"),
            ("failure", "failed turns"),
        )
    ),
    Figure("cut_turns", "Turns cut off by an early stop", "count", JSON, "unfinished turns of a trial stopped early"),
    Figure("unmatched_turns", "Answers missing from the model's log", "count", JSON, "ok turns that it lacks"),
    Figure(
        "early_turns",
        "Answers before the model sent them",
        "count",
        JSON,
        "ok turns whose first content or last token came over 1 ms before the model sent it",
    ),
    Figure("model_calls_per_turn", "Model calls per turn", None, LISTED, "mean over ok turns"),
    Figure(
        "unmatched_calls",
        "Model calls without a turn",
        "count",
        LISTED,
        "calls in the measured phase that carry no turn's tag, nor quote an answer to one",
    ),
    Figure("lost_turns", "Lost turns", "count", JSON, "turns begun − turns recorded"),
    Figure("window_s", "Measured phase", "s", JSON, "its length"),
    Figure("throughput_per_s", "Throughput (turns/s)", "turns/s", LISTED, "ok ÷ window_s"),
    Figure("goodput_per_s", "Goodput (turns/s)", "turns/s", JSON, "turns within every threshold of the SLO ÷ window_s"),
    Figure("goodput_ratio", "Turns within the SLO", "ratio", JSON, "turns within every threshold of the SLO ÷ turns"),
    Figure(
        "wire_bytes_per_text_byte",
        "Bytes on the wire per byte of text",
        None,
        TABLE,
        "bytes received ÷ bytes of the answers' text",
    ),
    Figure("updates_per_answer", "Updates per answer", None, TABLE, "mean number of times an answer grew"),
    Figure("answer_tokens_mean", "Mean answer length", "tokens", JSON, "tokens that the model sent, over ok turns"),
)
LOAD = (
    Figure("users", "Users", "users", JSON, "virtual users of the trial"),
    Figure(
        "live_turns_mean",
        "Turns in flight",
        None,
        JSON,
        "time until the page took the next message, inside the window ÷ window_s",
    ),
    Figure("live_streams_mean", "Live streams", None, JSON, "first to last token, inside the window ÷ window_s"),
    Figure(
        "little_error_ratio",
        "Little's law error",
        "ratio",
        JSON,
        "|recorded turn time − logged turn time| ÷ logged turn time",
    ),
    Figure("little_error_s_per_turn", "Little's law error per turn", "s", JSON, "the same difference ÷ recorded turns"),
    Figure("offered_ratio", "Offered load", "ratio", JSON, "1 − sum of schedule delays ÷ (users × window_s)"),
    Figure("arrivals_per_s", "Arrivals (turns/s)", "turns/s", JSON, "rate of open arrivals"),
    Figure("arrivals_without_page", "Arrivals before the page was ready", "count", JSON, "open arrivals"),
    Figure("arrivals_without_user", "Arrivals that waited for a user", "count", JSON, "open arrivals"),
    *(
        figure
        for name, what in (("turn_half", "mean turn time"), ("live_half", "turns in flight"))
        for figure in (
            Figure(
                f"{name}_difference_ratio",
                f"Difference of {what} between the window's halves",
                "ratio",
                JSON,
                "(second half − first half) ÷ their mean",
            ),
            Figure(
                f"{name}_error_ratio",
                f"Standard error of that difference ({what})",
                "ratio",
                JSON,
                "√(e₁² + e₂²) ÷ the halves' mean",
            ),
        )
    ),
)
RESOURCES = (
    Figure(
        "target_cpu_s_per_turn",
        "CPU time per turn, idle CPU included",
        "s/turn",
        JSON,
        "CPU time of the target ÷ turns that ended in the window; the gate compares it",
    ),
    Figure(
        "busiest_cpu_s_per_turn",
        "CPU time per turn, busiest process, idle CPU included",
        "s/turn",
        JSON,
        "CPU time of the target's busiest process ÷ turns that ended in the window",
    ),
    *(
        Figure(
            f"{name}_cpu_s_per_turn",
            f"CPU time per turn, {name if name == 'model' else 'load generator'}",
            "s/turn",
            JSON,
            f"CPU time of the {name if name == 'model' else 'load generator'} ÷ turns that ended in the window",
        )
        for name in ("generator", "model")
    ),
    Figure("target_cores", "Target CPU (cores)", "cores", LISTED, "CPU time of the target ÷ window_s"),
    Figure("busiest_process_cores", "Busiest process (cores)", "cores", LISTED, "its CPU time ÷ window_s"),
    Figure("model_cores", "Model CPU (cores)", "cores", JSON, "CPU time of the model ÷ window_s"),
    Figure("generator_cores", "Load generator CPU (cores)", "cores", JSON, "its CPU time ÷ window_s"),
    Figure("generator_N_cores", "Load generator N CPU (cores)", "cores", JSON, "the same, of process N"),
    Figure(
        "generator_N_schedule_delay_p95_s",
        "Schedule delay p95 of load generator N",
        "s",
        JSON,
        "schedule_delay_p95_s over the users of process N",
    ),
    Figure("throttled_s", "CPU throttled", "s", JSON, "time that the target's control group waited for its quota"),
    Figure("memory_mean_bytes", "Mean memory", "bytes", JSON, "anonymous + shared memory of the target, mean"),
    Figure("memory_peak_bytes", "Peak memory", "bytes", TRIALS, "anonymous + shared memory of the target, maximum"),
    Figure("host_busy_ratio", "Machine busy", "ratio", LISTED, "CPU time neither idle nor stolen ÷ (the same + idle)"),
    Figure("steal_ratio", "CPU steal", "ratio", JSON, "CPU time stolen by the host ÷ CPU time of the machine"),
    Figure(
        "foreign_cpu_ratio",
        "CPU used by other programs",
        "ratio",
        JSON,
        "(CPU time of all processes − that of target, model, load generator and harness) ÷ CPU time of the machine",
    ),
    Figure(
        "machine_speed",
        "Machine speed",
        "×",
        LISTED,
        "reference CPU time ÷ CPU time of the fixed work before and after the trial, geometric mean over kinds of work",
    ),
    Figure("idle_cores", "Idle CPU (cores)", "cores", TABLE, "CPU time of the target without a session ÷ time"),
    Figure("cold_start_s", "Cold start to first answer", "s", TABLE, "start of the target to its first whole answer"),
)

FIGURES = (*CAPACITY, *LATENCY, *TURNS, *LOAD, *RESOURCES, *MEMORY, *SPIKE, *VISITS, *SOAK, *SWAP)
BY_NAME = {one.name: one for one in FIGURES}
