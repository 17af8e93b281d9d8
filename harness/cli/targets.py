"""``chatbench targets``."""

import argparse
from itertools import groupby

from rich.table import Table
from rich.text import Text

from harness.cli import lookup, output
from harness.environments import locked_version
from harness.errors import EXIT_DONE
from harness.targets import Catalogue, Kind, Part, varied


def run(args: argparse.Namespace) -> int:
    """List the parts there are, and every target that can be put together of them."""
    del args
    catalogue, console = lookup.catalogue(), output.console()
    table = Table("part", "kind", "what it is", "version", "how it runs", title="parts", title_justify="left")
    kinds: tuple[Kind, ...] = ("monolith", "api", "web", "no_app")
    for part in (part for kind in kinds for part in catalogue.of_kind(kind)):
        table.add_row(*_described(part, part.name))
        for variant in part.variants:
            table.add_row(*_described(varied(part, variant), f"{part.name}:{variant}"))
    console.print(table)
    console.print("targets: a part alone, or any api+web", highlight=False)
    for line in _lines(catalogue):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE


def _described(part: Part, name: str) -> tuple[Text, ...]:
    kind = "control" if part.control else part.kind
    processes = part.processes or ("files, served by the api or by nginx" if part.local.build else "")
    return tuple(map(Text, (name, kind, part.title, locked_version(part) or "", processes)))


def _lines(catalogue: Catalogue) -> list[str]:
    """Return the names of all targets: those that stand alone in a line, then a line for each api."""
    alone = [name for name in catalogue.names() if "+" not in name]
    pairs = [name for name in catalogue.names() if "+" in name]
    by_api = [" ".join(group) for _, group in groupby(pairs, key=lambda name: name.partition("+")[0])]
    return [" ".join(alone), *by_api]
