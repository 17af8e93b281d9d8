"""Commands that read and print."""

import argparse

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli import REPOSITORY, where
from harness.errors import EXIT_DONE, EXIT_INVALID


def targets(words: argparse.Namespace) -> int:
    """List every target that can be put together, with its parts."""
    del words
    found = where.catalogue()
    table = Table("target", "parts", "kind", "how it runs", title="targets", title_justify="left")
    for name in found.names():
        one = found.target(name)
        table.add_row(Text(name), Text(one.title), one.kind, Text(one.server.model))
    Console().print(table)
    return EXIT_DONE


def report(words: argparse.Namespace) -> int:
    """Rebuild a run's report."""
    from reports import terminal
    from reports.build import build
    from reports.report import assemble

    folder, console = where.run_folder(words.run, words.results), Console()
    page = build(folder, formats=tuple(words.format)) if words.format else build(folder)
    terminal.show(assemble(folder), console)
    console.print(f"report: {page}", highlight=False, soft_wrap=True)
    return EXIT_DONE


def verify(words: argparse.Namespace) -> int:
    """Recompute every printed number from raw samples; exit code 3 where one differs."""
    from reports.verify import verify as recompute

    folder, console = where.run_folder(words.run, words.results), Console()
    findings = recompute(folder)
    for finding in findings:
        console.print(str(finding), highlight=False, markup=False, soft_wrap=True)
    if findings:
        console.print(f"{len(findings)} differences; first: {findings[0]}", highlight=False, markup=False)
        return EXIT_INVALID
    console.print(f"{folder.name}: every printed number follows from its raw samples", highlight=False)
    return EXIT_DONE


def compare(words: argparse.Namespace) -> int:
    """Set two runs side by side, or with ``--gate`` measure two revisions and decide."""
    if words.gate:
        from harness.cli import gate

        return gate.run(words)
    from reports import beside

    base, head = (where.run_folder(word, words.results) for word in (words.base, words.head))
    found = beside.compare(base, head, other_conditions=words.other_conditions)
    if words.format == "md":
        print(beside.to_markdown(*found), end="")
    else:
        beside.show(*found, Console())
    return EXIT_DONE


def doctor(words: argparse.Namespace) -> int:
    """Say what this machine offers."""
    del words
    from harness import doctor as examination

    table = Table("", "what", "found", "what to do", title="doctor", title_justify="left")
    for one in examination.examine(REPOSITORY):
        table.add_row(one.state, Text(one.name), Text(one.what), Text(one.remedy or ""))
    Console().print(table)
    return EXIT_DONE
