"""``chatbench explain``: a reason code in words."""

import argparse

from harness.analysis.reason import BY_CODE, CODES, ReasonCode
from harness.errors import EXIT_DONE, UsageError
from harness.targets import nearest


def run(args: argparse.Namespace) -> int:
    """Print meaning, cause and remedy of a reason code; without a code, list all of them.

    Raises:
        UsageError: an unknown code; names the nearest one.
    """
    if args.code is None:
        width = max(len(code) for code in BY_CODE)
        for one in CODES:
            print(f"{one.code:<{width}}  {one.meaning}")
        return EXIT_DONE
    if args.code not in BY_CODE:
        raise UsageError(f"unknown reason code {args.code!r}", nearest(args.code, BY_CODE))
    for label, text in lines(BY_CODE[args.code]):
        print(f"{label + ':':<9}{text}")
    return EXIT_DONE


def lines(one: ReasonCode) -> list[tuple[str, str]]:
    """Return label and text of each line that explains a code."""
    limit = [("limit", one.limit)] if one.limit else []
    return [("code", one.code), ("meaning", one.meaning), *limit, ("cause", one.cause), ("remedy", one.remedy)]
