"""The cells of the comparison table: what was measured, how it is worded, and which trials it rests on."""

from dataclasses import dataclass
from typing import Any, Literal

CellVerdict = Literal["measured", "bound", "tie", "none", "inconclusive", "invalid", "passed", "failed", "not measured"]
NOT_MEASURED = "not measured yet"
NO_PROCESS = "no process of its own"  # no application
NO_APP = "no application"
Bracket = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell; numbers in the stated unit (seconds, bytes, users …), ``text`` as printed everywhere.

    Attributes:
        id: Name of the measure, then the target: unique in a table.
        bracket: Interval around the value; ``None`` inside it is an open end.
        worked_out: Of each end of the bracket, whether it was worked out and not observed.
        between: With a worked-out end, the least and the most that count where sessions are pooled.
        verdict: ``bound`` where only one end is known, ``tie`` where a ratio's bracket includes 1.
        short: The beginning of ``text`` that can stand alone: the number.
        rests_on: Trial folders, relative to the run's.
        evidence: File and place in it where an audit's finding is read in full, relative to the run's folder.
    """

    id: str
    label: str
    target: str
    value: float | None = None
    unit: str | None = None
    bracket: Bracket | None = None
    worked_out: tuple[bool, bool] = (False, False)
    between: tuple[float, float] | None = None
    verdict: CellVerdict
    text: str
    short: str = ""
    rests_on: tuple[str, ...] = ()
    evidence: str | None = None

    @property
    def rest(self) -> str:
        """The part of ``text`` after ``short``."""
        return self.text.removeprefix(self.short)

    def as_json(self) -> dict[str, Any]:
        """Return the cell as plain data, in reading order."""
        return {
            "id": self.id,
            "label": self.label,
            "target": self.target,
            "value": self.value,
            "unit": self.unit,
            "bracket": list(self.bracket) if self.bracket else None,
            "verdict": self.verdict,
            "text": self.text,
            "rests_on": list(self.rests_on),
            **({"worked_out": list(self.worked_out)} if any(self.worked_out) else {}),
            **({"between": list(self.between)} if self.between else {}),
            **({"evidence": self.evidence} if self.evidence else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure across the columns; a cell is ``None`` where that column has nothing to say about it."""

    id: str
    label: str
    modular: Cell | None
    monolithic: Cell | None
    ratio: Cell | None = None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells there are, in column order."""
        return tuple(cell for cell in (self.modular, self.monolithic, self.ratio) if cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the article's comparison, with its section there."""

    name: str
    section: str
    lines: tuple[Line, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of the row."""
        return tuple(cell for line in self.lines for cell in line.cells)


def absent(measure: str, label: str, target: str, text: str = NOT_MEASURED) -> Cell:
    """Return the cell of something that was not measured."""
    return Cell(id=f"{measure}/{target}", label=label, target=target, verdict="not measured", text=text)
