"""The command line. Nothing heavy is imported before a command needs it: ``--help`` answers at once."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from harness.cli import signals, startup
from harness.errors import EXIT_ERROR, BenchError

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_TARGETS = ("streamlit", "django+angular")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="chatbench", description="Measures monolithic against modular chatbots in a server of 2 vCPU / 4 GB."
    )
    top.add_argument("--version", action="version", version=f"chatbench {version('chatbench')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_report(commands)
    verify = _command(commands, "verify", "recompute the printed numbers from the raw samples")
    _run_argument(verify)
    _add_compare(commands)
    _command(commands, "targets", "list what can be measured")
    check = _command(commands, "check", "check that a target meets the contract")
    check.add_argument("target", metavar="TARGET", help="target to check; `chatbench targets` lists them")
    _runtime_option(check)
    _add_swap(commands)
    _add_wishes(commands)
    serve = _command(commands, "serve", "start a target to click through")
    serve.add_argument("target", metavar="TARGET", help="target to start; `chatbench targets` lists them")
    serve.add_argument("--profile", default="quick", help="whose answers the model gives (default: quick)")
    _add_init(commands)
    setup = _command(commands, "setup", "make environments, front-end builds and seeded data")
    setup.add_argument(
        "targets",
        nargs="*",
        default=list(DEFAULT_TARGETS),
        metavar="TARGET",
        help=f"targets to set up (default: {' '.join(DEFAULT_TARGETS)})",
    )
    setup.add_argument("--all", action="store_true", help="targets in which every part and variant takes part")
    _runtime_option(setup)
    explain = _command(commands, "explain", "say what a reason code means and how to fix its cause")
    explain.add_argument("code", metavar="CODE", nargs="?", help="such as invalid.steal; all codes where left out")
    _command(commands, "selftest", "measure servers whose answer is known; print chatbench's own error")
    _command(commands, "doctor", "check this machine and say how to fix what is missing")
    return top


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    report = _command(commands, "report", "rebuild a run's report, or pool several runs into one result")
    report.add_argument(
        "runs", nargs="*", metavar="RUN", help="id, folder or 'latest' (default); several are pooled over sessions"
    )
    report.add_argument("--format", action="append", metavar="NAME", help="json, csv, md or html; all where left out")
    report.add_argument(
        "--output", type=_folder, metavar="FOLDER", help="of a pooled result (default: pooled-… beside the runs)"
    )
    _results_argument(report)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = _command(commands, "run", "measure targets, print the table, write the report")
    run.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"what to measure (default: {' '.join(DEFAULT_TARGETS)})"
    )
    # without defaults here: beside --resume what was typed is held against the run
    run.add_argument("--profile", help="smoke, quick, article or a TOML file (default: quick)")
    _runtime_option(run, default=None)
    run.add_argument("--workers", type=int, help="processes that run virtual users (default: 1)")
    run.add_argument("--resume", metavar="RUN", help="resume an interrupted run: its id, folder or 'latest'")
    run.add_argument(
        "--results", type=_folder, default=_folder("results"), help="folder of all runs (default: results)"
    )


def _add_init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    init = _command(commands, "init", "write a chatbot of your own that runs at once, to be changed")
    init.add_argument("name", metavar="NAME", help="small letters, digits and hyphens")
    init.add_argument(
        "--kind",
        choices=("rest", "streamlit", "page"),
        default="rest",
        help="rest (default), streamlit, or page: a protocol of your own with a user class",
    )
    init.add_argument(
        "--directory", type=_folder, default=_folder("."), help="where its folder is made (default: here)"
    )


def _add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    compare = _command(commands, "compare", "set two runs side by side, or gate a change of a target")
    compare.add_argument("base", metavar="BASE", help="a run: its id, folder or 'latest'; with --gate a revision")
    compare.add_argument(
        "head", metavar="HEAD", help="another run; with --gate a revision, or . for the files as they are"
    )
    compare.add_argument("--format", choices=("text", "md"), default="text", help="text (default) or md")
    compare.add_argument(
        "--allow-different-conditions", action="store_true", help="compare although machine, profile or seed differ"
    )
    _results_argument(compare)
    gate = compare.add_argument_group(
        "gate", "measure two revisions of a target in pairs; exit 4 where HEAD is dearer, 3 where that is inconclusive"
    )
    gate.add_argument("--gate", action="store_true", help="measure and decide")
    gate.add_argument("--target", default=DEFAULT_TARGETS[0], help=f"target to measure (default: {DEFAULT_TARGETS[0]})")
    gate.add_argument("--margin", type=float, default=0.05, help="CPU time per turn that HEAD may add (default: 0.05)")
    gate.add_argument("--pairs", type=int, default=5, help="pairs of trials in a batch (default: 5)")
    gate.add_argument("--profile", default="gate", help="load and answers (default: gate)")
    _runtime_option(gate)


def _add_swap(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    swap = _command(commands, "swap", "try each API with each web part in a real browser")
    swap.add_argument("targets", nargs="*", metavar="TARGET", help="api+web pairs (default: all there are)")
    swap.add_argument("--run", metavar="RUN", help="keep the evidence in this run: its id, folder or 'latest'")
    _results_argument(swap)


def _add_wishes(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    wishes = _command(commands, "wishes", "try what users ask of a chatbot's page on patched copies of targets")
    wishes.add_argument(
        "targets",
        nargs="*",
        default=list(DEFAULT_TARGETS),
        metavar="TARGET",
        help=f"targets to patch (default: {' '.join(DEFAULT_TARGETS)})",
    )
    wishes.add_argument("--wish", action="append", metavar="NAME", help="such as brand; all wishes where left out")
    wishes.add_argument("--again", action="store_true", help="make results anew that still hold")
    _results_argument(wishes)


def _runtime_option(one: "argparse.ArgumentParser | argparse._ArgumentGroup", default: str | None = "local") -> None:
    one.add_argument("--runtime", default=default, help="where components run: local (default) or docker")


def _folder(word: str) -> Path:
    """Programs under test run in folders of their own: what is handed to them has to be absolute."""
    return Path(word).absolute()


def _run_argument(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "run", metavar="RUN", nargs="?", default="latest", help="id, folder or 'latest' (default); or a pooled result's"
    )
    _results_argument(one)


def _results_argument(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--results", type=_folder, default=_folder("results"), help="folder of all runs (default: results)"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a BenchError is printed here and nowhere else.

    A command is the function ``run`` of the module of its name. Without ``arguments`` this process is the program.
    """
    if arguments is None:
        startup.begin(REPOSITORY)
    args = parser().parse_args(arguments)
    try:
        with signals.orderly():
            command: Callable[[argparse.Namespace], int] = import_module(f"harness.cli.{args.command}").run
            return command(args)
    except BenchError as error:
        print(f"chatbench: {error.message}", file=sys.stderr)
        print(f"  {error.hint}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # nobody reads what is printed
        return EXIT_ERROR
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"chatbench: {error}", file=sys.stderr)
        print("  fix that and run it again; what was written before is kept", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt as end:
        said = f"chatbench: {signals.in_words(end)}; everything that was started has been stopped"
        with suppress(OSError):  # the terminal may be gone
            print(said, file=sys.stderr)
        return signals.code_of(end)
