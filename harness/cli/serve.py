"""``chatbench serve``."""

import argparse
import signal

from harness import profiles
from harness.cli import kept, lookup, output, signals
from harness.errors import EXIT_DONE
from harness.runtimes import serving


def run(args: argparse.Namespace) -> int:
    """Start a target and keep it until Ctrl-C."""
    console, profile = output.console(), profiles.load(args.profile)
    runtime = lookup.runtime("local")
    prepared = lookup.prepared(runtime, args.target, console, profile.seed)
    with (
        kept.logs("serve", args.target) as logs,
        serving.serving(runtime, prepared, profile.answer, logs.folder) as served,
    ):
        try:
            for url in served.stack.instances:
                console.print(f"{prepared.target.title}: {url}", highlight=False, markup=False, soft_wrap=True)
            console.print(f"logs: {logs.folder / 'logs'}", highlight=False, markup=False, soft_wrap=True)
            if "sign-in" in prepared.target.features:
                console.print("sign in as user0001, moderator or admin with chatbench-demo")
            console.print("Ctrl-C stops it")
            signal.pause()
        except signals.Ended:
            raise
        except KeyboardInterrupt:
            console.print("stopping")
    return EXIT_DONE
