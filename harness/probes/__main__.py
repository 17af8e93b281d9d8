"""Audits a running target and prints the findings as JSON: for use where the target can be reached."""

import json
import sys

from harness.probes.audit import Subject, audit
from harness.records import from_json, to_json


def main() -> None:
    """Read the subject, as JSON, from the only argument; print a list of findings."""
    subject = from_json(Subject, json.loads(sys.argv[1]))
    json.dump([to_json(one) for one in audit(subject)], sys.stdout)


if __name__ == "__main__":
    main()
