"""Compares the texts of a report with those that verified records give now, by the report's own assembly."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import BenchError
from reports.verify.difference import Difference, same


def of_table(folder: Path, table: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare the table in all its formats, and what the page shows of it."""
    from reports.content import report
    from reports.pages import files

    try:
        fresh = report.assemble(folder)
    except BenchError as error:
        yield Difference(place=str(folder.name), figure="file", text=error.message)
        return
    difference = _first_difference(json.loads(files.to_json(fresh)), table, "")
    if difference:
        yield Difference(place="report/table.json", figure=difference[0], text=difference[1])
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


def visible_text(page: str) -> str:
    """Return the text of an HTML page, tags taken out and white space collapsed."""
    from html.parser import HTMLParser

    pieces: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            pieces.append(data)

    Reader().feed(page)
    return " ".join("".join(pieces).split())


def _first_difference(fresh: Any, found: Any, where: str) -> tuple[str, str] | None:
    """Return the first place where two JSON values differ, with both values."""
    if isinstance(fresh, dict) and isinstance(found, dict):
        name = fresh.get("id")
        inside = str(name) if isinstance(name, str) else where
        pairs = [(f"{inside}.{k}".lstrip("."), fresh.get(k), found.get(k)) for k in dict.fromkeys([*fresh, *found])]
    elif isinstance(fresh, list) and isinstance(found, list) and len(fresh) == len(found):
        pairs = [(f"{where}[{i}]", a, b) for i, (a, b) in enumerate(zip(fresh, found, strict=True))]
    elif isinstance(fresh, float | int) and not isinstance(fresh, bool):
        return None if same(found, fresh) else (where, f"printed {found!r}, the samples give {fresh!r}")
    else:
        return None if fresh == found else (where, f"printed {found!r}, the samples give {fresh!r}")
    return next((d for name, a, b in pairs if (d := _first_difference(a, b, name))), None)


def _differing_line(printed: str, fresh: str) -> int | None:
    a, b = printed.splitlines(), fresh.splitlines()
    for number in range(max(len(a), len(b))):
        if a[number : number + 1] != b[number : number + 1]:
            return number + 1
    return None
