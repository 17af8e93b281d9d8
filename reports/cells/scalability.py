"""The measured cells of one target: users carried, cost at the common load, memory."""

from reports.cells import estimates, servers, workloads
from reports.cells.capacity import at_capacity, capacity_cell
from reports.cells.cell import NO_PROCESS, Cell, absent
from reports.cells.figure import Measure, figure_cell, invalid_cell
from reports.cells.memory import memory_cells, slope_cell
from reports.evidence.conditions import Conditions
from reports.evidence.trials import (
    Evidence,
    valid,
)
from reports.numbers import as_text

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


def cells(evidence: Evidence, terms: Conditions) -> list[Cell]:
    """Return a target's cells in the order of the table."""
    found = [capacity_cell(evidence, terms), *estimates.cells(evidence, terms), *at_capacity(evidence)]
    found += [common_cell(evidence, measure, terms) for measure in COMMON]
    found += [slope_cell(evidence), servers.cell(evidence, terms)]
    return [*found, *memory_cells(evidence), *workloads.cells(evidence, terms)]


def common_cell(evidence: Evidence, measure: Measure, terms: Conditions) -> Cell:
    """Return a figure at the common load: the median over its valid trials, with their range."""
    label = common_label(measure, evidence.common_level, terms)
    if evidence.no_app and measure.figure in OF_PROCESSES:
        return absent(measure.figure, label, evidence.target, NO_PROCESS)
    elsewhere = {COLD_START: evidence.checks, IDLE: evidence.idle}
    trials = elsewhere.get(measure.figure, evidence.at(evidence.common_level))
    if not trials:
        return absent(measure.figure, label, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(measure.figure, label, evidence, trials)
    cell = figure_cell(measure.figure, label, evidence, good, measure)
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
