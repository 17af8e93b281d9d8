"""``chatbench compare``."""

import argparse

from harness.cli import lookup, output
from harness.errors import EXIT_DONE


def run(args: argparse.Namespace) -> int:
    """Set two runs side by side, or with ``--gate`` measure two revisions and decide."""
    if args.gate:
        from harness.cli import gate

        return gate.run(args)
    from reports.compare import runs

    base, head = (lookup.run_folder(word, args.results) for word in (args.base, args.head))
    compared = runs.compare(base, head, allow_different_conditions=args.allow_different_conditions)
    if args.format == "md":
        print(runs.to_markdown(*compared), end="")
    else:
        runs.show(*compared, output.console())
    return EXIT_DONE
