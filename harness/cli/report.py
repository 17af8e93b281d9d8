"""``chatbench report``."""

import argparse

from rich.console import Console

from harness.cli import lookup
from harness.errors import EXIT_DONE


def run(args: argparse.Namespace) -> int:
    """Rebuild a run's report."""
    from reports.build import FORMATS, build, page
    from reports.pages import terminal

    folder, console = lookup.run_folder(args.run, args.results), Console()
    formats = tuple(args.format or FORMATS)
    terminal.show(build(folder, formats=formats), console)
    console.print(f"report: {page(folder, formats)}", highlight=False, soft_wrap=True)
    return EXIT_DONE
