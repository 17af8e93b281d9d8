"""Commands that set up or start a target without measuring it."""

import argparse
import signal
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import profiles
from harness.cli import REPOSITORY, lookup
from harness.errors import EXIT_DONE, EXIT_ERROR
from harness.runtimes import MESSAGES_PER_MINUTE, Prepared, Runtime, serving


def setup(words: argparse.Namespace) -> int:
    """Make everything that measuring these targets needs."""
    console = Console()
    catalogue = lookup.catalogue()
    chosen = [catalogue.target(name) for name in (catalogue.covering() if words.all else words.targets)]
    for target in chosen:
        lookup.runtime(words.runtime).prepare(
            target,
            catalogue,
            REPOSITORY,
            profiles.load("quick").seed,
            lambda text: console.print(text, highlight=False),
        )
    console.print(f"ready: {', '.join(t.name for t in chosen)}", highlight=False)
    return EXIT_DONE


def _prepared(runtime: Runtime, name: str, console: Console, seed: int) -> Prepared:
    catalogue = lookup.catalogue()
    target = catalogue.target(name)
    return runtime.prepare(target, catalogue, REPOSITORY, seed, lambda text: console.print(text, highlight=False))


def serve(words: argparse.Namespace) -> int:
    """Start a target and keep it until Ctrl-C."""
    console, profile = Console(), profiles.load(words.profile)
    runtime = lookup.runtime("local")
    prepared = _prepared(runtime, words.target, console, profile.seed)
    with (
        tempfile.TemporaryDirectory(prefix="chatbench-serve-") as folder,
        serving.serving(runtime, prepared, profile.answer, Path(folder)) as served,
    ):
        for url in served.stack.instances:
            console.print(f"{prepared.target.title}: {url}", highlight=False)
        if "sign-in" in prepared.target.features:
            console.print("sign in as user0001, moderator or admin with chatbench-demo")
        console.print("Ctrl-C stops it")
        try:
            signal.pause()
        except KeyboardInterrupt:
            console.print("stopping")
    return EXIT_DONE


def check(words: argparse.Namespace) -> int:
    """Start a target and try every operation of the contract on it."""
    from harness.trials import trial  # pandas takes seconds to import: only after the words were checked

    console, profile = Console(), profiles.load("smoke")
    runtime = lookup.runtime(words.runtime)
    prepared = _prepared(runtime, words.target, console, profile.seed)
    with (
        tempfile.TemporaryDirectory(prefix="chatbench-check-") as folder,
        serving.serving(runtime, prepared, profile.answer, Path(folder)) as served,
    ):
        checks = served.pod.check(served.stack, MESSAGES_PER_MINUTE)
        checks += trial.check_turns(served.pod, prepared, served.stack, profile, served.folder)
    table = Table("", "operation", "found", title=prepared.target.title, title_justify="left")
    for one in checks:
        table.add_row("ok" if one.passed else "FAILED", Text(one.operation), Text(one.text))
    console.print(table)
    failed = sum(not one.passed for one in checks)
    console.print(f"{len(checks) - failed} of {len(checks)} checks passed")
    return EXIT_ERROR if failed or not checks else EXIT_DONE
