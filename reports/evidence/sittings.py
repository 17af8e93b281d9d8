"""The sittings that a run was measured in: one that was resumed later is no single session."""

from collections.abc import Iterable
from datetime import datetime
from math import inf

from harness.records import PhaseTimes, StepTimes, Trial

APART_S = 15 * 60.0  # without a trial: what lies before and after is not one sitting


def sittings(trials: Iterable[Trial]) -> int:
    """Return in how many sittings trials were made."""
    found, last_s = 0, -inf
    for trial in sorted(trials, key=lambda one: one.started_at):
        start_s = datetime.fromisoformat(trial.started_at).timestamp()
        found += start_s - last_s >= APART_S
        last_s = max(last_s, start_s + _length_s(trial))
    return found


def _length_s(trial: Trial) -> float:
    """Return how long a trial's phases and steps took at least; 0 where it has none."""
    if trial.summary is None:
        return 0.0
    spans: list[PhaseTimes | StepTimes] = [*trial.summary.phases.values(), *trial.summary.steps]
    return max((span.end_s for span in spans), default=0.0) - min((span.start_s for span in spans), default=0.0)
