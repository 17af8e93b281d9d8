"""A second way to cost: users per core, CPU time of a turn, memory of a session, servers. Shares no arithmetic."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

from reports.verify.resources import mean_step, steps_of

Trial = Mapping[str, Any]
Expected = tuple[float | None, tuple[float | None, float | None] | None]
NOTHING: Expected = (None, None)
SERVER_CPUS, SERVER_BYTES, SERVER_SHARE = 2, 2**32, 0.7
WANTED = (100, 1000, 10_000)  # users


def users_per_core(at_edge: Sequence[Trial]) -> Expected:
    """Return the level over the cores used, of trials at the highest level that passed."""
    return _middle([t["key"]["level"] / c if (c := t["figures"].get("target_cores")) else None for t in at_edge])


def cpu_s_per_turn(at_edge: Sequence[Trial], idle: Sequence[Trial]) -> Expected:
    """Return the CPU time without idle CPU over turns that ended; an upper end alone where idle CPU is most of it."""
    rest = _idle_cores(idle)
    rows = [[t["figures"].get(name) for name in ("target_cores", "target_cpu_s_per_turn")] for t in at_edge]
    if rest is None or not rows or any(not cores or each_s is None for cores, each_s in rows):
        return NOTHING
    cores, each_s = np.array(rows, float).T
    if rest > 0.5 * cores.min():
        return None, (None, float(each_s.max()))
    turns_per_s = cores / each_s
    return _middle(list((cores - rest) / turns_per_s))


def servers(at_edge: Sequence[Trial], idle: Sequence[Trial], low: int | None) -> list[int]:
    """Return the servers for each of ``WANTED``: 70 % busy by what was used at the capacity's level, and no fuller.

    Empty where no capacity was measured, or idle CPU is not known.
    """
    rest = _idle_cores(idle)
    limits = []
    for trial in at_edge:
        cores, busiest = (trial["figures"].get(name) for name in ("target_cores", "busiest_process_cores"))
        if cores is None or rest is None or cores <= rest:
            continue
        each = (cores - rest) / trial["key"]["level"]
        by_all = (SERVER_SHARE * SERVER_CPUS - rest) / each
        limits.append(min(by_all, SERVER_SHARE * trial["key"]["level"] / busiest) if busiest else by_all)
    if not low or not limits:
        return []
    each = min(float(np.median(limits)), SERVER_SHARE * _held(idle), low)
    return [ceil(users / each) for users in WANTED] if each > 0 else []


def session_bytes(idle: Sequence[Trial]) -> tuple[float, float, float] | None:
    """Return the mean memory of one more session over the steps of all starts, with its 95 % interval."""
    steps: list[float] = []
    for trial in idle:
        read = {
            int(name.removeprefix("memory_bytes_")): value
            for name, value in trial["figures"].items()
            if name.startswith("memory_bytes_") and value is not None
        }
        counts = sorted(read)
        steps += steps_of(np.array(counts, float), np.array([read[n] for n in counts], float)).tolist()
    return mean_step(np.array(steps))


def _held(idle: Sequence[Trial]) -> float:
    """The sessions that memory holds; no bound where a session was not seen to take any."""
    session = session_bytes(idle)
    empty = [value for t in idle if (value := t["figures"].get("memory_bytes_0")) is not None]
    if session is None or session[1] <= 0 or not empty:
        return float("inf")
    return float((SERVER_BYTES - np.median(empty)) / session[0])


def _idle_cores(idle: Sequence[Trial]) -> float | None:
    known = [value for t in idle if (value := t["figures"].get("idle_cores")) is not None]
    return float(np.median(known)) if known else None


def _middle(values: Sequence[float | None]) -> Expected:
    """Median, and the range where there are several; nothing where one has no number."""
    if not values or None in values:
        return NOTHING
    found = np.array(values, float)
    return float(np.median(found)), ((float(found.min()), float(found.max())) if len(found) > 1 else None)
