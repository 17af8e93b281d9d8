"""``chatbench setup``."""

import argparse

from harness import profiles
from harness.cli import lookup, output
from harness.errors import EXIT_DONE


def run(args: argparse.Namespace) -> int:
    """Make everything that measuring these targets needs."""
    console = output.console()
    catalogue = lookup.catalogue()
    names = catalogue.covering(containers=args.runtime == "docker") if args.all else args.targets
    for target in [catalogue.target(name) for name in names]:  # all are known before the first is made
        lookup.prepared(lookup.runtime(args.runtime), target.name, console, profiles.load("quick").seed)
    console.print(f"ready: {', '.join(names)}", highlight=False, markup=False)
    return EXIT_DONE
