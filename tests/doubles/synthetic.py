"""Targets with a known edge, measured by the campaign's own course without time passing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp

from harness import profiles
from harness.analysis.blocks import BLOCK_S
from harness.analysis.capacity import BUDGET_CPUS, Capacity, response_s
from harness.analysis.claims import tells
from harness.analysis.plausible import SESSION_NOISE, TRIAL_NOISE, Tried
from harness.records import Profile, Trial, TrialKey, Verdict
from harness.trials import course as courses
from harness.trials.course import Request
from tests.doubles import trials as fake

#: as ``make bench`` measures; what is not load takes no part in the search
QUICK = replace(profiles.load("quick"), idle=None, audit=False)
PASS, FAIL, INVALID = (Verdict(outcome=outcome) for outcome in ("pass", "fail", "invalid"))
#: queueing takes its share before a CPU is full, and a turn costs less where many share what is done once
BOUND = (0.4, 1.6)  # of the edge: where CPU time per turn at ten users puts the bound
LOST_CLIMBS = 0.2  # of all targets: each of their climbs is invalid
CORES_BESIDE = 0.4  # of the two: load generator, model and kernel where a target failed on a full machine


def session_speed(draw: random.Random) -> float:
    """Draw what one session does to every edge."""
    return exp(draw.gauss(0, SESSION_NOISE))


@dataclass(slots=True, kw_only=True)
class Synthetic:
    """A target whose edge scatters from trial to trial; ``contended``: where it fails, the machine is full."""

    edge: float
    draw: random.Random
    contended: bool = False
    bound: float = 0.0
    climbs: bool = True

    def __post_init__(self) -> None:
        self.bound = self.edge * self.draw.uniform(*BOUND)
        self.climbs = self.draw.random() >= LOST_CLIMBS

    def own_edge(self) -> float:
        """Draw the edge of one trial."""
        return self.edge * exp(self.draw.gauss(0, TRIAL_NOISE))

    def verdict(self, level: int) -> Verdict:
        """Return whether one trial carries so many users."""
        if level <= self.own_edge():
            return PASS
        return replace(FAIL, contended=self.contended)

    def climbed(self, top: int, climb_s: float) -> float | None:
        """Return where a climb leaves the SLO, half a block to either side of its own edge; None above its top."""
        block = top * BLOCK_S / climb_s
        seen = max(1.0, self.own_edge() + self.draw.uniform(-0.5, 0.5) * block)
        return seen if seen < top else None

    def measure(self, profile: Profile, request: Request, number: int) -> Trial:
        """Return a trial as it would have been measured."""
        key = TrialKey(
            target="a",
            scenario=request.scenario,
            parameter=request.parameter,
            level=request.level,
            repetition=0,
            number=number,
        )
        turn_s = (response_s(fake.FIGURES) or 0.0) + profile.think_mean_s()
        figures = fake.FIGURES | {"busiest_cpu_s_per_turn": turn_s / self.bound, "target_cpu_s_per_turn": 1e-9}
        if request.scenario == "climb":
            figures["climb_users"] = self.climbed(request.level, profile.search.climb_s)
            return fake.trial(key, PASS if self.climbs else INVALID, figures)
        if request.scenario != "chat":
            return fake.trial(key, PASS, figures)
        figures["target_cores"] = BUDGET_CPUS - CORES_BESIDE
        return fake.trial(key, self.verdict(request.level), figures)


def measured(profile: Profile, target: Synthetic) -> tuple[list[Trial], Capacity]:
    """Return the trials of the campaign's own course in order, and the capacity that it finds."""
    course = courses.course(profile, "synthetic")
    made: list[Trial] = []
    request = next(course)
    while True:
        made.append(target.measure(profile, request, len(made) + 1))
        try:
            request = course.send(made[-1])
        except StopIteration as end:
            return made, end.value


def tried(trials: Sequence[Trial], found: Capacity) -> list[Tried]:
    """Return what a claim on a target is judged by, as the report does."""
    return [
        Tried(level=one.key.level, passed=one.verdict.outcome == "pass", contended=one.verdict.contended)
        for one in trials
        if one.key.scenario == "chat"
        and (not one.verdict.contended or tells(one.key.level, found.upper, answer_s=1, own_s=1, think_s=1))
    ]
