"""Writes a run's report folder, from nothing but the run's own records and samples."""

import shlex
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
            Or a part of the report could not be written; the others are there.
    """
    folder = Path(run_dir)
    report = read(folder, formats)
    write(report, folder / FOLDER, formats)
    return report


def read(folder: Path, formats: Sequence[str] = FORMATS) -> Report:
    """Return what a run's report says, and write nothing; the errors are those of :func:`build`."""
    files.require_known(formats)
    report = assemble(folder)
    check_hashes(report)
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
                    f"restore it, or measure that trial again: remove {shlex.quote(str(path.parent))}, then "
                    f"chatbench run --resume {shlex.quote(str(report.folder))}",
                )


def write(report: Report, into: Path, wanted: Sequence[str]) -> None:
    """Write a report's files in the wanted formats; a part that fails costs no other.

    Raises:
        BenchError: a part could not be written; it is named, with the command that writes the report again.
    """
    lost: list[str] = []
    texts = {"md": files.to_markdown, "json": files.to_json, "csv": files.to_csv}
    for name in (name for name in texts if name in wanted):
        try:
            write_atomically(into / f"table.{name}", _bytes(texts[name](report)))
        except Exception as error:  # noqa: BLE001  # a full disk, a fault of ours: what was measured stays
            lost.append(_said(f"table.{name}", error))
    if "html" in wanted:
        lost += _write_page(report, into)
    if lost:
        raise BenchError(
            f"the report lacks {len(lost)} part(s): {'; '.join(lost)}",
            f"all samples are kept; write it again: chatbench report {shlex.quote(str(report.folder))}",
        )


def _write_page(report: Report, into: Path) -> list[str]:
    """Write page, style and plots; return what was lost of them."""
    from reports.pages.html import FIGURES, STYLE_FILE, style_beside, to_html
    from reports.plots.chat import draw

    plots = draw(report, into / FIGURES)
    lost = [f"the plot {plot.name} ({plot.flaw})" for plot in plots if plot.flaw]
    try:
        write_atomically(into / PAGE, _bytes(to_html(report, plots)))
        write_atomically(into / STYLE_FILE, style_beside().encode())
    except Exception as error:  # noqa: BLE001  # as above
        lost.append(_said(PAGE, error))
    return lost


def _bytes(text: str) -> bytes:
    """Return a file's content; a folder's name may hold bytes that are no UTF-8."""
    return text.encode(errors="backslashreplace")


def _said(part: str, error: Exception) -> str:
    return f"{part} ({type(error).__name__}: {' '.join(str(error).split())})"
