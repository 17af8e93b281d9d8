"""``chatbench doctor``."""

import argparse

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli import REPOSITORY
from harness.errors import EXIT_DONE


def run(args: argparse.Namespace) -> int:
    """Say what this machine offers."""
    del args
    from harness import doctor as examination

    table = Table("", "what", "found", "what to do", title="doctor", title_justify="left")
    for one in examination.examine(REPOSITORY):
        table.add_row(one.state, Text(one.name), Text(one.what), Text(one.remedy or ""))
    Console().print(table)
    return EXIT_DONE
