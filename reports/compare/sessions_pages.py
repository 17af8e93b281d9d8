"""A pooled result for people and programs: terminal, Markdown, JSON, CSV, one page."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.results import POOLED_FILE, write_atomically
from reports.compare.pooled_cell import AT_REFERENCE, CAPACITY, ESTIMATE
from reports.compare.sessions import PooledReport
from reports.numbers import significant
from reports.pages.files import escape, markdown_table
from reports.pages.html import STYLE_FILE, TEMPLATES, style_beside, style_inside
from reports.pages.terminal import WIDTH

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("Figure", "Target", "Over sessions", "95 % interval", "Next session", "Sessions")
CSV_COLUMNS = (
    "id",
    "label",
    "target",
    "value",
    "least",
    "most",
    "unit",
    "low",
    "high",
    "next_low",
    "next_high",
    "sessions",
    "text",
)
BRIEF = (
    CAPACITY,
    ESTIMATE,
    AT_REFERENCE,
    "users_per_core_at_capacity",
    "cpu_s_per_turn_at_capacity",
    "memory_slope_bytes_per_session",
)
METHOD = (
    "A session is one run. A bracket counts by its geometric middle, and one without an upper end as a lower bound.",
    "Value: geometric mean over sessions. Interval and range: Student's t on logarithms.",
    "A share of a whole is shown by its range: an interval of logarithms would pass 100 %.",
    "In a bracket, ≤ before the upper end or ≥ before the lower one marks an end that was worked out, not observed.",
    "A session with a worked-out end counts by two values: as the failed level says, and in proportion to all CPUs.",
    "A–B goes from the mean of the one to the mean of the other; interval and range then go from A's to B's.",
)
PAGE = "pooled.html"


def rows(report: PooledReport, only: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Return a row per figure in the order of the headings; ``only`` these measures where any are named."""
    return [
        (c.label, c.target, c.short, c.interval, c.following, c.counted)
        for c in report.cells
        if not only or c.measure in only
    ]


def session_rows(report: PooledReport) -> list[tuple[str, ...]]:
    """Return a heading, then a row per session: run, time, speed, its ratios and capacities as printed there."""
    shown = [cell for cell in report.cells if cell.measure in (CAPACITY, ESTIMATE)]
    names = [f"{'estimate ' if cell.measure == ESTIMATE else ''}{cell.target}" for cell in shown]
    found: list[tuple[str, ...]] = [("Run", "Begun", "Machine speed", *names)]
    for place, one in enumerate(report.sessions):
        texts = (cell.texts[place] for cell in shown)
        begun = one.report.run.created_at[:16].replace("T", " ")
        speed = f"{significant(one.speed.median)} ×" if one.speed else "not recorded"
        found.append((one.run_id, begun, speed, *texts))
    return found


def to_json(report: PooledReport, into: Path) -> str:
    """Return ``pooled.json``."""
    return json.dumps(report.as_json(into), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(report: PooledReport) -> str:
    """Return ``pooled.csv``: a row per figure."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for cell in report.cells:
        found = cell.pooled
        low, high = (found.interval if found else None) or (None, None)
        next_low, next_high = (found.following if found else None) or (None, None)
        value, count = (found.value, found.sessions) if found else (None, 0)
        least, most = (found.between if found else None) or (None, None)
        place = (cell.id, cell.label, cell.target, value, least, most, cell.unit)
        writer.writerow([*place, low, high, next_low, next_high, count, cell.text])
    return stream.getvalue()


def to_markdown(report: PooledReport) -> str:
    """Return ``pooled.md``."""
    header, *table = session_rows(report)
    parts = [
        f"# {escape(report.title)}",
        escape(report.headline),
        markdown_table(HEADINGS, rows(report)),
        *METHOD,
        "## Each session",
        markdown_table(tuple(escape(name) for name in header), table),
        "## Machine speed",
        *(escape(sentence) for sentence in report.speed_words),
        "## Conditions",
        markdown_table(("Condition", "Value"), report.conditions),
    ]
    return "\n\n".join(parts) + "\n"


def to_html(report: PooledReport) -> str:
    """Return the page: no script, nothing from elsewhere, every text escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    style, style_hash = style_inside()
    header, *table = session_rows(report)
    return environment.get_template("pooled.html.j2").render(
        style=style,
        style_hash=style_hash,
        style_file=STYLE_FILE,
        title=report.title,
        headline=report.headline,
        headings=HEADINGS,
        rows=rows(report),
        method=METHOD,
        session_headings=header,
        sessions=table,
        speed=report.speed_words,
        conditions=report.conditions,
        tool_version=report.first.run.tool_version,
    )


def write(report: PooledReport, into: Path, formats: Sequence[str]) -> Path:
    """Write the files in the wanted formats; ``pooled.json`` always, since ``verify`` reads it. Return the page."""
    into.mkdir(parents=True, exist_ok=True)
    texts = {"md": to_markdown, "csv": to_csv, "html": to_html}
    write_atomically(into / POOLED_FILE, to_json(report, into).encode())
    for name, render in texts.items():
        if name in formats:
            write_atomically(into / f"pooled.{name}", render(report).encode())
    if "html" not in formats:
        return into
    write_atomically(into / STYLE_FILE, style_beside().encode())
    return into / PAGE


def show(report: PooledReport, console: "Console") -> None:
    """Print headline, main figures, sessions and what the machine's speed explains."""
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    width = min(WIDTH, console.width)
    console.print(Text(report.headline, style="bold"), width=width)
    header, *table = session_rows(report)
    for headings, lines in ((HEADINGS, rows(report, BRIEF)), (header, table)):
        grid = Grid(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
        for heading in headings:
            grid.add_column(Text(heading), overflow="fold")
        for line in lines:
            grid.add_row(*map(Text, line))
        console.print(grid, width=width)
    for sentence in report.speed_words:
        console.print(Text(sentence), width=width)
