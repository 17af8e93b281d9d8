"""``chatbench doctor``."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Column, Table
from rich.text import Text

from harness.cli import REPOSITORY, output
from harness.errors import EXIT_DONE

if TYPE_CHECKING:
    from harness.doctor.advice import Advice


def run(args: argparse.Namespace) -> int:
    """Say what this machine offers."""
    del args
    from harness import doctor as examination

    console, found = output.console(), examination.examine(REPOSITORY)
    columns = (Column(name, overflow="fold") for name in ("", "what", "found", "what to do"))  # nothing is cut
    table = Table(*columns, title="doctor", title_justify="left")
    for one in found:
        table.add_row(one.state, Text(one.name), Text(one.what), Text(one.remedy or ""))
    console.print(table)
    for line in commands(found):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE


def commands(found: Iterable["Advice"]) -> list[str]:
    """Return each command whole on a line of its own, to be copied, below the names of what it is for."""
    names: dict[str, list[str]] = {}
    for one in found:
        if one.command:
            names.setdefault(one.command, []).append(one.name)
    return [line for command, of in names.items() for line in ("", f"for {' and '.join(of)}:", command)]
