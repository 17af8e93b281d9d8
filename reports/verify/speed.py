"""A second way to the machine's speed and to the trials set aside for it: nothing shared with ``harness.analysis``."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Trial = Mapping[str, Any]
# Milliseconds of the reference, written down here once more.
REFERENCE_MS = {"interpreter": 12.2, "json": 12.4, "sqlite": 12.8, "loopback": 10.3}
OFF_PERCENT, FEWEST, MOST_SET_ASIDE = 25, 4, 2
CODE = "invalid.machine_speed"


def of_trial(trial: Trial) -> float | None:
    """Return a trial's speed from its seconds; None where a kind of work has none."""
    ends = [trial["speed"][when]["seconds"] for when in ("before", "after")]
    if any(set(end) != set(REFERENCE_MS) for end in ends):
        return None
    times_ms = np.array([[1000 * end[kind] for kind in REFERENCE_MS] for end in ends])
    return float(np.prod(np.array(list(REFERENCE_MS.values())) / times_ms) ** (1 / times_ms.size))


def of_run(trials: Mapping[str, Trial]) -> dict[str, float] | None:
    """Return the median, smallest and largest speed of a run's trials and their number; None without one."""
    known = [found for t in trials.values() if t.get("speed") and (found := of_trial(t)) is not None]
    if not known:
        return None
    return {"median": float(np.median(known)), "low": min(known), "high": max(known), "trials": len(known)}


def minutes(trials: Mapping[str, Trial], *, gate: bool) -> Iterator[tuple[str, str]]:
    """Yield (trial, what is wrong) where a trial was set aside without cause, or counts though its minute was odd.

    Args:
        trials: By folder; their order is that of their starts.
        gate: The run is a gate's: its pairs are compared with each other, and none is set aside.
    """
    earlier: list[float] = []
    again: set[str] = set()
    count = 0
    for place, trial in sorted(trials.items(), key=lambda item: str(item[1]["started_at"])):
        target, outcome = trial["key"]["target"], trial["verdict"]["outcome"]
        marked = any(reason["code"] == CODE for reason in trial["verdict"]["reasons"])
        value = of_trial(trial) if trial.get("speed") else None
        apart = abs(value / float(np.median(earlier)) - 1) if value is not None and len(earlier) >= FEWEST else None
        odd = apart is not None and 100 * apart > OFF_PERCENT
        if marked and not odd:
            yield place, f"set aside for the machine's speed of {value}, but that was not odd"
        free = target not in again and count < MOST_SET_ASIDE and not gate
        if odd and free and not marked and outcome != "invalid":
            yield place, f"counts, but the machine's speed of {value} was odd"
        if value is not None:
            earlier.append(value)
        count += marked
        again = again | {target} if marked else again - {target}
