"""The report as files for other programs: Markdown, JSON, CSV."""

import csv
import io
import json
import re
from collections.abc import Sequence

from harness.errors import UsageError
from reports.cells.audits import properties, word
from reports.cells.cell import NOT_MEASURED, Cell
from reports.content.overview import headings, standings
from reports.content.report import TRIAL_FIGURES, Report, conditions_list, trial_rows
from reports.content.table import Table, row_of

CSV_COLUMNS = (
    "row",
    "section",
    "side",
    "id",
    "label",
    "target",
    "value",
    "unit",
    "low",
    "high",
    "low_worked_out",
    "high_worked_out",
    "verdict",
    "text",
    "rests_on",
)
FORMATS = ("md", "json", "csv", "html")
FURTHER_AT_ONCE = 4  # columns that still fit side by side
_MARKUP = re.compile(r"([\\`*_\[\]|#~])")


def require_known(formats: Sequence[str]) -> None:
    """Raise UsageError for a format that no report is written in."""
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise UsageError(f"unknown report format {unknown[0]!r}", f"known: {', '.join(FORMATS)}")


class RawMarkdown(str):
    """Markdown already: not to be escaped again."""

    __slots__ = ()


def escape(text: str) -> str:
    """Escape a text so that Markdown renders it as it is, in one line."""
    one_line = " ".join(text.split())
    escaped = _MARKUP.sub(r"\\\1", one_line)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_json(report: Report) -> str:
    """Return ``table.json``."""
    return json.dumps(report.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(report: Report) -> str:
    """Return ``table.csv``: a row per cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in report.table.rows:
        for line in row.lines:
            for side, cell in (("modular", line.modular), ("monolithic", line.monolithic), ("ratio", line.ratio)):
                if cell:
                    writer.writerow([row.name, row.section, side, *_values(cell)])
    for further in report.table.further:
        for cell in further.cells:
            writer.writerow([*row_of(cell), further.kind, *_values(cell)])
    return stream.getvalue()


def _values(cell: Cell) -> list[object]:
    low, high = cell.bracket or (None, None)
    named = [cell.id, cell.label, cell.target, cell.value, cell.unit]
    said = [cell.verdict, cell.text, " ".join(cell.rests_on)]
    return [*named, low, high, *cell.worked_out, *said]


def to_markdown(report: Report) -> str:
    """Return ``table.md``: the comparison, claims, bounds, conditions and notes."""
    parts = [
        f"# {escape(title(report))}",
        escape(report.headline),
        _comparison(report),
        *(_further(report) if report.table.further else []),
        *(_tried(report) if any(one.findings for one in report.audits) else []),
        *(_claims(report) if report.claims else []),
        *(["## Bottlenecks"] if report.bottlenecks else []),
        *[f"**{escape(b.target)}.** {escape(b.text)}" for b in report.bottlenecks],
        "## Conditions",
        markdown_table(("Condition", "Value"), conditions_list(report)),
        "## Validity",
        "\n".join(f"- {escape(note)}" for note in report.notes) or "No reservation.",
        "## Trials",
        _trials(report),
        "## How to cite",
        escape(report.citation),
    ]
    return "\n\n".join(parts) + "\n"


def _claims(report: Report) -> list[str]:
    header = ("Section", "Claim, in other words", "Taken to mean", "Judgement", "Because")
    rows = [(c.section, c.says, c.threshold, c.answer, c.why) for c in report.claims]
    return ["## Claims of the article on scalability", markdown_table(header, rows)]


def title(report: Report) -> str:
    """Name the report after what it compares."""
    table = report.table
    names: Sequence[str | None] = [table.modular, table.monolithic] if table.paired else table.targets
    *first, last = [table.titles[name] for name in names if name] or ["A run without targets"]
    return f"{', '.join(first)} and {last}" if first else last


def markdown_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table; texts in ``rows`` are escaped, the header is not."""
    lines = [header, tuple("---" for _ in header)]
    rendered = ["| " + " | ".join(line) + " |" for line in lines]
    rendered += [
        "| " + " | ".join(value if isinstance(value, RawMarkdown) else escape(value) for value in row) + " |"
        for row in rows
    ]
    return "\n".join(rendered)


def in_groups(table: Table, size: int) -> list[tuple[str, ...]]:
    """Return the targets of a table without the article's pair, as many at a time as fit side by side."""
    return [table.targets[start : start + size] for start in range(0, len(table.targets), size)]


def _broad(report: Report) -> str:
    """Return the comparison with a column for every target, few targets at a time."""
    parts = []
    for targets in in_groups(report.table, FURTHER_AT_ONCE):
        rows: list[tuple[str, ...]] = []
        for row in report.table.broad(targets):
            for label, cells in row.lines:
                rows.append((f"{row.name}: {label}" if label else row.name, *(_linked(cell) for cell in cells)))
        parts.append(markdown_table(("", *map(escape, targets)), rows))
    return "\n\n".join(parts)


def _comparison(report: Report) -> str:
    table = report.table
    if not table.paired:
        return _broad(report)
    header = ("", escape(table.heading("modular")), escape(table.heading("monolithic")), "modular ÷ monolithic")
    rows: list[tuple[str, ...]] = []
    for row in table.rows:
        for line in row.lines:
            name = f"{row.name}: {line.label}" if line.label else row.name
            rows.append((name, _linked(line.modular), _linked(line.monolithic), line.ratio.text if line.ratio else ""))
    return markdown_table(header, rows)


def cell_text(cell: Cell | None) -> str:
    """Return a cell's text; an absent column was not measured."""
    return cell.text if cell else NOT_MEASURED


def _linked(cell: Cell | None) -> str:
    """Return a cell's text, as a link to its evidence where it has some."""
    text = cell_text(cell)
    return RawMarkdown(f"[{escape(text)}](../{cell.evidence})") if cell and cell.evidence and cell.short else text


def _further(report: Report) -> list[str]:
    """Return all targets at a glance, a row each, then the further ones' cells, few targets at a time."""
    table = report.table
    parts = [
        "## All targets at a glance",
        markdown_table(("Target", *headings(table)), [(one.target, *one.texts) for one in standings(table)]),
        "## Other targets, all cells",
    ]
    if not table.paired:
        return parts[:2]  # all their cells stand above
    for start in range(0, len(table.further), FURTHER_AT_ONCE):
        shown = slice(start, start + FURTHER_AT_ONCE)
        header = ("", *(escape(f.target) for f in table.further[shown]))
        lines = [(label, cells[shown]) for label, cells in table.further_lines]
        rows = [(label, *(_linked(cell) for cell in cells)) for label, cells in lines if any(cells)]
        parts.append(markdown_table(header, rows))
    return parts


def _tried(report: Report) -> list[str]:
    """Return what was tried besides load: a property a row, a target a column; and what failed."""
    shown = [one for one in report.audits if one.findings]
    parts = ["## What was tried besides load"]
    for topic, names in properties(shown):
        rows = []
        for name, title in names:
            found = [one.finding(name) for one in shown]
            rows.append((title, *(f"{word(f)}: {f.passed} of {f.exercised}" if f else "–" for f in found)))
        parts += [
            f"### {topic.capitalize()}",
            markdown_table(("Property", *(escape(one.target) for one in shown)), rows),
        ]
    others = [(one.target, f) for one in shown for f in one.findings if f.outcome != "passed"]
    if others:
        parts += [
            "### Failed or not measured",
            markdown_table(("Target", "Property", "Seen"), [(target, f.title, f.text) for target, f in others]),
        ]
    return parts


def _trials(report: Report) -> str:
    header = ("Trial", "verdict", *(one.label for one in TRIAL_FIGURES), "reasons")
    rows = []
    for path, trial, figures in trial_rows(report):
        verdict = trial.verdict.outcome + (" (contended)" if trial.verdict.contended else "")
        rows.append((path, verdict, *figures, "; ".join(r.text for r in trial.verdict.reasons)))
    return markdown_table(header, rows)
