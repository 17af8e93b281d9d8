"""The curves of plots, from trials and their samples; vectorised, so that millions of turns are feasible."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from harness import results
from harness.records import Trial
from reports.evidence.trials import Evidence, TrialRef, valid

if TYPE_CHECKING:
    import pandas as pd

Line = tuple[list[float], list[float]]
POINTS = 400  # of a distribution curve: more cannot be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Resources over a trial: times in seconds since the first reading of the load."""

    cores: dict[str, Line]
    memory: Line
    measured: tuple[float, float] | None


def thinned(levels: list[int]) -> list[int]:
    """Leave out levels whose labels would touch on a logarithmic axis."""
    kept: list[int] = []
    for level in sorted(levels, reverse=True):
        if not kept or kept[-1] / level > 1.28:
            kept.append(level)
    return kept[::-1]


def mean_by_level(trials: list[Trial], name: str) -> Line:
    """Return levels and the mean of a figure at each; levels without it are left out."""
    known: dict[int, list[float]] = {}
    for trial in trials:
        value = trial.figures.get(name)
        if value is not None:
            known.setdefault(trial.key.level, []).append(value)
    levels = sorted(known)
    return [float(n) for n in levels], [fmean(known[n]) for n in levels]


def at_edge(evidence: Evidence) -> TrialRef:
    """Return the trial that shows a target at its limit: the highest level that passed, else the lowest tried."""
    trials = valid(evidence.chat)
    low = evidence.capacity.low
    return next((item for item in trials if item.key.level == low), min(trials, key=lambda item: item.key.level))


def resources(folder: Path, trial: Trial) -> Series:
    """Return a trial's CPU (cores, between readings) by role, and the memory of the target's stack."""
    frame = results.read_resources(folder) if results.RESOURCES in trial.files else None
    if frame is None or frame.empty:
        return Series(cores={}, memory=([], []), measured=None)
    start_s = float(frame["t_s"].min())
    cores = {role: _cores(frame[frame["role"] == role], start_s) for role in ("target", "model", "generator")}
    target = frame[frame["role"] == "target"]
    cores = {"target": cores["target"], "busiest process": _busiest(target, start_s), **cores}
    both = target["anon_bytes"].astype(float) + target["shared_bytes"].fillna(0).astype(float)
    memory = both.groupby(target["t_s"]).sum(min_count=1).dropna()
    window = trial.summary.phases.get("measure") if trial.summary else None
    return Series(
        cores={name: line for name, line in cores.items() if line[0]},
        memory=((memory.index.to_numpy(float) - start_s).tolist(), memory.tolist()),
        measured=(window.start_s - start_s, window.end_s - start_s) if window else None,
    )


def _cores(samples: "pd.DataFrame", start_s: float) -> Line:
    total = samples.groupby("t_s")["cpu_s"].sum().sort_index()
    return _rate(total.index.to_list(), total.to_list(), start_s)


def _rate(times: list[float], counter: list[float], start_s: float) -> Line:
    """Differentiate a cumulative counter; a restart (a falling counter) leaves a gap."""
    found: Line = ([], [])
    for i in range(1, len(times)):
        grown, passed = counter[i] - counter[i - 1], times[i] - times[i - 1]
        if grown >= 0 and passed > 0:
            found[0].append((times[i] + times[i - 1]) / 2 - start_s)
            found[1].append(grown / passed)
    return found


def _busiest(target: "pd.DataFrame", start_s: float) -> Line:
    """Return the CPU of the process that used most over the trial."""
    times: dict[tuple[str, str], Line] = {}
    for t_s, component, text in zip(target["t_s"], target["component"], target["process_cpu_s"], strict=True):
        for pid, cpu_s in json.loads(text).items():
            line = times.setdefault((component, pid), ([], []))
            line[0].append(t_s)
            line[1].append(cpu_s)
    if not times:
        return [], []
    most = max(times.values(), key=lambda line: line[1][-1] - line[1][0])
    return _rate(*most, start_s)


def ttft_distribution(run: Path, trials: list[TrialRef]) -> Line:
    """Return times and cumulative shares of measured turns; turns without a first token count in the total."""
    import numpy as np

    total, known = 0, []
    for path, trial in trials:
        if results.TURNS not in trial.files:
            continue
        turns = results.read_turns(run / path)
        measured = turns.loc[turns["phase"] == "measure", "ttft_s"].to_numpy(float)
        total += len(measured)
        known.append(measured[np.isfinite(measured)])
    values = np.sort(np.concatenate(known)) if known else np.empty(0)
    if not len(values):
        return [], []
    place = np.unique(np.linspace(0, len(values) - 1, min(POINTS, len(values))).astype(int))
    return np.maximum(values[place], 1e-4).tolist(), ((place + 1) / total).tolist()


def memory_by_sessions(trials: list[Trial]) -> tuple[list[int], list[float]]:
    """Return numbers of open sessions and the mean memory at each, in bytes."""
    known: dict[int, list[float]] = {}
    for trial in trials:
        for name, value in trial.figures.items():
            count = name.removeprefix("memory_bytes_")
            if count != name and count.isdigit() and value is not None:
                known.setdefault(int(count), []).append(value)
    counts = sorted(known)
    return counts, [fmean(known[n]) for n in counts]
