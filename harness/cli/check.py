"""``chatbench check``."""

import argparse

from rich.table import Table
from rich.text import Text

from harness import profiles
from harness.cli import kept, lookup, output
from harness.errors import EXIT_DONE, EXIT_ERROR
from harness.probes import contract
from harness.runtimes import serving
from harness.runtimes.protocol import MESSAGES_PER_MINUTE
from harness.trials.subject import subject


def run(args: argparse.Namespace) -> int:
    """Start a target and try every operation of the contract on it."""
    from harness.trials import trial  # pandas takes seconds to import: only after the words were checked

    console, profile = output.console(), profiles.load("smoke")
    runtime = lookup.runtime(args.runtime)
    prepared = lookup.prepared(runtime, args.target, console, profile.seed)
    with kept.logs("check", args.target) as logs:
        with serving.serving(runtime, prepared, profile.answer, logs.folder) as served:
            checks = contract.check_in(served.pod, subject(prepared, served.stack, MESSAGES_PER_MINUTE))
            checks += trial.check_turns(served.pod, prepared, served.stack, profile, served.folder)
            roles = {component.name: component.role for component in served.pod.components()}
        table = Table("", "operation", "found", title=Text(prepared.target.title), title_justify="left")
        for one in checks:
            table.add_row("ok" if one.passed else "FAILED", Text(one.operation), Text(one.text))
        console.print(table)
        failed = sum(not one.passed for one in checks)
        if failed:
            logs.show(console, roles)  # after its end, when the logs are whole
    console.print(f"{len(checks) - failed} of {len(checks)} checks passed")
    return EXIT_ERROR if failed or not checks else EXIT_DONE
