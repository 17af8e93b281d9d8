"""Commands that read and print."""

import argparse
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli import REPOSITORY, lookup
from harness.environments import locked_version
from harness.errors import EXIT_DONE, EXIT_INVALID
from harness.targets import Catalogue, Kind, Part, varied


def targets(words: argparse.Namespace) -> int:
    """List the parts there are, and every target that can be put together of them."""
    del words
    found, console = lookup.catalogue(), Console()
    table = Table("part", "kind", "what it is", "version", "how it runs", title="parts", title_justify="left")
    kinds: tuple[Kind, ...] = ("monolith", "api", "web", "direct")
    for part in (part for kind in kinds for part in found.of_kind(kind)):
        table.add_row(*_described(part, part.name))
        for variant in part.variants:
            table.add_row(*_described(varied(part, variant), f"{part.name}:{variant}"))
    console.print(table)
    console.print("targets: a part alone, or any api+web", highlight=False)
    for line in _lines(found):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE


def _described(part: Part, name: str) -> tuple[Text, ...]:
    kind = "control" if part.control else part.kind
    model = part.model or ("files, served by the api or by nginx" if part.local.build else "")
    return tuple(map(Text, (name, kind, part.title, locked_version(part) or "", model)))


def _lines(found: Catalogue) -> list[str]:
    """Return the names of all targets: those that stand alone in a line, then a line for each api."""
    alone = [name for name in found.names() if "+" not in name]
    pairs = [name for name in found.names() if "+" in name]
    by_api = [" ".join(group) for _, group in groupby(pairs, key=lambda name: name.partition("+")[0])]
    return [" ".join(alone), *by_api]


def report(words: argparse.Namespace) -> int:
    """Rebuild a run's report."""
    from reports.build import build
    from reports.content.report import assemble
    from reports.pages import terminal

    folder, console = lookup.run_folder(words.run, words.results), Console()
    page = build(folder, formats=tuple(words.format)) if words.format else build(folder)
    terminal.show(assemble(folder), console)
    console.print(f"report: {page}", highlight=False, soft_wrap=True)
    return EXIT_DONE


def verify(words: argparse.Namespace) -> int:
    """Recompute every printed number from raw samples; exit code 3 where one differs."""
    from reports.verify import verify as recompute

    folder, console = lookup.run_folder(words.run, words.results), Console()
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
    from reports.compare import runs

    base, head = (lookup.run_folder(word, words.results) for word in (words.base, words.head))
    found = runs.compare(base, head, other_conditions=words.other_conditions)
    if words.format == "md":
        print(runs.to_markdown(*found), end="")
    else:
        runs.show(*found, Console())
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
