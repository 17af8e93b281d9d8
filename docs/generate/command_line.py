"""The command-line reference, from the parsers themselves; the make targets, from the Makefile's own comments."""

import argparse
import re
from pathlib import Path

from docs.generate.markdown import table
from harness import errors
from harness.cli import parser

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"
EXITS = {
    "EXIT_DONE": "done; of a gate: passed",
    "EXIT_ERROR": "an error, printed with its remedy; of `check`, `swap`, `wishes`, a run of `smoke`: something failed",
    "EXIT_USAGE": "a wrong argument, name or file",
    "EXIT_INVALID": "not settled: a capacity or a gate is inconclusive, or `verify` or `selftest` found a difference",
    "EXIT_GATE": "of a gate: failed, HEAD is dearer",
}


def page() -> str:
    """Return every command with its arguments and options."""
    top = parser()
    commands = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    overview = [(f"[`{one.dest}`](#chatbench-{one.dest})", one.help) for one in commands._choices_actions]
    exits = [(value, EXITS[name]) for name, value in vars(errors).items() if name in EXITS]
    return (
        "# Command line\n\n"
        "`make setup` installs the command as `.venv/bin/chatbench`.\n"
        "`--help` after any command prints the same as this page.\n\n"
        + table(("Command", "What it does"), overview)
        + "\n"
        + "\n".join(_command(one) for one in commands.choices.values())
        + "\n## Exit codes\n\n"
        + table(("Code", "Meaning"), exits)
        + "\nAn interrupted command ends with 130, after SIGTERM with 143, after its terminal was closed with 129.\n"
        + "It stops what it started; a run says how to resume it.\n\n## make\n\n"
        + make_targets()
    )


def make_targets() -> str:
    """Return the make targets with their comments."""
    found = re.findall(r"^([a-z-]+):.*?## (.+)$", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)
    return table(("Command", "What it does"), [(f"`make {name}`", says) for name, says in found])


def _command(one: argparse.ArgumentParser) -> str:
    shown = [action for action in one._actions if not isinstance(action, argparse._HelpAction)]
    usage = " ".join([one.prog, *(_usage(action) for action in shown)])
    rows = [(f"`{_name(action)}`", _says(one, action)) for action in shown]
    listed = f"\n{table(('Argument', 'Meaning'), rows)}" if rows else ""
    return f"## {one.prog}\n\n{one.description}\n\n`{usage}`\n{listed}"


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    if action.nargs == 0:
        return action.option_strings[-1]
    return f"{action.option_strings[-1]} {_value(action)}"


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return str(action.metavar or action.dest.upper())


def _usage(action: argparse.Action) -> str:
    optional = action.option_strings or action.nargs in ("*", "?")
    several = " …" if action.nargs == "*" or isinstance(action, argparse._AppendAction) else ""
    return f"[{_name(action)}{several}]" if optional else _name(action)


def _says(one: argparse.ArgumentParser, action: argparse.Action) -> str:
    return one._get_formatter()._expand_help(action) if action.help else ""
