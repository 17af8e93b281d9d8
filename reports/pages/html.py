"""The report as one page: no script, nothing from elsewhere, everything from outside escaped.

It stands alone, with its style and its plots inside. Under a policy that allows neither, such as a server's
``style-src 'self'; img-src 'self'``, the same style and plots come from the files beside it. Style decides which copy
of a plot is shown: no script is needed.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path
from typing import Any

from reports.cells.audits import properties, word
from reports.cells.cell import NOT_MEASURED, Cell
from reports.content.overview import headings, standings
from reports.content.report import TRIAL_FIGURES, Report, conditions_list, trial_rows
from reports.pages.files import FURTHER_AT_ONCE, in_groups, title
from reports.plots.canvas import Plot

TEMPLATES = Path(__file__).parent / "templates"
STYLE_FILE, FIGURES = "report.css", "figures"  # beside the page
ALONE = ".plot .beside { display: none; }\n"
BESIDE = ".plot .inside { display: none; }\nfigure.plot .beside { display: block; }\n"  # stronger than ALONE
CHART_LEFT, CHART_RIGHT = 190.0, 700.0  # of the 720 units of the bracket chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A capacity bracket in the chart, in its own units."""

    target: str
    look: str
    x: float
    width: float
    open: bool
    worked_out: bool


def style_beside() -> str:
    """Return the content of the style file beside a page."""
    return _style() + BESIDE


def style_inside() -> tuple[str, str]:
    """Return the style inside a page, and its hash as a content security policy names it."""
    style = _style() + ALONE
    return style, f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def _style() -> str:
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")


def to_html(report: Report, plots: Sequence[Plot]) -> str:
    """Return the page; its own policy allows its style by its hash, data images, and the files beside it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    style, style_hash = style_inside()
    return environment.get_template("report.html.j2").render(
        style=style,
        style_hash=style_hash,
        style_file=STYLE_FILE,
        title=title(report),
        not_measured=NOT_MEASURED,
        run=report.run,
        terms=report.terms,
        headline=report.headline,
        cards=_cards(report),
        brackets=_brackets(report),
        bottlenecks=report.bottlenecks,
        notes=report.notes,
        table=report.table,
        broad=[(some, report.table.broad(some)) for some in in_groups(report.table, FURTHER_AT_ONCE)],
        overview_columns=headings(report.table),
        overview=standings(report.table) if report.table.further else [],
        further_at_once=FURTHER_AT_ONCE,
        tried=_tried(report),
        word=word,
        claims=report.claims,
        plots=[{"shown": p, "source": _data(p.svg), "file": f"{FIGURES}/{p.name}.svg"} for p in plots],
        conditions=conditions_list(report),
        trial_columns=[one.label for one in TRIAL_FIGURES],
        trials=trial_rows(report),
        citation=report.citation,
    )


def _tried(report: Report) -> list[dict[str, Any]]:
    """Lay out what audits found: by topic, a property a row and a target a column, then each target's in full."""
    shown = [one for one in report.audits if one.findings]
    return [
        {
            "topic": topic,
            "targets": shown,
            "rows": [(title, [one.finding(name) for one in shown]) for name, title in names],
            "full": [(one, [f for f in one.findings if f.topic == topic]) for one in shown],
        }
        for topic, names in properties(shown)
    ]


def _data(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _results(report: Report) -> list[tuple[str, Cell]]:
    table = report.table
    sides = [
        ("modular", table.modular),
        ("monolithic", table.monolithic),
        *(("further", f.target) for f in table.further),
    ]
    wanted = "capacity_users" if report.terms.profile.capacity else "works"
    found = [(look, table.cell(f"{wanted}/{target}")) for look, target in sides if target]
    return [(look, cell) for look, cell in found if cell and cell.verdict != "not measured"]


def unwrapped(text: str) -> str:
    """Return a text without the brackets around the whole of it; brackets around parts stay in pairs."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if text[:1] == "(" and place == len(text) - 1 else text
    return text


def _cards(report: Report) -> list[dict[str, str]]:
    cards = [
        {
            "look": look,
            "over": cell.target,
            "figure": cell.short or cell.verdict,
            "under": unwrapped(cell.rest.strip(" ;:")) if cell.short else cell.text,
        }
        for look, cell in _results(report)
        if look != "further" or not report.table.paired
    ]
    ratio = report.table.cell(f"capacity_users/{report.table.modular} / {report.table.monolithic}")
    if ratio and ratio.bracket:
        cards.append({"look": "ratio", "over": "modular ÷ monolithic", "figure": ratio.text, "under": "capacity"})
    return cards


def _brackets(report: Report) -> dict[str, Any] | None:
    """Lay out the bracket chart on a logarithmic axis; ``None`` where there is no bracket to draw."""
    known = [(look, cell, cell.bracket) for look, cell in _results(report) if cell.bracket and cell.bracket[0]]
    ends = [end for _, _, bracket in known for end in bracket if end]
    if not ends:
        return None
    first, last = floor(log10(min(ends) / 1.3)), log10(max(ends) * 1.6)

    def place(users: float) -> float:
        return round(CHART_LEFT + (log10(users) - first) / (last - first) * (CHART_RIGHT - CHART_LEFT), 1)

    bars = []
    for look, cell, (low, high) in known:
        x = place(low or 1)
        width = round(max(3.0, place(high) - x), 1) if high else 26.0
        soft = cell.worked_out[1]
        bars.append(Bar(target=cell.target, look=look, x=x, width=width, open=high is None, worked_out=soft))
    values = [step * 10**power for power in range(first, floor(last) + 1) for step in (1, 2, 5)]
    ticks = [{"x": place(v), "label": f"{v:,}"} for v in values if v >= 1 and log10(v) <= last]
    marks = {"any_open": any(bar.open for bar in bars), "any_worked_out": any(bar.worked_out for bar in bars)}
    return {"bars": bars, "ticks": ticks, **marks}
