"""The article's comparison: its five rows in its order and under its names, modular beside monolithic."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from harness.records import Run
from reports.cells import audits, estimates, swaps
from reports.cells.audits import Audits
from reports.cells.cell import NO_APP, Cell, Line, Row, absent
from reports.cells.ratios import COMPARED, capacity_ratio, quotient
from reports.cells.scalability import cells
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, columns

ROWS = (
    ("Flexibility", "2.1"),
    ("Scalability", "2.2"),
    ("Integration", "2.3"),
    ("Security", "2.4"),
    ("Maintenance", "2.5"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTarget:
    """A target beyond the article's two columns."""

    target: str
    title: str
    kind: str
    no_app: bool  # no application: see Evidence
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadRow:
    """A row with a column for each of some targets: by measure its label, empty where the row has one, and cells."""

    name: str
    section: str
    lines: tuple[tuple[str, tuple[Cell | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The comparison as data; every printed form is a view of it."""

    run_id: str
    modular: str | None
    monolithic: str | None
    titles: dict[str, str]
    rows: tuple[Row, ...]
    further: tuple[OtherTarget, ...]

    @property
    def paired(self) -> bool:
        """Tell if there is a target for each of the article's two columns; else every target has a column."""
        return self.modular is not None and self.monolithic is not None

    def heading(self, side: str) -> str:
        """Name a column: the approach, and the target that stands for it."""
        target = self.modular if side == "modular" else self.monolithic
        approach = "Modular" if side == "modular" else "Monolithic"
        return f"{approach}: {target}" if target else approach

    def cell(self, cell_id: str) -> Cell | None:
        """Return a cell by its id."""
        return next((cell for cell in self.cells if cell.id == cell_id), None)

    @property
    def targets(self) -> tuple[str, ...]:
        """All targets in the order of their columns."""
        pair = tuple(name for name in (self.modular, self.monolithic) if name)
        return pair + tuple(further.target for further in self.further)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, the further targets' included."""
        rows = tuple(cell for row in self.rows for cell in row.cells)
        return rows + tuple(cell for further in self.further for cell in further.cells)

    @property
    def further_lines(self) -> list[tuple[str, list[Cell | None]]]:
        """The further targets as a table: measure and a cell per target."""
        shown = [further for further in self.further if not further.no_app] or self.further
        labels = dict.fromkeys(cell.label for further in shown for cell in further.cells)
        return [(label, [_by_label(f, label) for f in self.further]) for label in labels]

    def broad(self, targets: Sequence[str]) -> list[BroadRow]:
        """Return the rows with a column for each of these targets."""
        empty = {one.target for one in self.further if one.no_app}
        return [_broad_row(name, section, self.cells, targets, empty) for name, section in ROWS]

    def as_json(self) -> dict[str, Any]:
        """Return the table as plain data."""
        return {
            "columns": [
                {"side": side, "target": target, "title": self.titles.get(target) if target else None}
                for side, target in (("modular", self.modular), ("monolithic", self.monolithic))
            ],
            "rows": [
                {
                    "name": row.name,
                    "section": row.section,
                    "cells": [
                        {"side": side} | cell.as_json()
                        for line in row.lines
                        for side, cell in zip(("modular", "monolithic", "ratio"), _sides(line), strict=True)
                        if cell
                    ],
                }
                for row in self.rows
            ],
            "further": [
                {"target": f.target, "title": f.title, "kind": f.kind, "cells": [c.as_json() for c in f.cells]}
                for f in self.further
            ],
        }


def row_of(cell: Cell) -> tuple[str, str]:
    """Return the row of the comparison, and its section, that a cell belongs to."""
    topic = _measure(cell).partition(".")[0]
    return next(((name, at) for name, at in ROWS if name.lower() == topic), ("Scalability", "2.2"))


def _broad_row(
    name: str, section: str, cells: Sequence[Cell], targets: Sequence[str], empty: Collection[str]
) -> BroadRow:
    """Return a row; where a target has one cell for the whole of it, that one stands in each line."""
    of_row = [cell for cell in cells if row_of(cell)[0] == name]
    own = {target: {_measure(cell): cell for cell in of_row if cell.target == target} for target in targets}
    whole = name.lower()
    labels: dict[str, str] = {}
    for measure, cell in (item for found in own.values() for item in found.items() if item[0] != whole):
        labels.setdefault(measure, cell.label)
    lines = []
    for measure in sorted(labels, key=_order) or [whole]:
        label = labels.get(measure, "")
        shown = [own[target].get(measure) or own[target].get(whole) for target in targets]
        absences = [absent("", label, target, NO_APP) if target in empty else None for target in targets]
        lines.append((label, tuple(one or other for one, other in zip(shown, absences, strict=True))))
    return BroadRow(name=name, section=section, lines=tuple(lines))


def _sides(line: Line) -> tuple[Cell | None, Cell | None, Cell | None]:
    return line.modular, line.monolithic, line.ratio


def _by_label(further: OtherTarget, label: str) -> Cell | None:
    """Return the cell with this label; without an application what the others have cells of is nothing to measure."""
    found = next((cell for cell in further.cells if cell.label == label), None)
    return found or (absent("", label, further.target, NO_APP) if further.no_app else None)


def compare(run: Run, evidence: dict[str, Evidence], terms: Conditions, found: Audits = MappingProxyType({})) -> Table:
    """Build the comparison from a run's record, its targets' trials and what audits found."""
    modular, monolithic = columns(run)
    others = [name for name in evidence if name not in (modular, monolithic)]
    return Table(
        run_id=run.run_id,
        modular=modular,
        monolithic=monolithic,
        titles={name: info.title for name, info in run.targets.items()},
        rows=tuple(
            Row(name=row, section=section, lines=tuple(_lines(row, evidence, (modular, monolithic), terms, found)))
            for row, section in ROWS
        ),
        further=tuple(
            OtherTarget(
                target=name,
                title=run.targets[name].title,
                kind=run.targets[name].kind,
                no_app=evidence[name].no_app,
                cells=tuple(cell for row, _ in ROWS for cell in _all_cells(row, evidence[name], terms, found)),
            )
            for name in others
        ),
    )


def _cells(row: str, evidence: Evidence, terms: Conditions, found: Audits) -> list[Cell]:
    if row == "Scalability":
        return cells(evidence, terms)
    swapped = [swaps.cell(evidence)] if row == "Maintenance" else []
    return swapped + audits.cells(evidence, found, row.lower())


def _all_cells(row: str, evidence: Evidence, terms: Conditions, found: Audits) -> list[Cell]:
    return _cells(row, evidence, terms, found) or [audits.unmeasured(evidence, found, row.lower(), row)]


def _lines(
    row: str, evidence: dict[str, Evidence], pair: tuple[str | None, str | None], terms: Conditions, found: Audits
) -> list[Line]:
    """Return a row's lines: a measure each, in every column there is; without a single cell one line that says why."""
    sides = [{_measure(c): c for c in _cells(row, evidence[name], terms, found)} if name else {} for name in pair]
    labels = {measure: cell.label for side in reversed(sides) for measure, cell in side.items()}
    if row != "Scalability":
        bare = not labels
        labels = labels or {row.lower(): row}
        for name, side in zip(pair, sides, strict=True):
            for measure in labels if name else ():
                side.setdefault(measure, audits.unmeasured(evidence[name or ""], found, measure, labels[measure]))
        if bare:
            return [replace(_line(row.lower(), sides, evidence, terms), label="")]
    measures = sorted(dict.fromkeys([*sides[0], *sides[1]]), key=_order)
    return [_line(measure, sides, evidence, terms) for measure in measures]


def _line(measure: str, sides: list[dict[str, Cell]], evidence: dict[str, Evidence], terms: Conditions) -> Line:
    a, b = (side.get(measure) for side in sides)
    label = next((cell.label for cell in (a, b) if cell), "")
    ratio = None
    if a and b and measure == "capacity_users" and "not measured" not in (a.verdict, b.verdict):
        ratio = capacity_ratio(label, a, b, evidence[a.target].capacity, evidence[b.target].capacity)
    elif a and b and measure == estimates.MEASURE:
        ratio = estimates.ratio_cell(evidence[a.target], evidence[b.target], terms)
    elif a and b and measure in COMPARED:
        ratio = quotient(measure, label, a, b)
    return Line(id=measure, label=label, modular=a, monolithic=b, ratio=ratio)


def _measure(cell: Cell) -> str:
    return cell.id.partition("/")[0]


def _order(measure: str) -> tuple[int, int]:
    """Keep the order of cells, and the memory steps ascending whichever target has which."""
    count = measure.removeprefix("memory_bytes_")
    return (1, int(count)) if count.isdigit() else (0, 0)
