"""A second way to CPU and memory figures: numpy over resource samples, nothing shared with ``harness.analysis``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Figures = dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The resource samples as columns; numbers as floats with NaN for absent."""

    t_s: Array
    component: npt.NDArray[np.object_]
    role: npt.NDArray[np.object_]
    processes: npt.NDArray[np.object_]
    numbers: dict[str, Array]

    @classmethod
    def read(cls, path: Path) -> "Readings":
        """Read ``resources.parquet``."""
        table = pq.read_table(path)
        texts = ("component", "role", "process_cpu_s")
        columns = {n: table.column(n).to_numpy() for n in table.column_names}
        numbers = {n: v.astype(float) for n, v in columns.items() if n not in texts}
        return cls(
            t_s=numbers["t_s"],
            component=columns["component"].astype(object),
            role=columns["role"].astype(object),
            processes=columns["process_cpu_s"].astype(object),
            numbers=numbers,
        )

    def growth(self, name: str, rows: Mask, start_s: float, end_s: float) -> float | None:
        """Return how much a cumulative counter grew over a span, linear between readings."""
        rows = rows & ~np.isnan(self.numbers[name])
        if np.count_nonzero(rows) < 2:
            return None
        order = np.argsort(self.t_s[rows], kind="stable")
        times, counter = self.t_s[rows][order], self.numbers[name][rows][order]
        return float(np.interp(end_s, times, counter) - np.interp(start_s, times, counter))

    def growth_of_all(self, name: str, role: str, start_s: float, end_s: float) -> float | None:
        """Return the growth of a counter over all components of a role together."""
        known = self.growths(name, role, start_s, end_s)
        return sum(known) if known else None

    def growths(self, name: str, role: str, start_s: float, end_s: float) -> list[float]:
        """Return the growth of a counter in each component of a role that has readings of it."""
        mine = self.role == role
        grown = [
            self.growth(name, mine & (self.component == c), start_s, end_s) for c in sorted(set(self.component[mine]))
        ]
        return [value for value in grown if value is not None]

    def quiet_cores(self, start_s: float, end_s: float) -> float | None:
        """Return the target's cores over its own readings in a span: what is before and after them is no part of it."""
        mine = (self.role == "target") & ~np.isnan(self.numbers["cpu_s"])
        inside = np.unique(self.t_s[mine & (self.t_s >= start_s) & (self.t_s <= end_s)])
        if len(inside) < 2:
            return None
        ends = [self.numbers["cpu_s"][mine & (self.t_s == at)].sum() for at in (inside[0], inside[-1])]
        return float(ends[1] - ends[0]) / float(inside[-1] - inside[0])

    def memory(self, start_s: float, end_s: float) -> Array:
        """Return anonymous + shared memory of the target's components together, per reading inside a span."""
        rows = (self.role == "target") & (self.t_s >= start_s) & (self.t_s <= end_s)
        rows &= ~np.isnan(self.numbers["anon_bytes"])
        if not rows.any():
            return np.empty(0)
        both = self.numbers["anon_bytes"][rows] + np.nan_to_num(self.numbers["shared_bytes"][rows])
        _, place = np.unique(self.t_s[rows], return_inverse=True)
        return np.bincount(place, weights=both).astype(float)

    def busiest_s(self, start_s: float, end_s: float) -> float | None:
        """Return the CPU seconds of the target's busiest process in a span, linear between readings."""
        rows = self.role == "target"
        seen: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for t_s, component, text in zip(self.t_s[rows], self.component[rows], self.processes[rows], strict=True):
            for pid, cpu_s in json.loads(text).items():
                seen.setdefault((component, pid), []).append((t_s, cpu_s))
        curves = [np.array(sorted(points)).T for points in seen.values()]
        return max((float(np.interp(end_s, *curve) - np.interp(start_s, *curve)) for curve in curves), default=None)


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def window(readings: Readings, start_s: float, end_s: float) -> Figures:
    """Work out what was used between two moments; ``target_cpu_s`` and ``busiest_cpu_s`` are in seconds."""
    span_s = end_s - start_s
    memory = readings.memory(start_s, end_s)
    once = np.zeros(len(readings.t_s), bool)
    once[np.unique(readings.t_s, return_index=True)[1]] = True
    host = {
        n: readings.growth(f"{n}_s", once, start_s, end_s)
        for n in ("host_busy", "host_idle", "host_steal", "foreign_cpu")
    }
    busy, idle = host["host_busy"], host["host_idle"]
    total = busy + idle if busy is not None and idle is not None else None
    foreign = host["foreign_cpu"]
    cpu_s = readings.growth_of_all("cpu_s", "target", start_s, end_s)
    busiest_s = readings.busiest_s(start_s, end_s)
    return {
        "target_cpu_s": cpu_s,
        "busiest_cpu_s": busiest_s,
        "target_cores": _share(cpu_s, span_s),
        "model_cores": _share(readings.growth_of_all("cpu_s", "model", start_s, end_s), span_s),
        "busiest_process_cores": _share(busiest_s, span_s),
        "throttled_s": max(readings.growths("throttled_s", "target", start_s, end_s), default=None),
        "memory_mean_bytes": float(np.mean(memory)) if len(memory) else None,
        "memory_peak_bytes": float(np.max(memory)) if len(memory) else None,
        "host_busy_ratio": _share(busy, total),
        "steal_ratio": _share(host["host_steal"], total),
        "foreign_cpu_ratio": _share(foreign, total),
    }


def idle(readings: Readings, steps: Sequence[Mapping[str, Any]]) -> Figures:
    """Work out memory at each number of open sessions, its slope with a 95 % interval, and the CPU of doing nothing."""
    figures: Figures = {}
    points: list[tuple[float, float]] = []
    for step in steps:
        memory = readings.memory(step["start_s"], step["end_s"])
        figures[f"memory_bytes_{step['sessions']}"] = float(np.mean(memory)) if len(memory) else None
        if len(memory):
            points.append((float(step["sessions"]), float(np.mean(memory))))
    names = ("memory_slope_bytes_per_session", "memory_slope_low_bytes", "memory_slope_high_bytes")
    counts, values = np.array(points, float).reshape(-1, 2).T
    figures |= dict(zip(names, mean_step(steps_of(counts, values)) or (None, None, None), strict=True))
    quiet = next((step for step in steps if step["sessions"] == 0), None)
    if quiet:
        figures["idle_cores"] = readings.quiet_cores(quiet["start_s"], quiet["end_s"])
    return figures


def steps_of(x: Array, y: Array) -> Array:
    """Return the change of y per x from each point to the next, where x changes."""
    across = np.diff(x)
    steps: Array = np.diff(y)[across != 0] / across[across != 0]
    return steps


def mean_step(steps: Array) -> tuple[float, float, float] | None:
    """Return the mean of changes that do not depend on each other, with Student's t over them; None for under two."""
    if len(steps) < 2:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(len(steps) - 1, 0.975) * steps.std(ddof=1) / np.sqrt(len(steps)))
    return float(steps.mean()), float(steps.mean()) - half, float(steps.mean()) + half


def line(points: list[tuple[float, float]]) -> tuple[float | None, float | None, float | None]:
    """Least squares by the normal equations, with Student's t at n − 2 degrees of freedom."""
    if len(points) < 3 or len({x for x, _ in points}) < 2:
        return None, None, None
    from scipy.special import stdtrit

    x, y = np.array(points).T
    y = y - y.mean()  # hundreds of megabytes would drown a slope of some bytes
    design = np.column_stack([np.ones_like(x), x])
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = y - design @ solution
    covariance = np.linalg.inv(design.T @ design) * (left @ left) / (len(x) - 2)
    half = float(stdtrit(len(x) - 2, 0.975)) * float(np.sqrt(covariance[1, 1]))
    return float(solution[1]), float(solution[1]) - half, float(solution[1]) + half
