"""The console of every command: a terminal is redrawn, everything else gets plain lines."""

import os
import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

DUMB = ("", "dumb", "unknown")  # terminals that cannot go back to a line above
OFF = ("", "0", "false")
NARROWEST = 20  # columns; what says less cannot be meant
WIDTH = 80


def console() -> "Console":
    """Return a console for standard output.

    Whether it is redrawn depends on what it is. Variables may switch that off, and colours on, but nothing else.
    """
    from rich.console import Console

    redrawn = redraws(sys.stdout, os.environ)
    coloured = os.environ.get("FORCE_COLOR", "").lower() not in OFF
    columns = os.environ.get("COLUMNS", "")
    return Console(
        file=sys.stdout,  # named, so that boxes are drawn with the signs of its encoding
        force_terminal=redrawn,
        force_interactive=redrawn,
        color_system="standard" if coloured and not redrawn else "auto",
        markup=False,  # brackets and colons in names of targets and folders are no markup
        emoji=False,
        width=WIDTH if columns.isdecimal() and int(columns) < NARROWEST else None,
    )


def redraws(stream: IO[str] | None, environ: Mapping[str, str]) -> bool:
    """Tell if a stream is a terminal on which a table may be drawn over; a log of a CI system keeps every drawing."""
    try:
        there = stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
    switched_off = environ.get("TTY_COMPATIBLE") == "0" or environ.get("TTY_INTERACTIVE") == "0"
    in_ci = environ.get("CI", "").lower() not in OFF
    return there and not switched_off and not in_ci and environ.get("TERM", "").lower() not in DUMB
