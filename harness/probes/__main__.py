"""Tries a running target and prints the outcome as JSON: for use where the target can be reached."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from harness.probes import audit, contract
from harness.probes.subject import Subject
from harness.records import from_json, to_json

TRIED: dict[str, Callable[[Subject], Sequence[object]]] = {"contract": contract.check, "audit": audit.audit}


def main() -> None:
    """Read what to try and the subject, as JSON, from the command line; print a list of checks or of findings."""
    parser = argparse.ArgumentParser(prog="python -m harness.probes", description=__doc__)
    parser.add_argument("what", choices=tuple(TRIED))
    parser.add_argument("subject", type=json.loads, help="a Subject as JSON")
    args = parser.parse_args()
    outcome = TRIED[args.what](from_json(Subject, args.subject))
    json.dump([to_json(one) for one in outcome], sys.stdout)


if __name__ == "__main__":
    main()
