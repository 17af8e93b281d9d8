"""Writes a run's report folder, from nothing but the run's own records and samples."""

from collections.abc import Sequence
from pathlib import Path

from harness.errors import BenchError
from harness.results import sha256, write_atomically
from reports.content.report import Report, assemble
from reports.pages import files
from reports.pages.files import FORMATS as FORMATS

FOLDER = "report"
PAGE = "report.html"


def build(run_dir: str | Path, *, formats: Sequence[str] = FORMATS) -> Report:
    """Rebuild a run's ``report/`` and return what it says.

    Raises:
        UsageError: an unknown format.
        BenchError: the run holds a missing or damaged file, or one that is not what its trial wrote; it is named.
    """
    folder = Path(run_dir)
    files.require_known(formats)
    report = assemble(folder)
    check_hashes(report)
    write(report, folder / FOLDER, formats)
    return report


def page(run_dir: str | Path, formats: Sequence[str] = FORMATS) -> Path:
    """Return where a run's page is, or its ``report/`` where no page was wanted."""
    into = Path(run_dir) / FOLDER
    return into / PAGE if "html" in formats else into


def check_hashes(report: Report) -> None:
    """Compare the bytes of every trial's samples with what was written down of them; no sample is worked through.

    Raises:
        BenchError: a file is missing, or its SHA-256 is not the recorded one.
    """
    for folder, trial in report.trials:
        for name, recorded in trial.files.items():
            path = report.folder / folder / name
            found = sha256(path) if path.is_file() else None
            if found != recorded:
                flaw = "is missing" if found is None else f"was changed: its SHA-256 is not that in {folder}/trial.json"
                raise BenchError(
                    f"{path} {flaw}",
                    f"restore it, or measure that trial again: remove {path.parent}, then chatbench run --resume "
                    f"{report.folder}",
                )


def write(report: Report, into: Path, wanted: Sequence[str]) -> None:
    """Write a report's files in the wanted formats."""
    into.mkdir(parents=True, exist_ok=True)
    texts = {"md": files.to_markdown, "json": files.to_json, "csv": files.to_csv}
    for name, render in texts.items():
        if name in wanted:
            write_atomically(into / f"table.{name}", render(report).encode())
    if "html" in wanted:
        from reports.pages.html import to_html
        from reports.plots.chat import draw

        write_atomically(into / PAGE, to_html(report, draw(report, into / "figures")).encode())
