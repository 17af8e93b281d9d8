"""All targets of a run at a glance: a row each, with what people ask first; the cells in full stand elsewhere."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from reports.cells.cell import Cell
from reports.content.table import Table

COLUMNS = (
    ("capacity_users", "users carried"),
    ("added_ttft_p95_s", "added TTFT p95"),
    ("target_cpu_s_per_turn", "CPU per turn"),
    ("memory_slope_bytes_per_session", "memory per session"),
    ("cold_start_s", "cold start"),
    ("integration.scripted-tasks", "tasks by a program"),
)
SECURITY = "security held of tried"
BRIEF = (
    "users carried",
    "CPU per turn",
    "memory per session",
    "tasks by a program",
    SECURITY,
)  # what a terminal has room for


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One target's row: texts in the order of :func:`headings`."""

    target: str
    title: str
    kind: str
    texts: tuple[str, ...]


def headings() -> tuple[str, ...]:
    """Return the names of the columns behind the target's."""
    return (*(name for _, name in COLUMNS), SECURITY)


def standings(table: Table) -> list[Standing]:
    """Return a row per target, the article's pair first."""
    kinds = {f.target: f.kind for f in table.further} | {table.modular: "modular", table.monolithic: "monolith"}
    found = []
    for target in table.targets:
        cells = [table.cell(f"{measure}/{target}") for measure, _ in COLUMNS]
        security = [c for c in table.cells if c.id.startswith("security.") and c.target == target]
        tried = [cell for cell in security if cell.verdict in ("passed", "failed")]
        held = sum(cell.verdict == "passed" for cell in tried)
        texts = (*(_short(cell) for cell in cells), f"{held} of {len(tried)}" if tried else "–")
        found.append(Standing(target=target, title=table.titles[target], kind=kinds[target], texts=texts))
    return found


def _short(cell: Cell | None) -> str:
    if cell is None or cell.verdict == "not measured":
        return "–"
    return cell.short or cell.verdict


def tally(cells: Iterable[Cell]) -> str:
    """Count properties by what became of them: "12 of 14 held, 2 not measured"."""
    found = Counter(cell.verdict for cell in cells)
    tried = found["passed"] + found["failed"]
    parts = [f"{found['passed']} of {tried} held"] if tried else []
    parts += [f"{found['not measured']} not measured"] if found["not measured"] else []
    return ", ".join(parts)
