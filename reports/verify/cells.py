"""A second way to the table's cells: from recomputed figures and verdicts, nothing shared with ``harness.analysis``."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reports.verify import audits, cost, estimates
from reports.verify.difference import same

Trial = Mapping[str, Any]
Trials = Mapping[str, Mapping[str, Any]]  # by folder: trial.json with its figures worked out again
Expected = tuple[float | None, tuple[float | None, float | None] | None]  # value, bracket
EMPTY: Expected = (None, None)
WORKED_OUT = ("capacity_users", "capacity_estimate_users")  # measures with ends that may not have been observed


def check(
    table: Mapping[str, Any], run: Mapping[str, Any], trials: Trials, swap: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """Yield (cell id, what differs) for every cell of ``table.json`` that trials and swap matrix do not bear out."""
    cells = [cell for row in table["rows"] for cell in row["cells"]]
    cells += [cell for further in table["further"] for cell in further["cells"]]
    shown = {cell["id"] for cell in cells}
    headline = "capacity_users" if run["profile"].get("capacity", True) else "works"
    for target in run["targets"]:
        if f"{headline}/{target}" not in shown:
            yield f"{headline}/{target}", "is not in the table"
    yield from audits.check(cells, run, trials, swap)
    for cell in cells:
        lost = [path for path in cell["rests_on"] if path not in trials]
        if lost:
            yield cell["id"], f"rests on {lost[0]}, which is missing or damaged"
            continue
        if audits.audited(cell["id"]):
            continue
        if cell["id"].startswith("works/") and cell["verdict"] != (verdict := _works(cell, run, trials)):
            yield cell["id"], f"says {cell['verdict']}, its trials say {verdict}"
        value, bracket = expected(cell["id"], run, trials)
        if not same(cell["value"], value):
            yield cell["id"], f"value: printed {cell['value']}, the samples give {value}"
        ends = tuple(cell["bracket"]) if cell["bracket"] else (None, None)
        if len(ends) != 2 or not all(same(a, b) for a, b in zip(ends, bracket or (None, None), strict=True)):
            yield (
                cell["id"],
                f"bracket: printed {cell['bracket']}, the samples give {list(bracket) if bracket else None}",
            )
        yield from ((cell["id"], text) for text in _soft_ends(cell, run, trials))
        if cell["id"].startswith("servers_1000_users/"):
            yield from ((cell["id"], text) for text in _all_servers(cell, trials))


def expected(cell_id: str, run: Mapping[str, Any], trials: Trials) -> Expected:
    """Return the value and bracket that a cell has to show."""
    measure, _, target = cell_id.partition("/")
    if measure in ("flexibility", "works"):
        return EMPTY
    if " / " in target:
        a, b = target.split(" / ", 1)
        if measure == "capacity_estimate_users":
            return estimates.ratio(_chat(a, trials), _chat(b, trials), run)
        return _ratio(measure, (a, b), run, trials)
    mine = [t for t in trials.values() if t["key"]["target"] == target]
    valid = [t for t in mine if t["verdict"]["outcome"] != "invalid"]
    chat = [t for t in valid if t["key"]["scenario"] == "chat"]
    scenario, _, figure = measure.partition(".")
    if figure:
        return _workload([t for t in valid if _workload_of(t) == scenario], figure)
    if measure == "capacity_users":
        low, high = capacity(chat)
        return low, ((low, high) if (low, high) != (None, None) else None)
    if measure in ("capacity_estimate_users", "servers_1000_users") or measure.startswith("think_"):
        return _estimated(measure, chat, valid, run)
    if measure in ("users_per_core_at_capacity", "cpu_s_per_turn_at_capacity"):
        low, _ = capacity(chat)
        at_edge = [t for t in chat if low and t["key"]["level"] == low]
        idle = [t for t in valid if t["key"]["scenario"] == "idle"]
        return cost.users_per_core(at_edge) if measure.startswith("users") else cost.cpu_s_per_turn(at_edge, idle)
    if measure.endswith("_at_capacity"):
        low, _ = capacity(chat)
        named = measure.removesuffix("_at_capacity")
        figure = "live_streams_mean" if named == "live_streams" else named
        return _middle([t for t in chat if low and t["key"]["level"] == low], figure)
    return _read_elsewhere(measure, valid, chat, run)


def worked_out(cell_id: str, run: Mapping[str, Any], trials: Trials) -> list[bool]:
    """Return of each end of a cell's bracket whether it was worked out from the CPU time that the target had."""
    measure, _, target = cell_id.partition("/")
    if measure not in WORKED_OUT:
        return [False, False]
    above, *below = (_chat(name, trials) for name in target.split(" / "))
    if measure == "capacity_estimate_users":
        soft = estimates.worked_out(above, below[0] if below else None, run)
    else:
        soft = (any(_ends(one)[2] for one in below), bool(_ends(above)[2]))
    _, bracket = expected(cell_id, run, trials)
    return [mark and end is not None for mark, end in zip(soft, bracket or (None, None), strict=True)]


def between(cell_id: str, run: Mapping[str, Any], trials: Trials) -> list[float] | None:
    """Return the least and the most that a figure with a worked-out end counts by among sessions; None without both."""
    if not any(worked_out(cell_id, run, trials)):
        return None
    measure, _, target = cell_id.partition("/")
    above, *below = (_chat(name, trials) for name in target.split(" / "))
    if measure == "capacity_estimate_users":
        return estimates.between(above, below[0] if below else None, run)
    over, under = _middles(above), (_middles(below[0]) if below else [1.0, 1.0])
    return [over[0] / under[1], over[1] / under[0]] if over and under else None


def _middles(trials: list[Trial]) -> list[float] | None:
    """Return a capacity's middle between the levels that were tried, and that × the worked-out end ÷ what failed."""
    low, high, failed = _ends(trials)
    if not low or not high:
        return None
    middle = float(np.exp(np.log([low, failed or high]).mean()))
    return [middle, middle * high / (failed or high)]


def _soft_ends(cell: Mapping[str, Any], run: Mapping[str, Any], trials: Trials) -> Iterator[str]:
    """Yield what is wrong with what a cell says of ends that were worked out."""
    said, marks = cell.get("worked_out") or [False, False], worked_out(cell["id"], run, trials)
    if said != marks:
        yield f"ends that were worked out: printed {said}, the samples give {marks}"
    printed, again = cell.get("between"), between(cell["id"], run, trials)
    if len(printed or ()) != len(again or ()) or not all(map(same, printed or (), again or ())):
        yield f"between: printed {printed}, the samples give {again}"


def _works(cell: Mapping[str, Any], run: Mapping[str, Any], trials: Trials) -> str:
    """Return the verdict on whether a target works: all trials at the base users that tell so passed.

    CPU time that others took spoils a measurement; a target that met every threshold in spite of them works.
    """
    slo = run["profile"]["slo"]
    of_base = [t for t in trials.values() if t["key"]["target"] == cell["target"] and t["key"]["scenario"] == "chat"]
    outcomes = [_outcome(t, slo) for t in of_base if t["key"]["level"] == run["common_level"]]
    if not outcomes:
        return "not measured"
    judged = [outcome for outcome in outcomes if outcome != "invalid"]
    return "invalid" if not judged else "failed" if "fail" in judged else "passed"


def _outcome(trial: Trial, slo: Mapping[str, float]) -> str:
    outcome, figures = str(trial["verdict"]["outcome"]), trial["figures"]
    spoilt = {reason["code"] for reason in trial["verdict"]["reasons"]} - {"invalid.foreign_cpu", "invalid.steal"}
    met = not any(figures.get(name) is None or figures[name] > limit for name, limit in slo.items())
    return "pass" if outcome == "invalid" and met and not spoilt else outcome


def _estimated(measure: str, chat: list[Trial], valid: list[Trial], run: Mapping[str, Any]) -> Expected:
    if measure == "capacity_estimate_users":
        return estimates.estimate(chat, run)
    if measure == "servers_1000_users":
        counts = _servers(chat, [t for t in valid if t["key"]["scenario"] == "idle"])
        return (counts[cost.WANTED.index(1000)] if counts else None), None
    scenario = f"think-{measure.split('_')[1]}"
    return estimates.thinking([t for t in valid if _workload_of(t) == scenario])


def _servers(chat: list[Trial], idle: list[Trial]) -> list[int]:
    low, _ = capacity(chat)
    return cost.servers([t for t in chat if low and t["key"]["level"] == low], idle, low)


def _all_servers(cell: Mapping[str, Any], trials: Trials) -> Iterator[str]:
    """Yield what is wrong with the servers that a cell names, one for each number of users."""
    idle = [t for t in trials.values() if (t["key"]["target"], t["key"]["scenario"]) == (cell["target"], "idle")]
    valid = [t for t in idle if t["verdict"]["outcome"] != "invalid"]
    said = [int(count.replace(",", "")) for count in re.findall(r"\d[\d,]*", cell["text"].partition("(")[0])]
    again = _servers(_chat(cell["target"], trials), valid)
    if said != again:
        yield f"servers: printed {said}, the samples give {again}"


def _workload_of(trial: Trial) -> str:
    """Return a trial's scenario as cells name it: with its parameter, where it has one."""
    scenario, parameter = trial["key"]["scenario"], trial["key"]["parameter"]
    return str(scenario) if parameter is None else f"{scenario}-{parameter}"


def _read_elsewhere(measure: str, valid: list[Trial], chat: list[Trial], run: Mapping[str, Any]) -> Expected:
    if measure == "memory_slope_bytes_per_session":
        return _slope([t for t in valid if t["key"]["scenario"] == "idle"])
    if measure.startswith("memory_bytes_"):
        return _middle([t for t in valid if t["key"]["scenario"] == "idle"], measure)
    if measure == "idle_cores":
        return _middle([t for t in valid if t["key"]["scenario"] == "idle"], measure)
    if measure == "cold_start_s":
        return _middle([t for t in valid if t["key"]["scenario"] == "check"], measure)
    return _middle([t for t in chat if t["key"]["level"] == run["common_level"]], measure)


def _workload(trials: list[Trial], figure: str) -> Expected:
    """The last valid trial of a workload other than closed chat."""
    if not trials:
        return EMPTY
    figures = max(trials, key=lambda t: int(t["key"]["number"]))["figures"]
    value = figures.get(figure)
    if figure == "recovery_s" and value is None:
        return None, (figures["recovery_watched_s"], None)
    if f"{figure}_low" not in figures or value is None:
        return value, None
    low, high = figures[f"{figure}_low"], figures[f"{figure}_high"]
    return (None, (None, high)) if low <= 0 <= high else (value, (low, high))


def _chat(target: str, trials: Trials) -> list[Trial]:
    mine = [t for t in trials.values() if t["key"]["target"] == target and t["key"]["scenario"] == "chat"]
    return [t for t in mine if t["verdict"]["outcome"] != "invalid"]


def _middle(trials: list[Mapping[str, Any]], figure: str) -> Expected:
    """Median over trials, and their range where there are several; nothing where one was cut or has no number."""
    values = [t["figures"].get(figure) for t in trials]
    if not values or None in values or any(_cut(t["summary"] or {}) for t in trials):
        return EMPTY
    several = len(values) > 1
    return float(np.median(values)), ((float(np.min(values)), float(np.max(values))) if several else None)


def _cut(summary: Mapping[str, Any]) -> bool:
    """Tell if a trial was stopped early, or given up because its load never settled."""
    return bool(summary.get("stopped_early") or summary.get("unsettled"))


def _slope(trials: list[Mapping[str, Any]]) -> Expected:
    found = cost.session_bytes(trials)
    if found is None:
        return EMPTY
    value, low, high = found
    return (None, (None, high)) if low <= 0 <= high else (value, (low, high))


def capacity(trials: list[Mapping[str, Any]]) -> tuple[int | None, int | None]:
    """Return (highest level that passed below every failure, lowest that failed throughout above every pass).

    Where each of the latter's trials was contended: its users times all cores of a server over those that the target
    had, in trials that were not cut where there are any.
    """
    low, high, _ = _ends(trials)
    return low, high


def _ends(trials: list[Mapping[str, Any]]) -> tuple[int | None, int | None, int | None]:
    """Return both ends of a capacity, and the level that failed where the upper one was worked out."""
    passes = [t["key"]["level"] for t in trials if t["verdict"]["outcome"] == "pass"]
    fails = [t["key"]["level"] for t in trials if t["verdict"]["outcome"] == "fail"]
    low = max((n for n in passes if all(n < f for f in fails)), default=None)
    high = min((n for n in fails if all(n > p for p in passes)), default=None)
    if high == 1 and low is None:
        return 0, 1, None
    there = [t for t in trials if t["key"]["level"] == high]
    if high is None or False in [t["verdict"]["contended"] for t in there]:
        return low, high, None
    whole = [t for t in there if not (t["summary"] or {}).get("stopped_early")]
    shares = [(t["figures"].get("target_cores") or 0.0) / cost.SERVER_CPUS for t in whole or there]
    if low is None or min(shares) <= 0:
        return low, None, None
    return low, round(high / min(1.0, *shares)), high


def _ratio(measure: str, pair: tuple[str, str], run: Mapping[str, Any], trials: Trials) -> Expected:
    (a, around_a), (b, around_b) = (expected(f"{measure}/{target}", run, trials) for target in pair)
    invalid = [measure == "capacity_users" and around is None for around in (around_a, around_b)]
    if any(invalid):
        return EMPTY
    low_a, high_a = around_a or (a, a)
    low_b, high_b = around_b or (b, b)
    value = a / b if a is not None and b else None
    counted = measure == "capacity_users"
    low = low_a / high_b if low_a is not None and high_b and (counted or low_a > 0) else None
    high = high_a / low_b if high_a is not None and low_b and low_b > 0 else None
    single = not around_a and not around_b
    if counted and None in (low, high):
        value = None  # a ratio with an open end has no value
    return value, None if single or (low, high) == (None, None) else (low, high)
