"""The curves of the plots of other workloads, from the raw samples of one trial each."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.analysis import stats
from harness.analysis.registry import figure
from harness.records import PhaseTimes, Trial
from reports.plots.curves import Line

if TYPE_CHECKING:
    import pandas as pd

BINS = 60  # of a curve of rates, at most about as many
WIDTHS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Turns of the measured phase: when each began, and what its first token took beyond the model's own time.

    Times are in seconds since the phase began. ``lost``: beginnings of turns that failed or did not end.
    """

    added: Line
    lost: list[float]
    length_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A spike: its turns, messages and whole answers per second, and the recovery time."""

    turns: Turns
    sent: Line
    answered: Line
    bin_s: float
    during: tuple[float, float]
    met_again_s: float | None  # since the phase began; None: not while it was watched
    recovery_s: float | None
    watched_s: float
    missed_last: tuple[str, ...]  # figures of the SLO that the last window before it missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """Memory during a soak in bytes; times in seconds since the phase began.

    ``ends`` are means over the end of each block: the mean step between them is the slope, in bytes an hour.
    """

    memory: Line
    ends: Line
    slope: tuple[float, float, float] | None  # with its 95 % interval
    length_s: float


def turns_of(folder: Path, trial: Trial) -> Turns:
    """Return the turns of a trial's measured phase by when each was meant to begin."""
    begin_s, end_s = _phase(trial)
    return _turns(_measured(results.read_turns(folder)), begin_s, end_s)


def spike(folder: Path, trial: Trial, slo: Mapping[str, float], window_s: float) -> Spike | None:
    """Return what a spike's turns say; None where the trial does not know when its spike was."""
    if trial.summary is None or trial.summary.spike is None:
        return None
    every, (begin_s, end_s) = results.read_turns(folder), _phase(trial)
    frame = _measured(every)
    spiked, recovery_s = trial.summary.spike, trial.figures.get("recovery_s")
    bin_s = _bin_s(end_s - begin_s)
    answered = every.loc[every["outcome"] == "ok", "done_s"]
    over_s = spiked.end_s - begin_s
    return Spike(
        turns=_turns(frame, begin_s, end_s),
        sent=_per_second(every["intended_s"] - begin_s, end_s - begin_s, bin_s),
        answered=_per_second(answered - begin_s, end_s - begin_s, bin_s),
        bin_s=bin_s,
        during=(spiked.start_s - begin_s, over_s),
        met_again_s=None if recovery_s is None else over_s + recovery_s,
        recovery_s=recovery_s,
        watched_s=trial.figures.get("recovery_watched_s") or 0.0,
        missed_last=_missed_before(frame, spiked, recovery_s, slo, window_s),
    )


def soak(folder: Path, trial: Trial, block_s: float) -> Soak | None:
    """Return memory over a soak; None where no reading of it was recorded."""
    from harness.analysis.resource_figures import stack_memory
    from harness.analysis.workload_figures import BLOCK_END_SHARE, MEMORY_SLOPE

    resources, (begin_s, end_s) = results.read_resources(folder), _phase(trial)
    target = resources[resources["role"] == "target"]
    memory = stack_memory(target, begin_s, end_s)
    if memory.empty:
        return None
    ends: Line = ([], [])
    for n in range(1, int((end_s - begin_s) / block_s + 1e-9) + 1):
        last_s = begin_s + n * block_s
        block = stack_memory(target, last_s - BLOCK_END_SHARE * block_s, last_s)
        if len(block):
            ends[0].append(n * block_s - BLOCK_END_SHARE * block_s / 2)
            ends[1].append(float(block.mean()))
    value, low, high = (trial.figures.get(f"{MEMORY_SLOPE}{end}") for end in ("", "_low", "_high"))
    known = value is not None and low is not None and high is not None
    return Soak(
        memory=((memory.index.to_numpy(float) - begin_s).tolist(), memory.tolist()),
        ends=ends,
        slope=(value, low, high) if known else None,  # type: ignore[arg-type]  # known: none of the three is None
        length_s=end_s - begin_s,
    )


def _phase(trial: Trial) -> tuple[float, float]:
    if trial.summary is None:
        return 0.0, 0.0
    window = trial.summary.phases["measure"]
    return window.start_s, window.end_s


def _measured(turns: "pd.DataFrame") -> "pd.DataFrame":
    return turns[turns["phase"] == "measure"]


def _turns(frame: "pd.DataFrame", begin_s: float, end_s: float) -> Turns:
    ok = (frame["outcome"] == "ok") & frame["added_ttft_s"].notna()
    since = frame["intended_s"] - begin_s
    return Turns(
        added=(since[ok].tolist(), frame.loc[ok, "added_ttft_s"].astype(float).tolist()),
        lost=since[frame["outcome"] != "ok"].tolist(),
        length_s=end_s - begin_s,
    )


def _bin_s(length_s: float) -> float:
    return next((width for width in WIDTHS_S if length_s / width <= BINS), WIDTHS_S[-1])


def _per_second(times: "pd.Series[float]", length_s: float, bin_s: float) -> Line:
    """Return the edges of whole bins and the events per second from each edge to the next; the last is repeated."""
    import numpy as np

    edges = np.arange(int(length_s / bin_s + 1e-9) + 1) * bin_s
    counts, _ = np.histogram(times.dropna().to_numpy(float), edges) if len(edges) > 1 else (np.empty(0), edges)
    rates = counts / bin_s
    return edges.tolist(), np.append(rates, rates[-1:]).tolist()


def _missed_before(
    frame: "pd.DataFrame", spiked: PhaseTimes, recovery_s: float | None, slo: Mapping[str, float], window_s: float
) -> tuple[str, ...]:
    """Name what the last window before the recovery missed of the SLO; nothing where all windows met it."""
    from harness.analysis.workload_figures import LATENCIES, STEP_S

    if not recovery_s:
        return ()
    start_s = spiked.end_s + recovery_s - STEP_S
    window = frame[(frame["intended_s"] >= start_s) & (frame["intended_s"] < start_s + window_s)]
    if window.empty:
        return ("no turn",)
    failed = window["outcome"] != "ok"
    found = ["failure_ratio"] if failed.mean() > slo.get("failure_ratio", inf) else []
    for name in LATENCIES:
        values = window[f"{name}_s"].where(~failed, inf).dropna()
        worst = stats.percentile([float(value) for value in values], 95)
        if worst is None or worst > slo.get(f"{name}_p95_s", inf):
            found.append(f"{name}_p95_s")
    return tuple(figure(name).phrase for name in found)
