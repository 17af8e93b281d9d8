"""Simulated campaigns: how often intervals over pooled sessions hold the truth, as ``make bench`` searches."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.capacity import BUDGET_CPUS, Capacity
from harness.analysis.plausible import SESSION_NOISE, TRIAL_NOISE
from harness.analysis.sessions import Pooled, Reading, middle, pooled
from reports.cells.ratios import capacity_between, capacity_bracket
from tests.doubles.synthetic import CORES_BESIDE, QUICK, Synthetic, measured, session_speed

POOLS = 1500
SESSIONS = (3, 5)
USERS = (650.0, 180.0)
RATIO = USERS[0] / USERS[1]
GOAL = (0.93, 0.97)  # at least its first where ends are worked out: such an interval holds all that a mean can be
#: the share of sessions in which the first target fails on a full machine, so that its upper end is worked out
CONTENDED = {0.0: "no end worked out", 0.5: "half worked out", 1.0: "all worked out"}
#: times its edge: the most that it could carry without load generator and model
ALONE = BUDGET_CPUS / (BUDGET_CPUS - CORES_BESIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one session counts by: both capacities and their ratio; None where it has no number."""

    first: Reading | None
    second: Reading | None
    ratio: Reading | None


Value = Callable[[Session], Reading | None]


def session(draw: random.Random, contended: float = 0.0) -> Session:
    """Measure both targets in one session, whose speed they share; ``contended``: the chance that the first is so."""
    speed, full = session_speed(draw), draw.random() < contended
    targets = (
        Synthetic(edge=USERS[0] * speed, draw=draw, contended=full),
        Synthetic(edge=USERS[1] * speed, draw=draw),
    )
    found = [measured(QUICK, target)[1] for target in targets]
    first, second = (_reading(one) for one in found)
    ratio = middle(*capacity_bracket(*found), between=capacity_between(*found))
    return Session(first=first, second=second, ratio=ratio)


def _reading(found: Capacity) -> Reading | None:
    """Return what a session counts by, as the report does."""
    if found.status in ("none", "inconclusive"):
        return None
    return middle(found.low, found.upper, between=found.middles if found.worked_out else None)


def pools(count: int = POOLS, contended: float = 0.0, seed: int = 1) -> list[list[Session]]:
    """Return pools of sessions, one more in each than are pooled at most."""
    draw = random.Random(seed)
    return [[session(draw, contended) for _ in range(max(SESSIONS) + 1)] for _ in range(count)]


def held(pool: Sequence[Session], value: Value, true: float) -> bool | None:
    """Tell whether the interval over sessions holds a value; None where there is no interval."""
    found = _pooled(pool, value)
    return None if found is None or found.interval is None else found.interval[0] <= true <= found.interval[1]


def next_held(pool: Sequence[Session], following: Session, value: Value) -> bool | None:
    """Tell whether the range holds all that the next session's value can be; None where there is none of one."""
    found, ahead = _pooled(pool, value), value(following)
    if found is None or found.following is None or ahead is None:
        return None
    return found.following[0] <= ahead.ends[0] and ahead.ends[1] <= found.following[1]


def _pooled(pool: Sequence[Session], value: Value) -> Pooled | None:
    return pooled([known for one in pool if (known := value(one))])


def outcomes(made: Sequence[Sequence[Session]], sessions: int, contended: float = 0.0) -> dict[str, list[bool | None]]:
    """Return for each interval over so many sessions whether it held the truth, pool by pool.

    Where every upper end is worked out, the truth lies between the edge beside the tools and what would fit without
    them; both are asked for.
    """
    few = [(pool[:sessions], pool[sessions]) for pool in made]
    truths: Mapping[str, tuple[Value, float]] = {
        "capacity": (lambda one: one.first, USERS[0]),
        "ratio": (lambda one: one.ratio, RATIO),
    }
    found = {name: [held(pool, value, true) for pool, _ in few] for name, (value, true) in truths.items()}
    if contended == 1:
        found |= {
            f"{name} without the tools": [held(pool, value, true * ALONE) for pool, _ in few]
            for name, (value, true) in truths.items()
        }
    if not contended:
        found["second capacity"] = [held(pool, lambda one: one.second, USERS[1]) for pool, _ in few]
    found["next session's ratio"] = [next_held(pool, following, lambda one: one.ratio) for pool, following in few]
    return found


def share(verdicts: Sequence[bool | None]) -> float:
    """Return the share of intervals that hold the truth, of those that there are."""
    known = [one for one in verdicts if one is not None]
    return sum(known) / len(known)


def measure() -> list[dict[str, Any]]:
    """Return the share of pools whose intervals hold the truth, with more and more upper ends worked out."""
    rows = []
    for contended, says in CONTENDED.items():
        made = pools(contended=contended)
        for sessions in SESSIONS:
            found = outcomes(made, sessions, contended)
            where = f"{sessions} sessions, {says}"
            goal = (GOAL[0], 1.0) if contended else GOAL
            rows += [_row(f"{where}: {name} with the truth inside", verdicts, goal) for name, verdicts in found.items()]
    return rows


def _row(name: str, verdicts: Sequence[bool | None], goal: tuple[float, float]) -> dict[str, Any]:
    reached, without = share(verdicts), sum(one is None for one in verdicts) / len(verdicts)
    return {
        "name": name,
        "goal": f"{goal[0]:.0%} to {goal[1]:.0%}",
        "value": 100 * reached,
        "unit": "%",
        "met": goal[0] <= reached <= goal[1],
        "note": f"{len(verdicts)} pools, {without:.1%} without an interval; "
        f"trials {TRIAL_NOISE:.0%} apart, sessions {SESSION_NOISE:.0%}",
    }
