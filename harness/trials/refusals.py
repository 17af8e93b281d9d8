"""The target's calls at the stand-in model: those that it refused, and that there were none."""

import re
from collections.abc import Sequence
from pathlib import Path

from harness import results
from harness.probes.contract import Check
from harness.records import Turn

SHOWN = 5
UNASKED = "no call reached the stand-in model: the chatbot asks another address than OPENAI_BASE_URL, or asked nothing"
_REFUSED = re.compile(r"4\d\d: ")


def refused_calls(log: Path, *, answered: bool) -> list[Check]:
    """Return what the model's log says of refused calls; failed unless all turns were ``answered`` all the same."""
    faults = [one.fault for one in results.read_emissions(log) if one.fault and _REFUSED.match(one.fault)]
    said = "not needed by the turns" if answered else "the turns may need it"
    return [
        Check(operation="model", passed=answered, text=f"the stand-in model refused a call with {fault} ({said})")
        for fault in list(dict.fromkeys(faults))[:SHOWN]
    ]


def unasked(log: Path, turns: Sequence[Turn]) -> list[Check]:
    """Return a failed check where virtual users sent messages, none was answered and the model was not asked."""
    if not turns or any(turn.outcome == "ok" for turn in turns) or results.read_emissions(log):
        return []
    return [Check(operation="model", passed=False, text=UNASKED)]
