"""Memory in total and per open session."""

from harness.analysis import stats
from harness.analysis.registry import figure
from harness.records import Trial
from reports.cells.cell import NO_PROCESS, Cell, absent
from reports.cells.figure import cell_id, figure_cell, invalid_cell
from reports.evidence.trials import (
    Evidence,
    paths,
    valid,
)
from reports.numbers import as_text, span

SLOPE = figure("memory_slope_bytes_per_session")


def per_session(evidence: Evidence) -> tuple[float, float, float] | None:
    """Return the memory of one more open session with its 95 % interval (low, high); None where too few were read.

    The mean change over the steps of all starts: within a start each step goes on from the last one, and what one start
    has left is nothing to the next.
    """
    rates: list[float] = []
    for _, trial in valid(evidence.idle):
        read = {count: trial.figures[f"memory_bytes_{count}"] for count in steps_of(trial)}
        known = [(float(count), value) for count, value in sorted(read.items()) if value is not None]
        rates += stats.rates([x for x, _ in known], [y for _, y in known])
    return stats.mean_interval(rates)


def slope_cell(evidence: Evidence) -> Cell:
    """Return the memory one more open session takes, with its 95 % interval."""
    measure = SLOPE.name
    trials = evidence.idle
    if evidence.no_app:
        return absent(measure, SLOPE.label, evidence.target, NO_PROCESS)
    if not trials:
        return absent(measure, SLOPE.label, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(measure, SLOPE.label, evidence, trials)
    found = per_session(evidence)
    if found is None:
        return absent(measure, SLOPE.label, evidence.target, "not recorded")
    value, low, high = found
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


def steps_of(trial: Trial) -> list[int]:
    """Return the numbers of open sessions at which a trial read memory, ascending."""
    counts = [name.removeprefix("memory_bytes_") for name in trial.figures if name.startswith("memory_bytes_")]
    return sorted(int(count) for count in counts if count.isdigit())


def memory_steps(evidence: Evidence) -> list[int]:
    """Return the numbers of open sessions at which memory was read."""
    return sorted({count for _, trial in valid(evidence.idle) for count in steps_of(trial)})


def memory_cells(evidence: Evidence) -> list[Cell]:
    """Return the memory of the whole stack at each number of open sessions."""
    good = valid(evidence.idle)
    steps = [figure(f"memory_bytes_{count}") for count in memory_steps(evidence)]
    return [figure_cell(step.name, step.label, evidence, good, step) for step in steps]
