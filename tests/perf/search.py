"""The capacity search on synthetic targets with a known edge: how near it comes, in how many trials and minutes."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from statistics import mean, median
from typing import Any

from harness.analysis.blocks import BLOCK_S
from harness.analysis.capacity import Capacity, Outcome, assess
from harness.analysis.plausible import TRIAL_NOISE
from harness.records import Profile, Trial
from harness.trials.duration import FIXED_WORK_S, START_S, trial_s
from tests.doubles.synthetic import LOST_CLIMBS, QUICK, Synthetic, measured

TARGETS = 1000
USERS = (1, 5000)
NEAR, WIDE = 0.10, QUICK.search.precision
HITS, MOST_TRIALS = 0.9, 8
MANY = 50  # users: from here on nearly every search climbs
PROFILE = replace(QUICK, search=replace(QUICK.search, highest=10_000))
WITHOUT_CLIMB = replace(PROFILE, search=replace(PROFILE.search, climb_s=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search made of one target; ``seconds``: of its trials."""

    capacity: Capacity
    trials: int
    seconds: float


Strategy = Callable[[Synthetic], Found]


def target(seed: int) -> Synthetic:
    """Return a target whose edge is as likely to lie between 1 and 10 users as between 100 and 1,000."""
    draw = random.Random(seed)
    return Synthetic(edge=exp(draw.uniform(*map(log, USERS))), draw=draw)


def ours(one: Synthetic, profile: Profile = PROFILE) -> Found:
    """The campaign's own course: base trial, bound, climb, bracket, both ends again."""
    trials, capacity = measured(profile, one)
    made = [trial for trial in trials if trial.key.scenario in ("chat", "climb")]
    return Found(capacity=capacity, trials=len(made), seconds=sum(length_s(profile, trial) for trial in made))


def without_climb(one: Synthetic) -> Found:
    """The same course from 0.7 of the bound on, by steps of 1.5, then bisected."""
    return ours(one, WITHOUT_CLIMB)


def length_s(profile: Profile, trial: Trial) -> float:
    """Return a trial's planned length in seconds; a climb ends two blocks behind the edge that it sees."""
    if trial.key.scenario != "climb":
        return trial_s(profile, trial.key.level)
    climb_s, seen = profile.search.climb_s, trial.figures["climb_users"] or trial.key.level
    return START_S + FIXED_WORK_S + min(climb_s, climb_s * seen / trial.key.level + 2 * BLOCK_S)


def ladder(one: Synthetic) -> Found:
    """Ten equal steps up to a thousand users, the first that fails ends it: what load tests commonly do."""
    outcomes: list[Outcome] = []
    for level in (*range(100, 1001, 100), *range(2000, 10_001, 1000)):
        outcomes.append(Outcome(level=level, repetition=0, verdict=one.verdict(level)))
        if outcomes[-1].verdict.outcome == "fail":
            break
    return _found(outcomes)


def doubling(one: Synthetic) -> Found:
    """Double from one user until one level fails, then bisect to the same precision; no repetition."""
    low, high = 0, 1
    outcomes: list[Outcome] = []

    def passes(level: int) -> bool:
        outcomes.append(Outcome(level=level, repetition=0, verdict=one.verdict(level)))
        return outcomes[-1].verdict.outcome == "pass"

    while passes(high):
        low, high = high, 2 * high
    while high - low > max(1, PROFILE.search.precision * low):
        middle = min(high - 1, max(low + 1, round(sqrt(max(1, low) * high))))
        low, high = (middle, high) if passes(middle) else (low, middle)
    return _found(outcomes)


def _found(outcomes: Sequence[Outcome]) -> Found:
    seconds = sum(trial_s(PROFILE, one.level) for one in outcomes)
    return Found(capacity=assess(outcomes), trials=len(outcomes), seconds=seconds)


def near(found: Capacity, edge: float, share: float) -> bool:
    """Tell whether the middle of a bracket lies within a share or one user of the true edge."""
    if found.low is None or found.high is None:
        return False
    return abs(sqrt(max(found.low, 0.5) * found.high) - edge) <= max(share * edge, 1.0)


STRATEGIES: tuple[tuple[str, Strategy], ...] = (
    ("search", ours),
    ("search without a climb", without_climb),
    ("doubling from 1", doubling),
    ("ladder", ladder),
)


def measure() -> list[dict[str, Any]]:
    """Return hits, trials and minutes of four strategies on the same synthetic targets."""
    return [row for name, strategy in STRATEGIES for row in _rows(name, strategy)]


def _rows(name: str, strategy: Strategy) -> list[dict[str, Any]]:
    found = [(one.edge, strategy(one)) for one in map(target, range(TARGETS))]
    hits = [sum(near(made.capacity, edge, share) for edge, made in found) / TARGETS for share in (NEAR, WIDE)]
    trials = median(made.trials for _, made in found)
    minutes = {
        "minutes, mean": mean(made.seconds for _, made in found) / 60,
        f"minutes, mean from {MANY} users": mean(made.seconds for edge, made in found if edge >= MANY) / 60,
    }
    goal = strategy is ours
    note = (
        f"{TARGETS} synthetic targets of {USERS[0]:,} to {USERS[1]:,} users, trials {TRIAL_NOISE:.0%} apart, "
        f"{LOST_CLIMBS:.0%} of them without a climb's edge"
    )
    counted = "base trial, climb and repetitions included" if strategy in (ours, without_climb) else "no repetition"
    return [
        {
            "name": f"{name}: within max({NEAR:.0%}, 1 user)",
            "goal": f"≥ {HITS:.0%}" if goal else "",
            "value": 100 * hits[0],
            "unit": "%",
            "met": hits[0] >= HITS if goal else None,
            "note": note,
        },
        {
            "name": f"{name}: within {WIDE:.0%}",
            "goal": "",
            "value": 100 * hits[1],
            "unit": "%",
            "met": None,
            "note": note,
        },
        {
            "name": f"{name}: trials, median",
            "goal": MOST_TRIALS if goal else "",
            "value": trials,
            "unit": "trials",
            "met": trials <= MOST_TRIALS if goal else None,
            "note": counted,
        },
        *(
            {
                "name": f"{name}: {says}",
                "goal": "",
                "value": value,
                "unit": "min",
                "met": None,
                "note": "as planned: trials that fail are cut",
            }
            for says, value in minutes.items()
        ),
    ]
