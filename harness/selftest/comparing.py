"""Measured beside true: each comparison is a row of the self-test's table. Shares no arithmetic with the harness."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from statistics import median, quantiles

from harness import results
from harness.analysis.capacity import Capacity
from harness.records import KnownQuantity
from harness.selftest.bench import Answered, Measured
from harness.selftest.cases import LEAK_BYTES, STALL_S, Fault, Knee

BIAS_S = 0.002  # median error of a time
WORST_S = 0.020  # 99th percentile of its error
FIGURE_S = 0.005  # error of a percentile over turns
STALL_SHARE = 0.12  # of the stall: its tail rests on a few dozen delayed turns
KNEE_SHARE = 0.10
SLOPE_SHARE = 0.05
CPU_SHARE, CPU_CORES = 0.10, 0.005
PER_TURN = {"ttft_s": "TTFT", "itl_s": "ITL", "stall_s": "stall", "lateness_s": "lateness", "turn_s": "turn time"}
FIGURES = (
    ("ttft_s", 50),
    ("ttft_s", 95),
    ("added_ttft_s", 95),
    ("lateness_s", 95),
    ("added_stall_s", 95),
    ("turn_s", 95),
)
Times = dict[str, float]  # of one turn, by quantity, in seconds


def row(
    name: str, unit: str, true: float | None, measured: float | None, error: float | None, allowed: float, text: str
) -> KnownQuantity:
    """Return a row; without an error it failed, for something ought to have been measured."""
    good = error is not None and abs(error) <= allowed
    return KnownQuantity(
        name=name,
        unit=unit,
        true=true,
        measured=measured,
        error=error,
        allowed=allowed,
        outcome="ok" if good else "failed",
        text=text,
    )


def said(name: str, good: bool, text: str) -> KnownQuantity:
    """Return a row for what has no number."""
    outcome = "ok" if good else "failed"
    return KnownQuantity(
        name=name, unit="", true=None, measured=None, error=None, allowed=None, outcome=outcome, text=text
    )


def percentile(values: Sequence[float], q: int) -> float:
    """Return a percentile by linear interpolation, from the standard library."""
    return quantiles(values, n=100, method="inclusive")[q - 1] if len(values) > 1 else values[0]


def true_times(known: Answered, request_s: float, emit_s: Sequence[float]) -> Times:
    """Return what really happened to one turn; the model had its request at ``request_s``, emitted at offsets."""
    written = known.written_s
    stall_s = max(b - a for a, b in pairwise(written))
    return {
        "ttft_s": written[0] - known.request_s,
        "itl_s": (written[-1] - written[0]) / (len(written) - 1),
        "stall_s": stall_s,
        "lateness_s": max(a - request_s - b for a, b in zip(written, emit_s, strict=True)),
        "turn_s": known.done_s - known.request_s,
        "added_ttft_s": written[0] - known.request_s - emit_s[0],
        "added_stall_s": stall_s - max(b - a for a, b in pairwise(emit_s)),
    }


def both(found: Measured) -> tuple[list[Times], list[Times]]:
    """Return the times of the measured turns as recorded, and as they really were, in the same order."""
    turns, tokens = results.read_turns(found.folder), results.read_tokens(found.folder)
    arrivals = dict(zip(tokens["tag"], zip(tokens["arrival_s"], tokens["emit_s"], strict=True), strict=True))
    recorded: list[Times] = []
    real: list[Times] = []
    for turn in turns[(turns["phase"] == "measure") & (turns["outcome"] == "ok")].to_dict("records"):
        known, (arrival_s, emit_s) = found.truth.get(turn["tag"]), arrivals[turn["tag"]]
        if known is None or len(emit_s) < 2 or len(arrival_s) < 2:
            continue
        itl_s = float(arrival_s[-1] - arrival_s[0]) / (len(known.written_s) - 1)
        recorded.append({name: itl_s if name == "itl_s" else float(turn[name]) for name in PER_TURN})
        real.append(true_times(known, float(turn["model_request_s"]), [float(one) for one in emit_s]))
    return recorded, real


def timing(found: Measured, protocol: str) -> list[KnownQuantity]:
    """Compare every turn's times, the figures made of them, and the count of turns."""
    recorded, real = both(found)
    rows = [valid(found, f"{protocol}: verdict")]
    for name, label in PER_TURN.items():
        errors = [a[name] - b[name] for a, b in zip(recorded, real, strict=True)]
        text = f"{protocol}, {len(errors)} turns"
        known = median(one[name] for one in real) if real else None
        measured = median(one[name] for one in recorded) if recorded else None
        bias = median(errors) if errors else None
        worst = percentile([abs(one) for one in errors], 99) if errors else None
        rows.append(row(f"{protocol}: {label}, median error", "s", known, measured, bias, BIAS_S, text))
        rows.append(row(f"{protocol}: {label}, p99 of its error", "s", known, measured, worst, WORST_S, text))
    for name, q in FIGURES:
        measured = found.trial.figures.get(name.removesuffix("_s") + f"_p{q}_s")
        known = percentile([one[name] for one in real], q) if real else None
        error = None if measured is None or known is None else measured - known
        label = name.removesuffix("_s").replace("_", " ").replace("ttft", "TTFT")
        rows.append(
            row(f"{protocol}: figure {label} p{q}", "s", known, measured, error, FIGURE_S, f"{protocol}, of the trial")
        )
    return [*rows, counted(found, protocol), processor(found, protocol)]


def processor(found: Measured, protocol: str) -> KnownQuantity:
    """Compare the CPU time per turn with the server's own clock, between its first and last answer in the window."""
    cores = found.trial.figures.get("target_cores")
    window = found.trial.summary.phases["measure"] if found.trial.summary else None
    known = sorted((one.done_s, one.cpu_s) for one in found.truth.values())
    inside = [one for one in known if window and window.start_s <= one[0] < window.end_s]
    text = f"{protocol}, of the server, by its own account"
    if len(inside) < 2:
        return row(f"{protocol}: CPU of the server", "cores", None, cores, None, 0.0, text)
    real = (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])
    error = None if cores is None else cores - real
    return row(f"{protocol}: CPU of the server", "cores", real, cores, error, max(CPU_CORES, CPU_SHARE * real), text)


def valid(found: Measured, name: str) -> KnownQuantity:
    """Say whether a trial of a good server was taken for one."""
    verdict = found.trial.verdict
    reasons = "; ".join(reason.text for reason in verdict.reasons)
    return said(name, verdict.outcome == "pass", reasons or f"{verdict.outcome}, as it should")


def counted(found: Measured, protocol: str) -> KnownQuantity:
    """Compare the turns the server answered with those that were recorded as answered."""
    turns = results.read_turns(found.folder)
    recorded = set(turns.loc[turns["outcome"] == "ok", "tag"])
    summary = found.trial.summary
    over_s = max(one.end_s for one in summary.phases.values()) if summary else 0.0
    # An answer may still be on its way when the generator ends: what left in its last 0.2 s may be either.
    answered = {tag for tag, one in found.truth.items() if one.done_s <= over_s - 0.2}
    wrong = len(answered - recorded) + len(recorded - set(found.truth))
    text = f"{protocol}, answered by the server and recorded as answered, by tag"
    measured = float(len(recorded & answered))
    return row(f"{protocol}: turns", "turns", float(len(answered)), measured, float(wrong), 0.0, text)


def knee(known: Knee, found: Capacity, trials: int) -> KnownQuantity:
    """Compare the bracket's geometric middle with the capacity that follows from arithmetic."""
    middle = sqrt(found.low * found.high) if found.low and found.high else None
    error = None if middle is None else middle - known.users
    bracket = f"{found.low}–{found.high} in {trials} trials" if middle else f"search {found.status}, {trials} trials"
    allowed = max(1.0, KNEE_SHARE * known.users)
    return row(known.case.name, "users", float(known.users), middle, error, allowed, f"{bracket}; {known.text}")


def stalled(found: Measured, known: Mapping[int, float], workload: str) -> list[KnownQuantity]:
    """Compare the tail of the first tokens' delay with what arithmetic says of a workload, ``closed`` or ``open``."""
    turns = results.read_turns(found.folder)
    delays = turns.loc[(turns["phase"] == "measure") & (turns["outcome"] == "ok"), "added_ttft_s"].tolist()
    rows = [valid(found, f"stalling server, {workload}: verdict")]
    for q, true in known.items():
        measured = percentile(delays, q) if delays else None
        if q == 95:
            measured = found.trial.figures.get("added_ttft_p95_s")
        error = None if measured is None else measured - true
        whose = "users who wait" if workload == "closed" else "arrivals that do not wait"
        text = f"{len(delays)} turns of {whose}, against arithmetic"
        rows.append(row(f"stall's tail p{q}, {workload}", "s", true, measured, error, STALL_SHARE * STALL_S, text))
    return rows


def rephrased(found: Measured) -> list[KnownQuantity]:
    """Compare added TTFT and the calls of a turn with what a server knows that asks the model twice."""
    turns = results.read_turns(found.folder)
    answered = turns.loc[(turns["phase"] == "measure") & (turns["outcome"] == "ok"), "tag"]
    known = [found.truth[tag] for tag in answered if tag in found.truth]
    added = [one.written_s[0] - one.request_s - one.model_s for one in known if one.written_s]
    true = percentile(added, 95) if added else None
    measured, calls = (found.trial.figures.get(name) for name in ("added_ttft_p95_s", "model_calls_per_turn"))
    error = None if measured is None or true is None else measured - true
    off = None if calls is None else calls - 2
    return [
        valid(found, "rephrasing server: verdict"),
        row("rephrasing: figure added TTFT p95", "s", true, measured, error, FIGURE_S, f"{len(added)} turns"),
        row("rephrasing: calls per turn", "calls", 2.0, calls, off, 0.0, "one to rephrase, one to answer"),
    ]


def leaked(found: Measured) -> list[KnownQuantity]:
    """Compare the slope of memory over sessions; its interval is shown: a session takes a little more than it keeps."""
    figures = found.trial.figures
    slope, low, high = (
        figures.get(name)
        for name in ("memory_slope_bytes_per_session", "memory_slope_low_bytes", "memory_slope_high_bytes")
    )
    error = None if slope is None else slope - LEAK_BYTES
    margin = SLOPE_SHARE * LEAK_BYTES
    known = low is not None and high is not None
    text = "kept by the server for every session; " + (
        f"95 % interval {low:,.0f} to {high:,.0f}" if known else "no interval"
    )
    return [row("memory per session", "bytes", float(LEAK_BYTES), slope, error if known else None, margin, text)]


def caught(fault: Fault, found: Measured) -> KnownQuantity:
    """Say whether a spoilt server was found out, for the right reason."""
    verdict = found.trial.verdict
    turns = results.read_turns(found.folder)
    kinds = set(turns["error_kind"].dropna()) - {"unfinished"}  # cut by the trial's early end
    expected = {fault.error_kind} - {None}
    good = verdict.outcome == fault.outcome and fault.code in {one.code for one in verdict.reasons}
    reasons = "; ".join(one.text for one in verdict.reasons) or "no reason"
    return said(f"a server that {fault.title}", good and kinds == expected, f"{verdict.outcome}: {reasons}")
