"""Calls that the stand-in model refused: a target may ask for what it does not have."""

import re
from pathlib import Path

from harness import results
from harness.probes.contract import Check

SHOWN = 5
_REFUSED = re.compile(r"4\d\d: ")


def refused_calls(log: Path, *, answered: bool) -> list[Check]:
    """Return what the model's log says of refused calls; failed unless all turns were ``answered`` all the same."""
    faults = [one.fault for one in results.read_emissions(log) if one.fault and _REFUSED.match(one.fault)]
    said = "not needed by the turns" if answered else "the turns may need it"
    return [
        Check(operation="model", passed=answered, text=f"the stand-in model refused a call with {fault} ({said})")
        for fault in list(dict.fromkeys(faults))[:SHOWN]
    ]
