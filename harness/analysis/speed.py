"""The machine's speed: from the seconds of the fixed work to one number, and the trials made in an odd minute. Pure.

The number compares moments and machines; it is no capacity. Which differences between sessions it explains is measured
by :mod:`harness.analysis.sessions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log
from statistics import fmean, median

from harness.analysis.registry import figure
from harness.records import FixedWork, MachineSpeed, Reason, Trial, Verdict

# Speed 1: two virtual CPUs of an Intel Xeon (family 6, model 207, stepping 2) at 2.1 GHz, CPython 3.11, the fastest of
# many executions; CPU seconds of a round. A definition, not a goal.
REFERENCE_S = {"interpreter": 0.0122, "json": 0.0124, "sqlite": 0.0128, "loopback": 0.0103}
NAME = "machine_speed"
CODE = "invalid.machine_speed"
OFF_RATIO = 0.25  # from the session's median; docs/decisions/machine-speed.md says why not 10 %
LEAST_KNOWN = 4  # trials before a median means anything
MOST_REPEATS = 2  # of a campaign: a machine that keeps changing is not cured by measuring more


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpeed:
    """The speeds of a run's trials: median, smallest and largest."""

    median: float
    low: float
    high: float
    trials: int


def relative(work: FixedWork) -> float | None:
    """Return how many times as fast as the reference the work was done; None where it was not timed.

    The geometric mean over the kinds of work of reference seconds ÷ seconds.
    """
    if set(work.seconds) != set(REFERENCE_S):
        return None
    return exp(fmean(log(REFERENCE_S[kind] / seconds) for kind, seconds in work.seconds.items()))


def around(speed: MachineSpeed | None) -> float | None:
    """Return a trial's speed: the geometric mean of before and after; None where one of them is not known."""
    found = [relative(work) for work in (speed.before, speed.after)] if speed else [None]
    known = [value for value in found if value is not None]
    return exp(fmean(map(log, known))) if len(known) == len(found) else None


def missing(speed: MachineSpeed) -> str | None:
    """Return why a trial has no speed; None where it has one."""
    return speed.before.missing or speed.after.missing


def of_session(trials: Sequence[Trial]) -> SessionSpeed | None:
    """Return the speeds of a run, invalid trials included: they show the machine too; None where none recorded one."""
    found = [value for trial in trials if (value := around(trial.speed)) is not None]
    if not found:
        return None
    return SessionSpeed(median=median(found), low=min(found), high=max(found), trials=len(found))


def is_aside(trial: Trial) -> bool:
    """Tell if a trial was set aside before for the minute it was made in."""
    return any(reason.code == CODE for reason in trial.verdict.reasons)


def aside(trial: Trial, earlier: Sequence[float]) -> Trial | None:
    """Return a trial as set aside where its minute was faster or slower than the session's median by more than 25 %.

    None where it counts: it is within 25 %, invalid for another reason already, or too little is known. Both ways,
    since leaving out slow minutes alone would lean to fast ones.

    Args:
        trial: As measured and judged.
        earlier: The speeds of the session's trials before it.
    """
    speed = around(trial.speed)
    if speed is None or len(earlier) < LEAST_KNOWN or trial.verdict.outcome == "invalid":
        return None
    middle = median(earlier)
    if abs(speed / middle - 1) <= OFF_RATIO:
        return None
    text = f"{figure(NAME).against(speed, middle, bound='median of the session so far')}: measured again"
    reason = Reason(code=CODE, text=text, value=speed, limit=middle, unit=figure(NAME).unit)
    return replace(trial, verdict=Verdict(outcome="invalid", reasons=(reason,)))
