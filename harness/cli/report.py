"""``chatbench report``."""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.cli import lookup, output
from harness.errors import EXIT_DONE, UsageError


def run(args: argparse.Namespace) -> int:
    """Rebuild a run's report, or pool several runs."""
    from reports import build
    from reports.pages import terminal

    folders, console = [lookup.run_folder(word, args.results) for word in args.runs or ("latest",)], output.console()
    formats = tuple(args.format or build.FORMATS)
    if len(folders) > 1:
        return _pool(folders, formats, args.output or args.results, args.output is None, console)
    if args.output:
        raise UsageError("--output is for several runs", "name more runs, or leave it out: a run's report is in it")
    report = build.read(folders[0], formats)
    terminal.show(report, console)
    build.write(report, folders[0] / build.FOLDER, formats)
    console.print(f"report: {build.page(folders[0], formats)}", highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE


def _pool(folders: Sequence[Path], formats: Sequence[str], place: Path, inside: bool, console: Console) -> int:
    """Pool runs into a folder; ``inside``: into a new one of ``place``, named after what is pooled."""
    from reports.build import check_hashes
    from reports.compare import sessions, sessions_pages
    from reports.pages.files import require_known

    require_known(formats)
    pooled = sessions.pool(folders)
    for one in pooled.sessions:
        check_hashes(one.report)
    name = hashlib.sha256("".join(one.sha256 for one in pooled.sessions).encode()).hexdigest()[:8]
    into = place / f"pooled-{pooled.first.run.profile.name}-{name}" if inside else place
    written = sessions_pages.write(pooled, into, formats)
    sessions_pages.show(pooled, console)
    console.print(f"report: {written}", highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE
