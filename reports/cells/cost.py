"""The cost of a turn at the highest level that passed: CPU time without idle CPU, and the users that a core carries.

Not at the common load: a turn costs 1.5 to 1.7 times as much there as at capacity, where one wake-up serves several
turns (docs/method/capacity.md).
"""

from collections.abc import Callable
from dataclasses import replace
from statistics import median

from harness.analysis.registry import figure
from harness.records import Trial
from reports.cells.cell import NO_PROCESS, NOT_MEASURED, Cell, absent
from reports.cells.figure import values_cell
from reports.evidence.trials import Evidence, TrialRef, paths, valid
from reports.numbers import as_text

IDLE_SHARE = 0.5  # of a target's CPU time: with more of it idle, the rest is a difference of two like numbers
USERS_PER_CORE, CPU_PER_TURN = figure("users_per_core_at_capacity"), figure("cpu_s_per_turn_at_capacity")


def cells(evidence: Evidence) -> list[Cell]:
    """Return users per core and CPU time per turn at the capacity's level."""
    return [_users_per_core(evidence), _cpu_per_turn(evidence)]


def idle_cores(evidence: Evidence) -> float | None:
    """Return the cores that a target uses without a session; None where no idle trial told."""
    known = [value for _, trial in valid(evidence.idle) if (value := trial.figures.get("idle_cores")) is not None]
    return median(known) if known else None


def without_idle(trial: Trial, idle: float) -> float | None:
    """Return a trial's CPU time per turn in seconds without the idle cores; None where it was not recorded."""
    cores, gross_s = trial.figures.get("target_cores"), trial.figures.get("target_cpu_s_per_turn")
    return gross_s * (1 - idle / cores) if cores and gross_s is not None else None


def at_edge(evidence: Evidence) -> list[TrialRef]:
    """Return the valid trials at the highest level that passed."""
    low = evidence.capacity.low
    return valid(evidence.at(low)) if low else []


def _users_per_core(evidence: Evidence) -> Cell:
    def users(trial: Trial) -> float | None:
        cores = trial.figures.get("target_cores")
        return trial.key.level / cores if cores else None

    cell = _cell(evidence, USERS_PER_CORE.name, users)
    if cell.value is None:
        return cell
    trials = at_edge(evidence)
    cores = median(t.figures.get("target_cores") or 0.0 for _, t in trials)
    where = f"{as_text(cores, 'cores')} at {as_text(trials[0].key.level, 'users')}"
    return replace(cell, text=f"{cell.text}; {where}")


def _cpu_per_turn(evidence: Evidence) -> Cell:
    idle = idle_cores(evidence)
    trials = at_edge(evidence)
    if not evidence.no_app and trials and idle is None:
        return absent(CPU_PER_TURN.name, CPU_PER_TURN.label, evidence.target, "not measured: idle CPU is not known")

    cell = _cell(evidence, CPU_PER_TURN.name, lambda trial: without_idle(trial, idle or 0.0))
    if cell.value is not None:
        cell = replace(cell, rests_on=cell.rests_on + paths(valid(evidence.idle)))
    cores = [t.figures.get("target_cores") or 0.0 for _, t in trials]
    if cell.value is None or (idle or 0.0) <= IDLE_SHARE * min(cores):
        return cell
    most_s = max(t.figures.get("target_cpu_s_per_turn") or 0.0 for _, t in trials)
    short = f"< {as_text(most_s, CPU_PER_TURN.unit)}"
    text = f"{short}: most of the CPU time is idle CPU"
    return replace(cell, value=None, bracket=(None, most_s), verdict="bound", short=short, text=text)


def _cell(evidence: Evidence, name: str, value: Callable[[Trial], float | None]) -> Cell:
    shown = figure(name)
    if evidence.no_app:
        return absent(name, shown.label, evidence.target, NO_PROCESS)
    trials = at_edge(evidence)
    if not trials:
        why = "no level passed" if valid(evidence.chat) else "no valid trial" if evidence.chat else NOT_MEASURED
        return absent(name, shown.label, evidence.target, why)
    values = [value(trial) for _, trial in trials]
    if None in values:
        return absent(name, shown.label, evidence.target, "not recorded")
    return values_cell(name, shown.label, evidence, trials, shown, values)
