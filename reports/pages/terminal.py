"""The comparison in a terminal, 100 columns wide at most."""

from typing import TYPE_CHECKING

from reports.content.overview import brief, headings, standings, tally
from reports.content.report import Report
from reports.content.table import Table
from reports.pages.files import cell_text, in_groups

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as Grid
    from rich.text import Text

    from reports.cells.cell import Cell

WIDTH = 100
TARGETS_AT_ONCE = 3  # columns beside their names
LINES_SHOWN = 4  # of a row that rests on an audit; more are told in one line
_JUDGEMENT_STYLES = {
    "supported": "green",
    "refuted": "red",
    "depends": "cyan",
    "not settled": "yellow",
    "not measured": "dim",
}
_CELL_STYLES = {"invalid": "yellow", "inconclusive": "yellow", "not measured": "dim", "none": "red", "failed": "yellow"}


def show(report: Report, console: "Console | None" = None) -> None:
    """Print the end-of-run summary."""
    from rich.console import Console

    out = console or Console()
    out.print(render(report), width=min(WIDTH, out.width))


def render(report: Report) -> "RenderableType":
    """Return the summary for rich: headline, table, claims, bounds, notes, citation.

    Texts are never read as rich markup: a target's title may hold brackets.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(report.headline, style="bold")]
    parts += [_comparison(report.table)] if report.table.paired else _broad(report.table)
    if report.table.further:
        parts.append(_overview(report.table))
    if report.claims:
        parts.append(_claims(report))
    for item in report.bottlenecks:
        parts.append(Text.assemble((item.target, "bold"), f"  {item.text}"))
    parts += [Text(f"! {note}", style="yellow") for note in report.notes]
    parts.append(Text(report.citation, style="dim"))
    return Group(*parts)


def _grid(*headers: str) -> "Grid":
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1))
    for header in headers:
        grid.add_column(Text(header), ratio=3, overflow="fold")
    return grid


def _text(cell: "Cell | None") -> "Text":
    from rich.text import Text

    if cell is None or cell.verdict in _CELL_STYLES:
        return Text(cell_text(cell), style=_CELL_STYLES[cell.verdict] if cell else "dim")
    return Text.assemble((cell.short, "bold"), (cell.rest, "dim" if cell.short else ""))


def _comparison(table: Table) -> "Grid":
    from rich.text import Text

    grid = _grid("", table.heading("modular"), table.heading("monolithic"), "ratio")
    grid.columns[3].ratio, grid.columns[3].width = None, 12
    for row in table.rows:
        if row.name != "Scalability" and len(row.lines) > LINES_SHOWN:
            sides = [[c for line in row.lines if (c := getattr(line, side))] for side in ("modular", "monolithic")]
            grid.add_row(Text(row.name, style="bold underline"), *(_together(cells) for cells in sides), "")
            continue
        if any(line.label for line in row.lines):
            grid.add_row(Text(row.name, style="bold underline"), "", "", "")
        for line in row.lines:
            name = Text(line.label) if line.label else Text(row.name, style="bold underline")
            ratio = _text(line.ratio) if line.ratio else Text("")
            grid.add_row(name, _text(line.modular), _text(line.monolithic), ratio)
    return grid


def _broad(table: Table) -> "list[RenderableType]":
    """Return the comparison with a column for every target, few targets at a time."""
    from rich.text import Text

    grids: list[RenderableType] = []
    for targets in in_groups(table, TARGETS_AT_ONCE):
        grid = _grid("", *targets)
        for row in table.broad(targets):
            name = Text(row.name, style="bold underline")
            if row.name != "Scalability" and len(row.lines) > LINES_SHOWN:
                columns = zip(*(cells for _, cells in row.lines), strict=True)
                grid.add_row(name, *(_together([cell for cell in column if cell]) for column in columns))
                continue
            if any(label for label, _ in row.lines):
                grid.add_row(name)
            for label, cells in row.lines:
                grid.add_row(Text(label) if label else name, *map(_text, cells))
        grids.append(grid)
    return grids


def _together(cells: "list[Cell]") -> "Text":
    """Tell a group of findings in one line: how many passed, and which failed."""
    from rich.text import Text

    if not cells:
        return Text(cell_text(None), style="dim")
    failed = [f"{cell.label}{cell.rest}" for cell in cells if cell.verdict == "failed"]
    return Text.assemble((tally(cells), "bold"), f"; failed: {'; '.join(failed)}" if failed else "")


def _overview(table: Table) -> "Grid":
    """All targets, a row each; every cell in full is in the report's files."""
    from rich.text import Text

    grid = _grid("all targets", *brief(table))
    grid.columns[0].ratio, grid.columns[0].width = None, max(len("all targets"), *map(len, table.targets))
    for one in standings(table):
        texts = dict(zip(headings(table), one.texts, strict=True))
        grid.add_row(Text(one.target, style="bold"), *(Text(texts[name]) for name in brief(table)))
    return grid


def _claims(report: Report) -> "Grid":
    from rich.text import Text

    grid = _grid("judgement", "the article (2.2), in other words", "taken to mean")
    grid.columns[0].ratio, grid.columns[0].width = None, len("not measured")
    for claim in report.claims:
        judgement = Text(claim.judgement, style=_JUDGEMENT_STYLES[claim.judgement])
        grid.add_row(judgement, Text(claim.says), Text(claim.condition or claim.threshold))
    return grid
