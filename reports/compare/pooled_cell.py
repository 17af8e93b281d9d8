"""One figure over sessions: each session's value, the interval over them and the range for the next one."""

from dataclasses import dataclass
from typing import Any

from harness.analysis import sessions
from harness.analysis.registry import figure
from harness.analysis.sessions import Pooled, Reading
from harness.analysis.speed import SessionSpeed
from reports.cells.cell import Cell
from reports.content.report import Report
from reports.numbers import span

CAPACITY, ESTIMATE, AT_REFERENCE = "capacity_users", "capacity_estimate_users", "capacity_at_reference_users"
RATIO = " / "
SHARE = "ratio"  # unit of shares: an interval of logarithms would reach beyond 100 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run as part of a pooled result; ``sha256`` is over ``run.json`` and every ``trial.json``."""

    report: Report
    sha256: str
    speed: SessionSpeed | None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.report.run.run_id

    def cell(self, cell_id: str) -> Cell | None:
        """Return a cell of the run's table."""
        return self.report.table.cell(cell_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledCell:
    """One figure over sessions, of which one at least has a value.

    Attributes:
        readings: Each session's value in the order of the sessions; None where it has none to count.
        texts: What each session's own report says.
    """

    id: str
    label: str
    target: str
    unit: str | None
    pooled: Pooled | None
    readings: tuple[Reading | None, ...]
    texts: tuple[str, ...]

    @property
    def measure(self) -> str:
        """The name of the figure."""
        return self.id.partition("/")[0]

    @property
    def suffix(self) -> str | None:
        """The unit behind a number, as the run's own table prints it."""
        return self.unit if RATIO in self.target else figure(self.measure.rpartition(".")[2]).suffix

    @property
    def short(self) -> str:
        """The value, or what it lies between; the range over sessions where no logarithm serves."""
        if self.pooled is None:
            values = [one.value for one in self.readings if one]
            return span(min(values), max(values), self.suffix)
        text = span(self.pooled.least, self.pooled.most, self.suffix)
        return f"≥ {text}" if self.pooled.at_least else text

    @property
    def interval(self) -> str:
        """The 95 % interval over sessions; – without one."""
        return span(*self.pooled.interval, self.suffix) if self.pooled and self.pooled.interval else "–"

    @property
    def following(self) -> str:
        """The range predicted for the next session; – without one."""
        return span(*self.pooled.following, self.suffix) if self.pooled and self.pooled.following else "–"

    @property
    def counted(self) -> str:
        """How many sessions count, and how many of them with a reservation."""
        return self._count + self._reservations

    @property
    def _count(self) -> str:
        there = sum(one is not None for one in self.readings)
        return str(there) if there == len(self.readings) else f"{there} of {len(self.readings)}"

    @property
    def _reservations(self) -> str:
        there = [one for one in self.readings if one]
        bounds, worked_out = sum(one.at_least for one in there), sum(one.most is not None for one in there)
        text = f", {bounds} as lower bounds" if bounds else ""
        return f"{text}, {worked_out} with a worked-out end" if worked_out else text

    @property
    def text(self) -> str:
        """The whole result in words."""
        sessions = f"{self._count} sessions{self._reservations}"
        if self.pooled is None:
            why = "a share of a whole" if self.unit == SHARE else "not all are positive"
            return f"{self.short} (range over {sessions}: {why})"
        if self.pooled.interval is None:
            return f"{self.short} ({sessions})"
        tie = RATIO in self.target and self.pooled.interval[0] <= 1 <= self.pooled.interval[1]
        return (
            f"{'tie: ' if tie else ''}{self.short} (95 % interval {self.interval}; "
            f"next session {self.following}; {sessions})"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the cell as plain data."""
        return {
            "id": self.id,
            "label": self.label,
            "target": self.target,
            "value": self.pooled.value if self.pooled else None,
            "between": list(self.pooled.between) if self.pooled and self.pooled.between else None,
            "unit": self.unit,
            "interval": list(self.pooled.interval) if self.pooled and self.pooled.interval else None,
            "next_session": list(self.pooled.following) if self.pooled and self.pooled.following else None,
            "at_least": bool(self.pooled and self.pooled.at_least),
            "sessions": self.pooled.sessions if self.pooled else 0,
            "text": self.text,
            "counted": self.counted,
            "readings": [
                {
                    "value": one.value if one and one.most is None else None,
                    "between": list(one.ends) if one and one.most is not None else None,
                    "at_least": bool(one and one.at_least),
                    "text": text,
                }
                for one, text in zip(self.readings, self.texts, strict=True)
            ],
        }


def pooled_cell(
    cell_id: str,
    label: str,
    target: str,
    unit: str | None,
    readings: tuple[Reading | None, ...],
    texts: tuple[str, ...],
) -> PooledCell:
    """Return a figure over sessions from each session's value."""
    known = [one for one in readings if one]
    found = sessions.pooled(known) if known and unit != SHARE else None
    return PooledCell(id=cell_id, label=label, target=target, unit=unit, pooled=found, readings=readings, texts=texts)


def reading(cell: Cell | None) -> Reading | None:
    """Return a session's value of a figure; a bracket counts by its middle, or by two, an open one as a lower bound."""
    if cell is None or cell.verdict in ("invalid", "inconclusive", "none", "not measured"):
        return None
    measure = cell.id.partition("/")[0]
    if measure == CAPACITY or measure.startswith("think_") or (measure == ESTIMATE and cell.value is None):
        return sessions.middle(*(cell.bracket or (None, None)), between=cell.between)
    return None if cell.value is None else Reading(value=cell.value)
