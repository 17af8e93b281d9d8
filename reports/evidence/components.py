"""The use of each component of a stack per turn: web server, API, database and cache told apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness import results
from harness.analysis.resource_figures import growth, quiet_cores
from reports.evidence.trials import TrialRef

if TYPE_CHECKING:
    import pandas as pd

NOTHING: Mapping[str, float] = MappingProxyType({})


def cpu_s_per_turn(
    folder: Path, trials: Sequence[TrialRef], target: str, level: int, idle: Mapping[str, float] = NOTHING
) -> dict[str, float]:
    """Return CPU seconds per turn of each of a target's components, over its valid trials at a level.

    CPU over the measured window, less that of ``idle`` cores, divided by the turns that ended in it; several trials:
    their mean.
    """
    sums: dict[str, list[float]] = {}
    for path, trial in trials:
        key, summary = trial.key, trial.summary
        if (key.target, key.scenario, key.level) != (target, "chat", level) or trial.verdict.outcome == "invalid":
            continue
        if summary is None or "measure" not in summary.phases:
            continue
        window = summary.phases["measure"]
        turns = results.read_turns(folder / path)
        ended = int(((turns["done_s"] >= window.start_s) & (turns["done_s"] < window.end_s)).sum())
        for name, samples in _components(folder / path):
            grown_s = growth(samples, "cpu_s", window.start_s, window.end_s)
            if grown_s is not None and ended:
                net_s = grown_s - idle.get(name, 0.0) * (window.end_s - window.start_s)
                sums.setdefault(name, []).append(net_s / ended)
    return {name: sum(values) / len(values) for name, values in sums.items()}


def idle_cores(folder: Path, trials: Sequence[TrialRef], target: str) -> dict[str, float]:
    """Return the cores that each component uses without a session, as the last valid idle trial tells."""
    for path, trial in reversed(trials):
        if (trial.key.target, trial.key.scenario) == (target, "idle") and trial.verdict.outcome != "invalid":
            quiet = [step for step in (trial.summary.steps if trial.summary else ()) if step.sessions == 0]
            found = {name: quiet_cores(frame, quiet[0]) for name, frame in _components(folder / path)} if quiet else {}
            return {name: cores for name, cores in found.items() if cores is not None}
    return {}


def _components(trial: Path) -> "list[tuple[str, pd.DataFrame]]":
    resources = results.read_resources(trial)
    return [(str(name), samples) for name, samples in resources[resources["role"] == "target"].groupby("component")]
