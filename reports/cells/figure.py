"""A cell of one figure of one trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.cells.cell import Cell
from reports.cells.scalability import _cell_id
from reports.evidence.trials import (
    Evidence,
    Located,
    first_reasons,
    paths,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure read at the common load."""

    figure: str
    label: str
    unit: str | None


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
