"""Compares the texts of a report with those that verified records give now, by the report's own assembly."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from harness.errors import BenchError
from harness.results import POOLED_FILE
from reports.verify.difference import Difference, differences


def of_table(folder: Path, table: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare the table in all its formats, and what the page shows of it."""
    from reports.content import report
    from reports.pages import files

    try:
        fresh = report.assemble(folder)
    except BenchError as error:
        yield Difference(place=str(folder.name), figure="file", text=error.message)
        return
    for figure, text in islice(differences(json.loads(files.to_json(fresh)), table), 1):
        yield Difference(place="report/table.json", figure=figure, text=text)
    for name, text in (("table.md", files.to_markdown(fresh)), ("table.csv", files.to_csv(fresh))):
        file = folder / "report" / name
        if file.is_file() and (number := _differing_line(file.read_text(encoding="utf-8"), text)):
            yield Difference(place=f"report/{name}", figure=f"line {number}", text="differs from what the samples give")
    page = folder / "report" / "report.html"
    if page.is_file():
        shown = visible_text(page.read_text(encoding="utf-8"))
        for cell in fresh.table.cells:
            if " ".join(cell.text.split()) not in shown:
                yield Difference(place="report/report.html", figure=cell.id, text=f"does not show {cell.text!r}")


def of_gate(folder: Path, gate: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare what CI reads of a gate's answer with what its numbers give."""
    from harness.records import from_json
    from reports.compare import gate as report

    facts = from_json(report.Gate, {name: value for name, value in gate.items() if name != "format_version"})
    for name, text in (("gate.md", report.to_markdown(facts)), ("gate.xml", report.to_junit(facts).decode())):
        file = folder / "report" / name
        if not file.is_file():
            yield Difference(place=f"report/{name}", figure="file", text="is missing")
        elif number := _differing_line(file.read_text(encoding="utf-8"), text):
            yield Difference(place=f"report/{name}", figure=f"line {number}", text="differs from what the samples give")


def of_sessions(folder: Path, pooled: Mapping[str, Any], runs: Sequence[Path]) -> Iterator[Difference]:
    """Compare a pooled result in all its formats with what its runs give."""
    from reports.compare import sessions, sessions_pages

    try:
        fresh = sessions.pool(runs)
    except BenchError as error:
        yield Difference(place=POOLED_FILE, figure="runs", text=error.message)
        return
    for figure, text in islice(differences(json.loads(sessions_pages.to_json(fresh, folder)), pooled), 1):
        yield Difference(place=POOLED_FILE, figure=figure, text=text)
    texts = {"md": sessions_pages.to_markdown, "csv": sessions_pages.to_csv, "html": sessions_pages.to_html}
    for name, render in texts.items():
        file = folder / f"pooled.{name}"
        if file.is_file() and (number := _differing_line(file.read_text(encoding="utf-8"), render(fresh))):
            yield Difference(place=file.name, figure=f"line {number}", text="differs from what the samples give")


def visible_text(page: str) -> str:
    """Return the text of an HTML page, tags taken out and white space collapsed."""
    from html.parser import HTMLParser

    pieces: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            pieces.append(data)

    Reader().feed(page)
    return " ".join("".join(pieces).split())


def _differing_line(printed: str, fresh: str) -> int | None:
    a, b = printed.splitlines(), fresh.splitlines()
    for number in range(max(len(a), len(b))):
        if a[number : number + 1] != b[number : number + 1]:
            return number + 1
    return None
