"""``chatbench report``."""

import argparse

from rich.console import Console

from harness.cli import lookup
from harness.errors import EXIT_DONE


def run(args: argparse.Namespace) -> int:
    """Rebuild a run's report."""
    from reports.build import build
    from reports.content.report import assemble
    from reports.pages import terminal

    folder, console = lookup.run_folder(args.run, args.results), Console()
    page = build(folder, formats=tuple(args.format)) if args.format else build(folder)
    terminal.show(assemble(folder), console)
    console.print(f"report: {page}", highlight=False, soft_wrap=True)
    return EXIT_DONE
