"""All targets of a run at a glance: a row each, with what readers ask first; all cells stand elsewhere."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.analysis.registry import figure
from reports.cells import works
from reports.cells.cell import Cell
from reports.content.table import Table

FIGURES = (
    "capacity_users",
    "users_per_core_at_capacity",
    "added_ttft_p95_s",
    "cpu_s_per_turn_at_capacity",
    "memory_slope_bytes_per_session",
    "cold_start_s",
)
TASKS, SECURITY = "Tasks by a program", "Security: passed of tried"
COLUMNS = (*((name, figure(name).label) for name in FIGURES), ("integration.scripted-tasks", TASKS))
BRIEF = (  # what a terminal has room for
    works.LABEL,
    *(
        figure(name).label
        for name in ("capacity_users", "users_per_core_at_capacity", "memory_slope_bytes_per_session")
    ),
    TASKS,
    SECURITY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One target's row: texts in the order of :func:`headings`."""

    target: str
    title: str
    kind: str
    texts: tuple[str, ...]


def headings(table: Table) -> tuple[str, ...]:
    """Return the names of the columns behind the target's."""
    return (*(name for _, name in _columns(table)), SECURITY)


def brief(table: Table) -> tuple[str, ...]:
    """Return the names of those that a terminal has room for."""
    return tuple(name for name in BRIEF if name in headings(table))


def _columns(table: Table) -> list[tuple[str, str]]:
    """Return the columns: of a run without a capacity, whether each target works takes the numbers' place."""
    if any(cell.id.startswith(f"{works.MEASURE}/") for cell in table.cells):
        return [(works.MEASURE, works.LABEL), *(one for one in COLUMNS if one[0] not in FIGURES)]
    return list(COLUMNS)


def standings(table: Table) -> list[Standing]:
    """Return a row per target, the article's pair first."""
    kinds = {f.target: f.kind for f in table.further} | {table.modular: "modular", table.monolithic: "monolith"}
    found = []
    for target in table.targets:
        cells = [table.cell(f"{measure}/{target}") for measure, _ in _columns(table)]
        security = [c for c in table.cells if c.id.startswith("security.") and c.target == target]
        tried = [cell for cell in security if cell.verdict in ("passed", "failed")]
        passed = sum(cell.verdict == "passed" for cell in tried)
        texts = (*(_short(cell) for cell in cells), f"{passed} of {len(tried)}" if tried else "–")
        found.append(Standing(target=target, title=table.titles[target], kind=kinds[target], texts=texts))
    return found


def _short(cell: Cell | None) -> str:
    if cell is None or cell.verdict == "not measured":
        return "–"
    return cell.short or cell.verdict


def tally(cells: Iterable[Cell]) -> str:
    """Count properties by what became of them: "12 of 14 passed, 2 not measured"."""
    counts = Counter(cell.verdict for cell in cells)
    tried = counts["passed"] + counts["failed"]
    parts = [f"{counts['passed']} of {tried} passed"] if tried else []
    parts += [f"{counts['not measured']} not measured"] if counts["not measured"] else []
    return ", ".join(parts)
