"""The bottleneck of each target, from the readings of the trial where it missed the SLO."""

from dataclasses import dataclass
from typing import Any

from harness.analysis.validity import Validity, generator_cores
from harness.records import Trial
from reports.evidence.trials import Evidence, TrialRef, reasons, valid
from reports.numbers import as_text, significant

NEAR_FULL = 0.85  # share of a resource from which on it is called the bound
UNKNOWN = (
    "What its turns waited for is not known: short bursts, collections of garbage and locks do not show in averages."
)
TOOLS = ("generator", "model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """The explanation of one target's limit, and the trial it was read from."""

    target: str
    title: str
    text: str
    rests_on: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        return {"target": self.target, "text": self.text, "rests_on": list(self.rests_on)}


def explain(evidence: Evidence) -> Bottleneck:
    """Say what a target ran out of at the lowest level that failed, or what it used at the highest that passed."""
    chosen = _telling(evidence)
    if chosen is None:
        text = "No valid trial under load."
        return Bottleneck(target=evidence.target, title=evidence.info.title, text=text, rests_on=())
    path, trial = chosen
    failed = trial.verdict.outcome == "fail"
    why = f": {reasons([chosen])}" if failed and trial.verdict.reasons else ""
    opening = f"At {as_text(trial.key.level, 'users')} it {'missed' if failed else 'met'} the SLO{why}."
    near = "; ".join([*_bounds(trial), *(_tool_bounds(trial) if evidence.no_app else ())])
    if near:
        bound = f"{'Limited by' if failed else 'Nearest to its limit'}: {near}."
    else:
        bound = f"No reading was near its limit on average. {UNKNOWN}" if failed else "No reading was near its limit."
    return Bottleneck(
        target=evidence.target,
        title=evidence.info.title,
        text=f"{opening} {bound} {_readings(evidence, trial)}",
        rests_on=(path,),
    )


def _telling(evidence: Evidence) -> TrialRef | None:
    trials = valid(evidence.chat)
    failed = [item for item in trials if item.trial.verdict.outcome == "fail"]
    if failed:
        return min(failed, key=lambda item: item.key.level)
    return max(trials, key=lambda item: item.key.level, default=None)


def _bounds(trial: Trial) -> list[str]:
    figures, budget = trial.figures, len(trial.limits.cpus)
    found = [r.text for r in trial.verdict.reasons if r.code.startswith("target.")]
    busiest, cores = figures.get("busiest_process_cores"), figures.get("target_cores")
    if cores is not None and cores >= NEAR_FULL * budget:
        found.append(f"CPU, {significant(cores)} of {budget} cores used")
    elif busiest is not None and busiest >= NEAR_FULL:
        idle = significant(budget - (cores or busiest))
        found.append(f"one process, which used {significant(busiest)} of one core; {idle} of {budget} cores were idle")
    memory, limit = figures.get("memory_peak_bytes"), trial.limits.memory_bytes
    if memory is not None and limit and memory >= NEAR_FULL * limit:
        found.append(f"memory, {as_text(memory, 'bytes')} of {as_text(limit, 'bytes')} used")
    busy = figures.get("host_busy_ratio")
    if not trial.limits.spare_cpus and busy is not None and busy > Validity().contended_host_busy_ratio:
        others = [value for name in TOOLS if (value := figures.get(f"{name}_cores")) is not None]
        used = f"; load generator and model used {significant(sum(others))} cores" if len(others) == len(TOOLS) else ""
        found.append(f"the machine, {as_text(busy, 'ratio')} busy{used}")
    return found


def _tool_bounds(trial: Trial) -> list[str]:
    """Return which of generator and model, a process each, was near its one core."""
    of_generators = max(generator_cores(trial.figures), default=None)
    cores = [("load generator", of_generators), ("model", trial.figures.get("model_cores"))]
    return [
        f"the {name}'s process, which used {significant(value)} of one core"
        for name, value in cores
        if value is not None and value >= NEAR_FULL
    ]


def _readings(evidence: Evidence, trial: Trial) -> str:
    figures, processes = trial.figures, evidence.info.python_processes
    parts = []
    cores, busiest = figures.get("target_cores"), figures.get("busiest_process_cores")
    if cores is not None:
        parts.append(f"{significant(cores)} of {len(trial.limits.cpus)} cores")
    if busiest is not None:
        plural = "processes" if processes > 1 else "process"
        python = f" ({processes} Python {plural})" if processes else ""
        parts.append(f"busiest process {significant(busiest)} cores{python}")
    if evidence.no_app:
        taken = [(name, figures.get(f"{name}_cores")) for name in TOOLS]
        parts += [f"{name} {significant(value)} cores" for name, value in taken if value is not None]
    memory = figures.get("memory_peak_bytes")
    if memory is not None:
        limit = trial.limits.memory_bytes
        parts.append(
            f"memory {as_text(memory, 'bytes')}" + (f" of {as_text(limit, 'bytes')}" if limit else ", no limit")
        )
    busy = figures.get("host_busy_ratio")
    if busy is not None:
        parts.append(f"machine {as_text(busy, 'ratio')} busy")
    return f"Readings: {', '.join(parts)}." if parts else "No resource readings were recorded."
