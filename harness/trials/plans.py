"""The generator's plan for a trial of any scenario."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.records import (
    Distribution,
    LoadPlan,
    Profile,
    TrialKey,
)
from harness.runtimes.protocol import (
    Prepared,
)

if TYPE_CHECKING:
    pass


from math import ceil

from harness.records import Soak, Spike, SpikePlan, Visiting

TURNS_NEEDED = 40  # two turns beyond the 95th percentile: fewer leave it to one
# People come no faster than a quarter of the rate at which they send messages once all are there: a crowd that opens
# its pages at once leaves a queue that is still there when measuring begins.
RAMP_CYCLES = 4
SESSIONS_PER_S = 60  # opening them faster would be a test of its own
FLAT_CYCLES = 2  # for so long the turns under way have to be flat before *measure*
SETTLE_CYCLES = 8  # the longest wait for that
OPEN_RESERVE_S = 2.0  # as loadtests.schedule.arrivals keeps users ready for so much of the arrivals


def chat_plan(
    profile: Profile,
    *,
    protocol: str,
    user_class: str | None = None,
    instances: tuple[str, ...],
    users: int,
    folder: Path,
    seed: int,
) -> LoadPlan:
    """Return the generator's plan for one trial of scenario ``chat``."""
    cycle_s = profile.cycle_s()
    enough_s = 1.3 * min(TURNS_NEEDED, profile.window.measure_turns) * cycle_s / users  # a few users take their time
    return LoadPlan(
        scenario="chat",
        protocol=protocol,
        user_class=user_class,
        instances=instances,
        users=users,
        seed=seed,
        turns_per_conversation=profile.turns_per_conversation,
        message_chars=profile.message_chars,
        think_s=profile.think_s,
        answer=profile.answer,
        ramp_up_s=max(RAMP_CYCLES * cycle_s, users / SESSIONS_PER_S),
        warm_up_s=FLAT_CYCLES * cycle_s,
        settle_s=SETTLE_CYCLES * cycle_s,
        measure_min_s=profile.window.measure_min_s,
        measure_max_s=max(profile.window.measure_max_s, enough_s),
        measure_turns=profile.window.measure_turns,
        drain_s=profile.window.drain_s,
        output=str(folder),
        stop_file=str(folder / "stop"),
    )


def open_plan(closed: LoadPlan, profile: Profile, per_minute: int) -> LoadPlan:
    """Return the plan of a chat trial whose turns arrive at a rate, taken by any free user.

    The pool may grow to four times the answers in flight on a target that adds nothing, and never less than 50 users
    more than those: a target that needs more is not measured by it.
    """
    per_s = per_minute / 60
    cycle_s = profile.cycle_s()
    enough_s = 1.3 * min(TURNS_NEEDED, profile.window.measure_turns) / per_s
    live = per_s * profile.answer_mean_s()
    reserve = OPEN_RESERVE_S * per_s
    return replace(
        closed,
        workers=1,  # one pool of users, one order of arrivals
        users=ceil(max(4 * live, live + 50) + reserve),
        arrivals_per_s=per_s,
        ramp_up_s=max(cycle_s, reserve / 30),  # its reserve opens its pages
        warm_up_s=max(cycle_s, 2 * profile.answer_mean_s()),
        measure_max_s=max(profile.window.measure_max_s, enough_s),
        settle_s=0.0,
    )


def visit_plan(closed: LoadPlan, visit: Visiting) -> LoadPlan:
    """Return the plan of whole visits."""
    return _lasting(_unsettled(replace(closed, scenario="visit", workers=1)), visit.measure_s)


def spike_plan(closed: LoadPlan, spike: Spike) -> LoadPlan:
    """Return the plan of a chat trial to which several times as many users come and leave again."""
    further = SpikePlan(users=(spike.times - 1) * closed.users, after_s=spike.before_s, hold_s=spike.hold_s)
    plan = _unsettled(replace(closed, workers=1, spike=further))
    return _lasting(plan, spike.before_s + spike.hold_s + spike.after_s)


def climb_plan(closed: LoadPlan, climb_s: float) -> LoadPlan:
    """Return the plan of a chat trial whose users come slowly while it is measured, until the SLO is missed."""
    slow = replace(closed, climb_s=climb_s, ramp_up_s=0.0, warm_up_s=0.0, settle_s=0.0)
    return _lasting(slow, climb_s)


def soak_plan(closed: LoadPlan, soak: Soak) -> LoadPlan:
    """Return the plan of a long chat trial."""
    return _lasting(closed, soak.minutes * 60)


def _unsettled(plan: LoadPlan) -> LoadPlan:
    """Return a plan whose *measure* begins at a time known beforehand."""
    return replace(plan, settle_s=0.0)


def _lasting(plan: LoadPlan, measure_s: float) -> LoadPlan:
    return replace(plan, measure_min_s=measure_s, measure_max_s=measure_s)


def patience_s(plan: LoadPlan) -> float:
    """Return after how many seconds a generator that has not ended is given up."""
    phases_s = plan.ramp_up_s + plan.warm_up_s + plan.settle_s + plan.measure_max_s + plan.drain_s
    return phases_s + len(plan.steps) * (plan.hold_s + 30) + plan.turn_timeout_s + 30


CHECK_TURNS = 2


def plan_for(key: TrialKey, profile: Profile, prepared: Prepared, instances: tuple[str, ...], folder: Path) -> LoadPlan:
    """Return the generator's plan for a trial of any scenario."""
    if key.scenario == "think" and key.parameter is not None:
        profile = profile.thinking(key.parameter)
    plan = chat_plan(
        profile,
        protocol=prepared.target.protocol,
        user_class=prepared.target.user_class,
        instances=instances,
        users=key.level,
        folder=folder,
        seed=prepared.seed,
    )
    plan = replace(plan, repetition=key.repetition)
    if key.scenario == "open":
        return open_plan(plan, profile, key.level)
    if key.scenario == "visit" and profile.visit:
        return visit_plan(plan, profile.visit)
    if key.scenario == "spike" and profile.spike:
        return spike_plan(plan, profile.spike)
    if key.scenario == "climb":
        return climb_plan(plan, profile.search.climb_s)
    if key.scenario == "soak" and profile.soak:
        return soak_plan(plan, profile.soak)
    if key.scenario == "idle" and profile.idle:
        return replace(plan, scenario="idle", settle_s=0.0, steps=profile.idle.steps, hold_s=profile.idle.hold_s)
    if key.scenario == "check":
        return replace(
            plan,
            think_s=Distribution(median=0.1),
            ramp_up_s=0.0,
            warm_up_s=0.0,
            settle_s=0.0,
            measure_min_s=0.0,
            measure_turns=CHECK_TURNS,
            measure_max_s=30.0,
        )
    return plan


def workers_for(key: TrialKey, wanted: int) -> int:
    """Return how many generator processes a trial has: never more than users, and one but for closed workloads.

    Sessions that open in turn, arrivals met by one pool, a spike's further users and visits are one process's account.
    """
    return min(wanted, key.level) if key.scenario in ("chat", "think", "climb", "soak") else 1
