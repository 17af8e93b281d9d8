"""Writes a run's report folder, from nothing but the run's own records and samples."""

from collections.abc import Sequence
from pathlib import Path

from harness.errors import UsageError
from harness.store import write_atomically
from reports import formats
from reports.report import Report, assemble

FORMATS = ("md", "json", "csv", "html")
FOLDER = "report"


def build(run_dir: str | Path, *, formats: Sequence[str] = FORMATS) -> Path:
    """Rebuild a run's ``report/`` and return its page, or the folder where no page was wanted.

    Raises:
        UsageError: an unknown format.
        BenchError: the run holds a missing or damaged file; it is named.
    """
    folder = Path(run_dir)
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise UsageError(f"unknown report format {unknown[0]!r}", f"known: {', '.join(FORMATS)}")
    return write(assemble(folder), folder / FOLDER, formats)


def write(report: Report, into: Path, wanted: Sequence[str]) -> Path:
    """Write a report's files in the wanted formats; returns the page, or the folder where no page was wanted."""
    into.mkdir(parents=True, exist_ok=True)
    texts = {"md": formats.to_markdown, "json": formats.to_json, "csv": formats.to_csv}
    for name, render in texts.items():
        if name in wanted:
            write_atomically(into / f"table.{name}", render(report).encode())
    if "html" in wanted:
        from reports.html import to_html
        from reports.plots import draw

        page = to_html(report, draw(report, into / "figures"))
        write_atomically(into / "report.html", page.encode())
        return into / "report.html"
    return into
