"""A cell of one figure of one trial."""

from collections.abc import Sequence
from statistics import median

from harness.analysis.figure import Figure
from reports.cells.cell import Cell
from reports.evidence.trials import (
    Evidence,
    TrialRef,
    cut,
    first_reasons,
    paths,
    unfinished,
)
from reports.numbers import as_text, span


def cell_id(measure: str, evidence: Evidence) -> str:
    return f"{measure}/{evidence.target}"


def invalid_cell(measure: str, label: str, evidence: Evidence, trials: Sequence[TrialRef]) -> Cell:
    """Return a cell without a number, saying why its trials cannot be trusted."""
    why = first_reasons(trials) or "no reason recorded"
    often = f" ({len(trials) - 1} more invalid)" if len(trials) > 1 else ""
    return Cell(
        id=cell_id(measure, evidence),
        label=label,
        target=evidence.target,
        verdict="invalid",
        text=f"invalid: {why}{often}",
        rests_on=paths(trials),
    )


def figure_cell(name: str, label: str, evidence: Evidence, trials: list[TrialRef], figure: Figure) -> Cell:
    """Return the median of a figure over trials; the range where there are several."""
    readings = [None if cut(t) else t.figures.get(figure.name) for _, t in trials]
    return values_cell(name, label, evidence, trials, figure, readings)


def values_cell(
    name: str,
    label: str,
    evidence: Evidence,
    trials: Sequence[TrialRef],
    figure: Figure,
    readings: Sequence[float | None],
) -> Cell:
    """Return the median of values, one of each trial; the range where there are several."""
    values = [v for v in readings if v is not None]
    if len(values) < len(readings) or not values:
        lost = [item for item in trials if cut(item.trial)]
        never = 0.0 if lost else unfinished(trials)
        text = f"beyond any bound: {never:,.0f} turns failed or never ended" if never else _why_none(lost)
        return Cell(
            id=cell_id(name, evidence),
            label=label,
            target=evidence.target,
            unit=figure.unit,
            verdict="bound" if never else "not measured",
            text=text,
            rests_on=paths(trials),
        )
    value = float(median(values))
    text, several = as_text(value, figure.suffix), len(values) > 1
    ends = span(min(values), max(values), figure.suffix)
    spread = f" ({'same' if ends == text else ends} in {len(values)} trials)" if several else ""
    return Cell(
        id=cell_id(name, evidence),
        label=label,
        target=evidence.target,
        value=value,
        unit=figure.unit,
        bracket=(min(values), max(values)) if several else None,
        verdict="measured",
        short=text,
        text=text + spread,
        rests_on=paths(trials),
    )


def _why_none(lost: Sequence[TrialRef]) -> str:
    return f"not measured: {first_reasons(lost)}" if lost else "not recorded"
