"""The use of each component of a stack per turn: web server, API, database and cache told apart."""

from collections.abc import Sequence
from pathlib import Path

from harness import results
from harness.analysis.resource_figures import growth
from reports.evidence.trials import TrialRef


def cpu_s_per_turn(folder: Path, trials: Sequence[TrialRef], target: str, level: int) -> dict[str, float]:
    """Return CPU seconds per turn of each of a target's components, over its valid trials at a level.

    CPU over the measured window, idle CPU included, divided by the turns that ended in it; several trials: their mean.
    """
    sums: dict[str, list[float]] = {}
    for path, trial in trials:
        key, summary = trial.key, trial.summary
        if (key.target, key.scenario, key.level) != (target, "chat", level) or trial.verdict.outcome == "invalid":
            continue
        if summary is None or "measure" not in summary.phases:
            continue
        window = summary.phases["measure"]
        turns, resources = results.read_turns(folder / path), results.read_resources(folder / path)
        ended = int(((turns["done_s"] >= window.start_s) & (turns["done_s"] < window.end_s)).sum())
        for name, samples in resources[resources["role"] == "target"].groupby("component"):
            grown = growth(samples, "cpu_s", window.start_s, window.end_s)
            if grown is not None and ended:
                sums.setdefault(str(name), []).append(grown / ended)
    return {name: sum(values) / len(values) for name, values in sums.items()}
