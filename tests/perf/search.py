"""The capacity search on synthetic targets with a known edge: how near it comes, and how many trials that takes."""

import random
from collections.abc import Callable, Generator
from dataclasses import replace
from math import exp, log, sqrt
from statistics import median
from typing import Any

from harness import profiles
from harness.analysis.blocks import BLOCK_S
from harness.analysis.capacity import Capacity, Outcome, assess
from harness.records import Trial, TrialKey, Verdict
from harness.trials import course as courses
from tests.doubles import trials as fake

SEEDS = 1000
NEAR = 0.10
PASS, FAIL = Verdict(outcome="pass"), Verdict(outcome="fail")
PROFILE = replace(
    profiles.load("quick"),
    idle=None,
    audit=False,
    search=replace(profiles.load("quick").search, precision=NEAR, highest=10_000, max_trials=20),
)
Oracle = Callable[[int], Verdict]
Strategy = Callable[["Synthetic"], tuple[Capacity, int]]


class Synthetic:
    """A target with a known edge: from 1 to 5,000 users, each trial's own edge up to 10 % beside it."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)  # a simulation
        self.edge = exp(draw.uniform(log(1), log(5000)))
        self.noise = draw.uniform(0, 0.10)
        #: queueing takes its share before a CPU is full, and a turn costs less where many share what is done once
        self.bound = self.edge * draw.uniform(0.4, 1.6)
        self._draw = draw

    def climbed(self) -> float:
        """Where a climb leaves the SLO: as far off as a trial's own edge, and half a block to either side."""
        block = courses.CLIMB_OVER * self.bound * BLOCK_S / PROFILE.search.climb_s
        edge = self.edge * self._draw.uniform(1 - self.noise, 1 + self.noise) + self._draw.uniform(-0.5, 0.5) * block
        return max(1.0, edge)

    def verdict(self, level: int) -> Verdict:
        return PASS if level <= self.edge * self._draw.uniform(1 - self.noise, 1 + self.noise) else FAIL


def ours(target: Synthetic) -> tuple[Capacity, int]:
    """The campaign's own course: base trial, bound, bracket, bisection, both ends again."""
    course = courses.course(PROFILE, "synthetic")
    think_s = PROFILE.think_mean_s()
    figures = fake.FIGURES | {"busiest_cpu_s_per_turn": (1.1 + think_s) / target.bound, "target_cpu_s_per_turn": 1e-9}
    figures["climb_users"] = target.climbed()
    request, trials = next(course), 0
    while True:
        key = TrialKey(target="a", scenario=request.scenario, level=request.level, repetition=0, number=1)
        verdict = target.verdict(request.level) if request.scenario == "chat" else PASS
        trials += request.scenario in ("chat", "climb")
        try:
            request = course.send(_trial(key, verdict, figures))
        except StopIteration as end:
            return end.value, trials


def _trial(key: TrialKey, verdict: Verdict, figures: dict[str, float | None]) -> Trial:
    return fake.trial(key, verdict, figures)


def ladder(target: Synthetic) -> tuple[Capacity, int]:
    """Ten equal steps up to a thousand users, the first that fails ends it: what load tests commonly do."""
    return _asked(target, iter([*range(100, 1001, 100), *range(2000, 10_001, 1000)]))


def _asked(target: Synthetic, levels: Any) -> tuple[Capacity, int]:
    outcomes: list[Outcome] = []
    for level in levels:
        verdict = target.verdict(level)
        outcomes.append(Outcome(level=level, repetition=0, verdict=verdict))
        if verdict is FAIL:
            break
    return assess(outcomes), len(outcomes)


def doubling(target: Synthetic) -> tuple[Capacity, int]:
    """Double from one user until one level fails, then bisect to the same precision; no repetition."""
    steps = _doubling()
    outcomes: list[Outcome] = []
    level = next(steps)
    while True:
        verdict = target.verdict(level)
        outcomes.append(Outcome(level=level, repetition=0, verdict=verdict))
        try:
            level = steps.send(verdict)
        except StopIteration:
            return assess(outcomes), len(outcomes)


def _doubling() -> Generator[int, Verdict, None]:
    low, high = 0, 1
    while (yield high) is PASS:
        low, high = high, 2 * high
    while high - low > max(1, NEAR * low):
        middle = round(sqrt(max(1, low) * high))
        middle = min(high - 1, max(low + 1, middle))
        if (yield middle) is PASS:
            low = middle
        else:
            high = middle


def near(found: Capacity, edge: float) -> bool:
    """Tell whether the middle of a bracket lies within 10 % or one user of the true edge."""
    if found.low is None or found.high is None:
        return False
    middle = sqrt(max(found.low, 0.5) * found.high)
    return abs(middle - edge) <= max(NEAR * edge, 1.0)


def measure() -> list[dict[str, Any]]:
    """Return hits and trials of three strategies on the same synthetic targets."""
    rows: list[dict[str, Any]] = []
    strategies: tuple[tuple[str, Strategy], ...] = (("search", ours), ("ladder", ladder), ("doubling from 1", doubling))
    for name, strategy in strategies:
        found = [(target := Synthetic(seed), *strategy(target)) for seed in range(SEEDS)]
        hits = sum(near(capacity, target.edge) for target, capacity, _ in found) / SEEDS
        trials = median(count for _, _, count in found)
        goal = name == "search"
        note = f"{SEEDS} synthetic targets, edges from 1 to 5,000 users, trials up to 10 % apart"
        rows.append(
            {
                "name": f"{name}: within max(10 %, 1 user)",
                "goal": "≥ 90 %" if goal else "",
                "value": 100 * hits,
                "unit": "%",
                "met": hits >= 0.9 if goal else None,
                "note": note,
            }
        )
        rows.append(
            {
                "name": f"{name}: trials, median",
                "goal": 8 if goal else "",
                "value": trials,
                "unit": "trials",
                "met": trials <= 8 if goal else None,
                "note": "base trial and repetitions included" if goal else "no repetition",
            }
        )
    return rows
