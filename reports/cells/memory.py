"""Memory in total and per open session."""

from statistics import median

from harness.analysis.figure import figure
from reports.cells.cell import NO_PROCESS, Cell, absent
from reports.cells.figure import cell_id, figure_cell, invalid_cell
from reports.evidence.trials import (
    Evidence,
    paths,
    valid,
)
from reports.numbers import as_text, span

SLOPE = figure("memory_slope_bytes_per_session")


def slope_cell(evidence: Evidence) -> Cell:
    """Return the memory one more open session takes: slope over the steps with its 95 % interval."""
    measure = SLOPE.name
    trials = evidence.idle
    if evidence.no_app:
        return absent(measure, SLOPE.label, evidence.target, NO_PROCESS)
    if not trials:
        return absent(measure, SLOPE.label, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(measure, SLOPE.label, evidence, trials)
    names = ("memory_slope_bytes_per_session", "memory_slope_low_bytes", "memory_slope_high_bytes")
    triples = [[t.figures.get(n) for n in names] for _, t in good]
    known = [[v for v in triple if v is not None] for triple in triples]
    if any(len(triple) < 3 for triple in known):
        return absent(measure, SLOPE.label, evidence.target, "not recorded")
    value, low, high = median(t[0] for t in known), min(t[1] for t in known), max(t[2] for t in known)
    zero = low <= 0 <= high
    unit = SLOPE.unit
    short = f"< {as_text(high, unit)}" if zero else as_text(value, unit)
    interval = f"95 % interval {span(low, high, 'bytes')}"
    return Cell(
        id=cell_id(measure, evidence),
        label=SLOPE.label,
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
    steps = [figure(f"memory_bytes_{count}") for count in memory_steps(evidence)]
    return [figure_cell(step.name, step.label, evidence, good, step) for step in steps]
