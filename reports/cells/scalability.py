"""The measured cells of one target: capacity and cost there, figures at the common load, memory."""

from dataclasses import replace

from harness.analysis.registry import figure
from reports.cells import cost, estimates, servers, workloads, works
from reports.cells.capacity import at_capacity, capacity_cell
from reports.cells.cell import NO_PROCESS, Cell, absent
from reports.cells.figure import figure_cell, invalid_cell
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
    "added_ttft_p50_s",
    "added_ttft_p95_s",
    "lateness_p95_s",
    "added_stall_p95_s",
    "failure_ratio",
    "wire_bytes_per_text_byte",
    "updates_per_answer",
    "memory_peak_bytes",
    IDLE,
    COLD_START,
)
OF_PROCESSES = ("memory_peak_bytes", IDLE, COLD_START)  # what only an application can have


def cells(evidence: Evidence, terms: Conditions) -> list[Cell]:
    """Return a target's cells in the order of the table; without a capacity, whether it works and no number of it."""
    if not terms.profile.capacity:
        return [works.cell(evidence, terms), *workloads.cells(evidence, terms)]
    found = [capacity_cell(evidence, terms), *estimates.cells(evidence, terms), *at_capacity(evidence)]
    found += cost.cells(evidence)
    found += [common_cell(evidence, name, terms) for name in COMMON]
    found += [slope_cell(evidence), servers.cell(evidence)]
    return [*found, *memory_cells(evidence), *workloads.cells(evidence, terms)]


def common_cell(evidence: Evidence, name: str, terms: Conditions) -> Cell:
    """Return a figure at the common load: the median over its valid trials, with their range."""
    label = common_label(name, evidence.common_level, terms)
    if evidence.no_app and name in OF_PROCESSES:
        return absent(name, label, evidence.target, NO_PROCESS)
    elsewhere = {COLD_START: evidence.checks, IDLE: evidence.idle}
    trials = elsewhere.get(name, evidence.at(evidence.common_level))
    if not trials:
        return absent(name, label, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(name, label, evidence, trials)
    cell = figure_cell(name, label, evidence, good, figure(name))
    limit = terms.slo.get(name)
    if limit is None or cell.value is None or cell.value <= limit:
        return cell
    return replace(cell, text=f"{cell.text}, over the SLO")


def common_label(name: str, level: int, terms: Conditions) -> str:
    """Name a figure with its load and, where it has one, its threshold."""
    shown = figure(name)
    if name in (COLD_START, IDLE):
        return shown.label
    limit = terms.slo.get(name)
    slo = f" (SLO ≤ {as_text(limit, shown.unit)})" if limit is not None else ""
    return f"{shown.label} at {as_text(level, 'users')}{slo}"
