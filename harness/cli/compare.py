"""``chatbench compare``."""

import argparse

from harness.cli import lookup, output
from harness.errors import EXIT_DONE, UsageError


def run(args: argparse.Namespace) -> int:
    """Set two runs side by side, or with ``--gate`` measure two revisions and decide."""
    if args.gate:
        from harness.cli import gate

        return gate.run(args)
    from reports.compare import runs

    try:
        base, head = (lookup.run_folder(word, args.results) for word in (args.base, args.head))
    except UsageError as error:
        raise UsageError(error.message, f"{error.hint}; revisions are compared with --gate") from error
    compared = runs.compare(base, head, allow_different_conditions=args.allow_different_conditions)
    if args.format == "md":
        print(runs.to_markdown(*compared), end="")
    else:
        runs.show(*compared, output.console())
    return EXIT_DONE
