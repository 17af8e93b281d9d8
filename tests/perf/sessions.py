"""Simulated campaigns: how often the interval over pooled sessions holds the true capacity, and that of the ratio 1."""

import random
from collections.abc import Sequence
from math import exp
from typing import Any

from harness.analysis.capacity import Capacity, SearchPlan, search
from harness.analysis.sessions import Pooled, Reading, middle, pooled
from harness.records import Verdict

POOLS, SESSIONS = 2000, 5
TRIAL_NOISE, SESSION_NOISE = 0.12, 0.20
USERS = (180.0, 650.0)
GOAL = (0.93, 0.97)
PASS, FAIL = Verdict(outcome="pass"), Verdict(outcome="fail")


def searched(edge: float, draw: random.Random) -> Capacity:
    """Search a target whose every trial has its edge ``TRIAL_NOISE`` beside the session's, from an upper bound."""
    bound = edge * draw.uniform(1.0, 1.6)
    looking = search(SearchPlan(start=max(1, round(0.7 * bound)), max_trials=12))
    level = next(looking)
    while True:
        carried = edge * exp(draw.gauss(0, TRIAL_NOISE))
        try:
            level = looking.send((PASS if level <= carried else FAIL, bound))
        except StopIteration as end:
            found: Capacity = end.value
            return found


def session(users: Sequence[float], draw: random.Random) -> list[Reading | None]:
    """Return what one session makes of its targets: all share its speed."""
    speed = exp(draw.gauss(0, SESSION_NOISE))
    ends = [searched(true * speed, draw) for true in users]
    return [middle(end.low, end.high) for end in ends]


def pools(count: int = POOLS, sessions: int = SESSIONS, seed: int = 1) -> list[tuple[list[Pooled], Pooled, Pooled]]:
    """Return for each pool its capacities, its ratio, and one more session's ratio as a bare number."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        made = [session(USERS, draw) for _ in range(sessions + 1)]
        *counted, following = [row for row in made if all(row)]
        columns = [[one for one in column if one] for column in zip(*counted, strict=True)]
        ratios = [Reading(value=big.value / small.value) for small, big in zip(*columns, strict=True)]
        last = [one.value for one in following if one]
        capacities = [known for column in columns if (known := pooled(column))]
        ratio, more = pooled(ratios), pooled([Reading(value=last[1] / last[0])])
        if ratio and more and len(capacities) == len(USERS):
            found.append((capacities, ratio, more))
    return found


def holds(found: Pooled, true: float) -> bool:
    """Tell whether the interval over sessions holds a value."""
    return found.interval is not None and found.interval[0] <= true <= found.interval[1]


def shares(made: Sequence[tuple[list[Pooled], Pooled, Pooled]]) -> dict[str, float]:
    """Return in which share of pools each interval or range holds what it should."""
    true = USERS[1] / USERS[0]
    return {
        "a capacity's interval": sum(holds(one, u) for caps, _, _ in made for one, u in zip(caps, USERS, strict=True))
        / (len(USERS) * len(made)),
        "the ratio's interval": sum(holds(ratio, true) for _, ratio, _ in made) / len(made),
        "the next session's range": sum(
            ratio.following is not None and ratio.following[0] <= more.value <= ratio.following[1]
            for _, ratio, more in made
        )
        / len(made),
    }


def measure() -> list[dict[str, Any]]:
    """Return the share of pools whose intervals hold the truth."""
    note = f"{POOLS} pools of {SESSIONS} sessions; trials {TRIAL_NOISE:.0%} apart, sessions {SESSION_NOISE:.0%}"
    return [
        {
            "name": f"pooled sessions: {name} holds the truth",
            "goal": f"{GOAL[0]:.0%} to {GOAL[1]:.0%}",
            "value": 100 * share,
            "unit": "%",
            "met": GOAL[0] <= share <= GOAL[1],
            "note": note,
        }
        for name, share in shares(pools()).items()
    ]
