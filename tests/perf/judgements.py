"""Simulated searches near a claim's number: how often *supported* or *refuted* is wrong."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from harness.analysis.claims import Ask, reached
from harness.analysis.plausible import SESSION_NOISE, TRIAL_NOISE, capacity, capacity_ratio
from tests.doubles.synthetic import QUICK, Synthetic, measured, session_speed, tried

CAMPAIGNS = 1000
NEAREST = (0.999, 1.001)  # true values as shares of the number: the nearer, the easier it is to be wrong
GOAL = 0.05
USERS = Ask(quantity="capacity_users", direction="at least", threshold=1000)
RATIO = Ask(quantity="capacity_ratio", direction="at least", threshold=2)
BELOW = 180.0  # users of the ratio's denominator


def of_users(share: float, draw: random.Random) -> bool | None:
    """Return whether one session judges that a target carries the number; None where it does not settle."""
    return _carries(share, draw)


def of_contended_users(share: float, draw: random.Random) -> bool | None:
    """Return the same of a target that fails on a full machine: then its failures tell nothing of it."""
    return _carries(share, draw, contended=True)


def _carries(share: float, draw: random.Random, contended: bool = False) -> bool | None:
    edge = USERS.threshold * share * session_speed(draw)
    return reached(USERS, capacity(tried(*measured(QUICK, Synthetic(edge=edge, draw=draw, contended=contended)))))


def of_ratio(share: float, draw: random.Random) -> bool | None:
    """Return whether one session judges that a ratio reaches the number; None where it does not settle."""
    return _ratio(share, draw)


def of_contended_ratio(share: float, draw: random.Random) -> bool | None:
    """Return the same where the first target fails on a full machine."""
    return _ratio(share, draw, contended=True)


def _ratio(share: float, draw: random.Random, contended: bool = False) -> bool | None:
    speed = session_speed(draw)
    targets = (
        Synthetic(edge=RATIO.threshold * BELOW * share * speed, draw=draw, contended=contended),
        Synthetic(edge=BELOW * speed, draw=draw),
    )
    above, below = (tried(*measured(QUICK, target)) for target in targets)
    return reached(RATIO, capacity_ratio(above, below))


Judge = Callable[[float, random.Random], bool | None]
JUDGES: dict[str, Judge] = {
    "users": of_users,
    "users, full machine": of_contended_users,
    "ratio": of_ratio,
    "ratio, full machine": of_contended_ratio,
}


def judged(judge: Judge, share: float, campaigns: int = CAMPAIGNS) -> list[bool | None]:
    """Return what so many campaigns judge of a true value at a share of the number."""
    draw = random.Random(f"{judge.__name__} {share}")
    return [judge(share, draw) for _ in range(campaigns)]


def wrong(found: Sequence[bool | None], share: float) -> float:
    """Return the share of campaigns that judge the contrary of what is true."""
    return sum(one is (share < 1) for one in found) / len(found)


def measure() -> list[dict[str, Any]]:
    """Return the share of wrong judgements for true values on either side of the number."""
    return [_row(name, judge, share) for name, judge in JUDGES.items() for share in NEAREST]


def _row(name: str, judge: Judge, share: float) -> dict[str, Any]:
    found = judged(judge, share)
    settled = sum(one is not None for one in found) / len(found)
    return {
        "name": f"{name} at {share:g} × the number: judged wrongly",
        "goal": 100 * GOAL,
        "value": 100 * wrong(found, share),
        "unit": "%",
        "met": wrong(found, share) <= GOAL,
        "note": f"{CAMPAIGNS} campaigns; trials {TRIAL_NOISE:.0%} apart, sessions {SESSION_NOISE:.0%}; "
        f"judged at all {settled:.0%}",
    }
