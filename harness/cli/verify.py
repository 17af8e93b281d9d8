"""``chatbench verify``."""

import argparse

from harness.cli import lookup, output
from harness.errors import EXIT_DONE, EXIT_INVALID


def run(args: argparse.Namespace) -> int:
    """Recompute every printed number from raw samples; exit code 3 where one differs."""
    from reports.verify import verify as recompute

    folder, console = lookup.results_folder(args.run, args.results), output.console()
    findings = recompute(folder)
    for finding in findings:
        console.print(str(finding), highlight=False, markup=False, soft_wrap=True)
    if findings:
        console.print(f"{len(findings)} differences; first: {findings[0]}", highlight=False, markup=False)
        return EXIT_INVALID
    console.print(f"{folder.name}: every printed number follows from its raw samples", highlight=False, markup=False)
    return EXIT_DONE
