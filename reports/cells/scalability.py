"""The measured cells of one target: users carried, cost at the common load, memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.analysis.capacity import Capacity
from reports.cells import estimates, servers, workloads
from reports.cells.cell import NO_PROCESS, NOT_MEASURED, Cell, absent
from reports.evidence.conditions import Conditions
from reports.evidence.trials import (
    Evidence,
    Located,
    first_reasons,
    live_streams,
    paths,
    reasons,
    unfinished,
    valid,
)
from reports.numbers import as_text, span


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure read at the common load."""

    figure: str
    label: str
    unit: str | None


COLD_START = "cold_start_s"  # read where the target is started for its check, not at the common load
IDLE = "idle_cores"  # read before the first session of the idle trial
COMMON = (
    Measure(figure="added_ttft_p50_s", label="Added TTFT p50", unit="s"),
    Measure(figure="added_ttft_p95_s", label="Added TTFT p95", unit="s"),
    Measure(figure="lateness_p95_s", label="Lateness p95", unit="s"),
    Measure(figure="added_stall_p95_s", label="Added stall p95", unit="s"),
    Measure(figure="failure_ratio", label="Failed + unfinished turns", unit="ratio"),
    Measure(figure="target_cpu_s_per_turn", label="CPU time per turn, idle CPU included,", unit="s/turn"),
    Measure(figure="wire_bytes_per_text_byte", label="Bytes on the wire per byte of text", unit=None),
    Measure(figure="updates_per_answer", label="Updates per answer", unit=None),
    Measure(figure="memory_peak_bytes", label="Peak memory", unit="bytes"),
    Measure(figure=IDLE, label="CPU cores while nobody speaks", unit=None),
    Measure(figure=COLD_START, label="Cold start to first answer", unit="s"),
)
OF_PROCESSES = ("target_cpu_s_per_turn", "memory_peak_bytes", IDLE, COLD_START)  # what only an application can have
CAPACITY = "Users carried within the SLO"
CAPACITY_FAILURES = "Failed + unfinished turns at capacity"
LIVE = "Live streams at capacity"
SLOPE = "Memory per open session"


def cells(evidence: Evidence, terms: Conditions) -> list[Cell]:
    """Return a target's cells in the order of the table."""
    found = [capacity_cell(evidence, terms), *estimates.cells(evidence, terms), *at_capacity(evidence)]
    found += [common_cell(evidence, measure, terms) for measure in COMMON]
    found += [slope_cell(evidence), servers.cell(evidence, terms)]
    return [*found, *memory_cells(evidence), *workloads.cells(evidence, terms)]


def _cell_id(measure: str, evidence: Evidence) -> str:
    return f"{measure}/{evidence.target}"


def invalid_cell(measure: str, label: str, evidence: Evidence, trials: Sequence[Located]) -> Cell:
    """Return a cell without a number, saying why its trials cannot be trusted."""
    why = first_reasons(trials) or "no reason recorded"
    often = f" (so too in {len(trials) - 1} more)" if len(trials) > 1 else ""
    return Cell(
        id=_cell_id(measure, evidence),
        label=label,
        target=evidence.target,
        verdict="invalid",
        text=f"invalid: {why}{often}",
        rests_on=paths(trials),
    )


def capacity_cell(evidence: Evidence, terms: Conditions) -> Cell:
    """Return how many simultaneous users a target carries, with think time, answers and live streams."""
    trials = evidence.chat
    if not trials:
        return absent("capacity_users", CAPACITY, evidence.target)
    if not valid(trials):
        return invalid_cell("capacity_users", CAPACITY, evidence, trials)
    ends = evidence.capacity
    live = live_streams(valid(evidence.at(ends.low or 0)))
    short = _capacity_short(ends)
    known = (ends.low, ends.high) != (None, None)
    verdict = ends.status if ends.status in ("none", "inconclusive") else ("measured" if ends.high else "bound")
    return Cell(
        id=_cell_id("capacity_users", evidence),
        label=CAPACITY,
        target=evidence.target,
        value=ends.low,
        unit="users",
        bracket=(ends.low, ends.high) if known else None,
        verdict=verdict,
        short=short,
        text=f"{short}{_capacity_note(evidence, ends)} ({terms.at(ends.low, live)})",
        rests_on=paths(_edges(evidence, ends)),
    )


def _capacity_short(ends: Capacity) -> str:
    if ends.status == "none":
        return "none"
    if ends.low is None or ends.status == "inconclusive":
        return "inconclusive"
    return span(ends.low, ends.high, "users") if ends.high else f"≥ {as_text(ends.low, 'users')}"


def _capacity_note(evidence: Evidence, ends: Capacity) -> str:
    if ends.status == "none":
        return f": one user already misses the SLO, {reasons(valid(evidence.at(1))) or 'no reason recorded'}"
    if ends.low is None:
        below = f"; {as_text(ends.high, 'users')} fail" if ends.high else ""
        return f": no level passed throughout{below}"
    if ends.status == "inconclusive":
        return f": {as_text(ends.low, 'users')} passed"
    if ends.high:
        return _once_tried(evidence, ends)
    if ends.at_least:
        own = ", all of it given to generator and upstream," if evidence.direct else " itself"
        return f"; above that the machine{own} was the limit"
    return "; no level tried failed throughout"


def _once_tried(evidence: Evidence, ends: Capacity) -> str:
    once = [str(end) for end in (ends.low, ends.high) if end and len(valid(evidence.at(end))) == 1]
    return f"; {' and '.join(once)} tried once" if once else ""


def _edges(evidence: Evidence, ends: Capacity) -> list[Located]:
    """The trials at and between both ends of the bracket; all valid ones where an end is open."""
    low = ends.low or 0
    return [i for i in valid(evidence.chat) if i[1].key.level >= low and (not ends.high or i[1].key.level <= ends.high)]


def at_capacity(evidence: Evidence) -> list[Cell]:
    """Return live streams and failures at the highest level that passed."""
    ends = evidence.capacity
    if not ends.low:
        text = "no level passed" if valid(evidence.chat) else "no valid trial" if evidence.chat else NOT_MEASURED
        return [
            absent("live_streams_at_capacity", LIVE, evidence.target, text),
            absent("failure_ratio_at_capacity", CAPACITY_FAILURES, evidence.target, text),
        ]
    trials = valid(evidence.at(ends.low))
    return [
        _figure_cell(
            "live_streams_at_capacity", LIVE, evidence, trials, Measure(figure="live_streams_mean", label="", unit=None)
        ),
        _figure_cell(
            "failure_ratio_at_capacity",
            CAPACITY_FAILURES,
            evidence,
            trials,
            Measure(figure="failure_ratio", label="", unit="ratio"),
        ),
    ]


def common_cell(evidence: Evidence, measure: Measure, terms: Conditions) -> Cell:
    """Return a figure at the common load: the median over its valid trials, with their range."""
    label = common_label(measure, evidence.common_level, terms)
    if evidence.direct and measure.figure in OF_PROCESSES:
        return absent(measure.figure, label, evidence.target, NO_PROCESS)
    elsewhere = {COLD_START: evidence.checks, IDLE: evidence.idle}
    trials = elsewhere.get(measure.figure, evidence.at(evidence.common_level))
    if not trials:
        return absent(measure.figure, label, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(measure.figure, label, evidence, trials)
    cell = _figure_cell(measure.figure, label, evidence, good, measure)
    limit = terms.slo.get(measure.figure)
    if limit is None or cell.value is None or cell.value <= limit:
        return cell
    return Cell(**(_fields(cell) | {"text": f"{cell.text}, over the SLO"}))  # type: ignore[arg-type]  # its own fields


def _fields(cell: Cell) -> dict[str, object]:
    return {name: getattr(cell, name) for name in Cell.__dataclass_fields__}


def common_label(measure: Measure, level: int, terms: Conditions) -> str:
    """Name a measure with its load and, where it has one, its threshold."""
    if measure.figure in (COLD_START, IDLE):
        return measure.label
    limit = terms.slo.get(measure.figure)
    slo = f" (SLO ≤ {as_text(limit, measure.unit)})" if limit is not None else ""
    return f"{measure.label} at {as_text(level, 'users')}{slo}"


def _figure_cell(name: str, label: str, evidence: Evidence, trials: list[Located], measure: Measure) -> Cell:
    """Return the median of a figure over trials; the range where there are several."""
    figures = [t.figures.get(measure.figure) for _, t in trials]
    values = [v for v in figures if v is not None]
    if len(values) < len(figures) or not values:
        never = unfinished(trials)
        text = f"beyond any bound: {never:,.0f} turns failed or never ended" if never else "not recorded"
        return Cell(
            id=_cell_id(name, evidence),
            label=label,
            target=evidence.target,
            unit=measure.unit,
            verdict="bound" if never else "not measured",
            text=text,
            rests_on=paths(trials),
        )
    value = float(median(values))
    several = len(values) > 1
    ends = span(min(values), max(values), measure.unit)
    spread = f" ({'same' if ends == as_text(value, measure.unit) else ends} in {len(values)} trials)" if several else ""
    return Cell(
        id=_cell_id(name, evidence),
        label=label,
        target=evidence.target,
        value=value,
        unit=measure.unit,
        bracket=(min(values), max(values)) if several else None,
        verdict="measured",
        short=as_text(value, measure.unit),
        text=as_text(value, measure.unit) + spread,
        rests_on=paths(trials),
    )


def slope_cell(evidence: Evidence) -> Cell:
    """Return the memory one more open session takes: slope over the steps with its 95 % interval."""
    measure = "memory_slope_bytes_per_session"
    trials = evidence.idle
    if evidence.direct:
        return absent(measure, SLOPE, evidence.target, NO_PROCESS)
    if not trials:
        return absent(measure, SLOPE, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(measure, SLOPE, evidence, trials)
    names = ("memory_slope_bytes_per_session", "memory_slope_low_bytes", "memory_slope_high_bytes")
    triples = [[t.figures.get(n) for n in names] for _, t in good]
    known = [[v for v in triple if v is not None] for triple in triples]
    if any(len(triple) < 3 for triple in known):
        return absent(measure, SLOPE, evidence.target, "not recorded")
    value, low, high = median(t[0] for t in known), min(t[1] for t in known), max(t[2] for t in known)
    zero = low <= 0 <= high
    unit = "bytes/session"
    short = f"< {as_text(high, unit)}" if zero else as_text(value, unit)
    interval = f"95 % interval {span(low, high, 'bytes')}"
    return Cell(
        id=_cell_id(measure, evidence),
        label=SLOPE,
        target=evidence.target,
        value=None if zero else value,
        unit=unit,
        bracket=(None, high) if zero else (low, high),
        verdict="bound" if zero else "measured",
        short=short,
        text=f"{short}; the interval includes 0" if zero else f"{short} ({interval})",
        rests_on=paths(good),
    )


def memory_steps(evidence: Evidence) -> list[int]:
    """Return the numbers of open sessions at which memory was read."""
    found = set()
    for _, trial in valid(evidence.idle):
        for name in trial.figures:
            count = name.removeprefix("memory_bytes_")
            if count != name and count.isdigit():
                found.add(int(count))
    return sorted(found)


def memory_cells(evidence: Evidence) -> list[Cell]:
    """Return the memory of the whole stack at each number of open sessions."""
    good = valid(evidence.idle)
    return [
        _figure_cell(
            f"memory_bytes_{count}",
            f"Memory in total, {count} open sessions",
            evidence,
            good,
            Measure(figure=f"memory_bytes_{count}", label="", unit="bytes"),
        )
        for count in memory_steps(evidence)
    ]
