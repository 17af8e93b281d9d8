"""``chatbench doctor``."""

import argparse

from rich.table import Table
from rich.text import Text

from harness.cli import REPOSITORY, output
from harness.errors import EXIT_DONE


def run(args: argparse.Namespace) -> int:
    """Say what this machine offers."""
    del args
    from harness import doctor as examination

    table = Table("", "what", "found", "what to do", title="doctor", title_justify="left")
    for one in examination.examine(REPOSITORY):
        table.add_row(one.state, Text(one.name), Text(one.what), Text(one.remedy or ""))
    output.console().print(table)
    return EXIT_DONE
