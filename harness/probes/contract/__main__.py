"""Tries the contract on a running target and prints the findings as JSON: for use where the target can be reached."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from harness.probes.contract import check


def main() -> None:
    """Read the command line, check, print a list of checks."""
    words = argparse.ArgumentParser(prog="python -m harness.probes.contract", description=__doc__)
    words.add_argument("url")
    words.add_argument("protocol")
    words.add_argument("--api-url", help="of the API, where the page has a server of its own")
    words.add_argument("--seed", type=int, required=True)
    words.add_argument("--features", default="", help="those the target states, with commas between")
    words.add_argument("--web", action="store_true", help="it serves a front end too")
    words.add_argument("--rate-limit", type=int, help="messages per minute it was started with")
    words.add_argument("--log", type=Path, help="the model's log of emissions")
    said = words.parse_args()
    found = check(
        said.url,
        said.protocol,
        api_url=said.api_url,
        seed=said.seed,
        features=said.features.split(","),
        web=said.web,
        rate_limit=said.rate_limit,
        model_log=said.log,
    )
    json.dump([asdict(one) for one in found], sys.stdout)


if __name__ == "__main__":
    main()
