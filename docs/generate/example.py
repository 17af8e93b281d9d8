"""The example runs as they are kept in docs/example: cells by measure and target."""

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "example"
PAIR = re.compile(r"^(?P<measure>[^/]+)/(?P<target>.+?)(?P<ratio> / .+)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One printed figure of a run."""

    measure: str
    target: str
    row: str  # of the article's table
    label: str
    text: str
    value: float | None
    unit: str | None
    bracket: tuple[float | None, float | None] | None
    verdict: str
    rests_on: tuple[str, ...] = ()
    worked_out: tuple[bool, bool] = (False, False)  # of each end of the bracket, whether it was not observed

    @property
    def short(self) -> str:
        """The figure without what follows it: conditions, or what was seen where a property failed."""
        return re.split(r"; | \(|(?<=\d): ", self.text)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One run: its table as JSON, and its cells.

    ``ratios`` are cells that set the modular beside the monolithic target.
    """

    table: dict[str, Any]
    run: dict[str, Any]
    cells: dict[tuple[str, str], Cell]
    ratios: dict[str, Cell]

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.table["run_id"])

    @property
    def profile(self) -> str:
        """The name of its profile."""
        return str(self.run["profile"]["name"])

    @property
    def targets(self) -> tuple[str, ...]:
        """All targets, the article's pair first."""
        pair = [column["target"] for column in self.table["columns"]]
        return (*pair, *(other["target"] for other in self.table["further"]))

    def text(self, measure: str, target: str) -> str:
        """Return a figure without its conditions, – where the run has none."""
        cell = self.cells.get((measure, target))
        return "–" if cell is None or cell.text == "no application" else cell.short

    def first_of(self, *measures: str) -> str:
        """Return the first of these measures that the run has; runs differ in age."""
        return next(one for one in measures if any(measure == one for measure, _ in self.cells))

    def measures(self) -> list[Cell]:
        """Return a cell of every measure, in the order of the table."""
        first: dict[str, Cell] = {}
        for cell in self.cells.values():
            first.setdefault(cell.measure, cell)
        return list(first.values())

    def security(self, target: str) -> str:
        """Return how many security properties passed, of those that were tried."""
        verdicts = [c.verdict for c in self.cells.values() if c.target == target and c.measure.startswith("security.")]
        tried = [verdict for verdict in verdicts if verdict in ("passed", "failed")]
        return f"{tried.count('passed')} of {len(tried)}" if tried else "–"


def _parts(cell_id: str) -> re.Match[str]:
    found = PAIR.match(cell_id)
    if found is None:
        raise ValueError(f"{cell_id!r} is no cell's id: measure/target")
    return found


def _read(path: Path) -> Example:
    table = json.loads(path.read_text(encoding="utf-8"))
    run = json.loads(path.with_name("run.json").read_text(encoding="utf-8"))
    cells: dict[tuple[str, str], Cell] = {}
    ratios: dict[str, Cell] = {}
    entries = [(row["name"], entry) for row in table["rows"] for entry in row["cells"]]
    rows = {_parts(entry["id"])["measure"]: row for row, entry in entries}
    entries += [("", entry) for other in table["further"] for entry in other["cells"]]
    for row, entry in entries:
        found = _parts(entry["id"])
        cell = Cell(
            measure=found["measure"],
            target=found["target"],
            row=row or rows.get(found["measure"], ""),
            label=entry["label"],
            text=entry["text"],
            value=entry["value"],
            unit=entry["unit"],
            bracket=tuple(entry["bracket"]) if entry["bracket"] else None,  # type: ignore[arg-type]  # two of them
            verdict=entry["verdict"],
            rests_on=tuple(entry["rests_on"]),
            worked_out=tuple(entry.get("worked_out", (False, False))),
        )
        if found["ratio"]:
            ratios[cell.measure] = cell
        else:
            cells[cell.measure, cell.target] = cell
    return Example(table=table, run=run, cells=cells, ratios=ratios)


@cache
def survey() -> Example:
    """Return the run of every target."""
    return _read(FOLDER / "table.json")


@cache
def containers() -> Example:
    """Return the run in containers."""
    return _read(FOLDER / "containers" / "table.json")


@cache
def remarks() -> dict[str, list[str]]:
    """Return what a person wrote about these runs, by section of the page."""
    return tomllib.loads((FOLDER / "remarks.toml").read_text(encoding="utf-8"))
