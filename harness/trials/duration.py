"""The estimate of a campaign's duration, made before it begins. Decides only; touches nothing."""

from collections.abc import Sequence
from pathlib import Path

from harness.analysis.capacity import Capacity
from harness.analysis.claims import NEEDED, base_trials, claimed_users
from harness.records import Profile
from harness.trials.plans import chat_plan
from harness.trials.think_times import wanted

_NOWHERE = Path()
START_S = 3.0  # a trial's start and stop, environments being there
OPENED_AT_ONCE = 20  # idle: sessions opened at the same time, each with an answered turn
CAPACITIES = 40  # that are looked at for what claims may ask, from one user to the highest level
SEARCH_TRIALS = (4, 8)  # after the base trial: where the bound is near, and where it is not
MORE_TRIALS = (0, 3)  # after a climb: beyond the two levels around its edge
CLIMBED = (0.5, 1.0)  # of a climb's time
ROUND_TRIALS = (2.0, 2.6)
FIXED_WORK_S = 1.4  # before and after a trial under load together
AUDIT_S = (30.0, 75.0)  # seen: 28 s of rendered pages, 73 s of a hybrid with two faces
PAIR_S = (15.0, 25.0)  # of the swap matrix, parts being built


def trial_s(profile: Profile, users: int) -> float:
    """Return about how long a chat trial of so many users takes, in seconds."""
    plan = chat_plan(profile, protocol="rest", instances=(), users=users, folder=_NOWHERE, seed=0)
    cycle_s = profile.cycle_s()
    wanted_s = plan.measure_turns * cycle_s / users
    measure_s = min(plan.measure_max_s, max(plan.measure_min_s, wanted_s))
    return (
        START_S
        + FIXED_WORK_S
        + plan.ramp_up_s
        + plan.warm_up_s
        + measure_s
        + min(plan.drain_s, profile.answer_mean_s())
    )


def campaign_s(
    profile: Profile, targets: Sequence[str], typical_users: int = 150, *, pairs: int = 0
) -> tuple[float, float]:
    """Return about the shortest and the longest time that measuring these targets takes, in seconds.

    Args:
        profile: What is measured.
        targets: Their names.
        typical_users: The level at which the search's trials are counted: their length hardly depends on it.
        pairs: Of parts that are tried with each other, where the profile says so.
    """
    search = profile.search
    level = min(typical_users, search.highest) if profile.capacity else search.base_users
    fixed_s = START_S + 2 * profile.cycle_s() + trial_s(profile, search.base_users)
    idle_s = 0.0
    if profile.idle:
        steps = profile.idle.steps
        turns = max(steps) + min((n for n in steps if n), default=0)  # those that warm it up come first
        idle_s = START_S + turns / OPENED_AT_ONCE * profile.answer_mean_s() + len(steps) * (1 + profile.idle.hold_s)
    tests_s = sum(2 * trial_s(profile.thinking(t), level) for t in search.further_think_s)
    if profile.open:
        tests_s += (1 + len(profile.open.percent)) * trial_s(profile, level)
    if profile.visit:
        tests_s += START_S + 3 * profile.cycle_s() + profile.visit.measure_s
    if spike := profile.spike:
        tests_s += START_S + 3 * profile.cycle_s() + spike.before_s + spike.hold_s + spike.after_s
    if profile.soak:
        tests_s += START_S + 3 * profile.cycle_s() + 60 * profile.soak.minutes
    claimed_s = [0.0, 0.0]
    if search.claims:
        again_s = (NEEDED - 1) * len(targets) * idle_s
        again_s += sum(base_trials(name) - 1 for name in targets) * trial_s(profile, search.base_users)
        claimed_s = [again_s, again_s + sum(_claimed_s(profile, name) for name in targets)]
    ends = []
    for end, (per_round, audit_s, pair_s) in enumerate(zip(ROUND_TRIALS, AUDIT_S, PAIR_S, strict=True)):
        trials = 2 * search.repetitions + MORE_TRIALS[end] if search.climb_s else SEARCH_TRIALS[end]
        count = min(trials, search.max_trials) + per_round * search.rounds
        search_s = count * trial_s(profile, level) + CLIMBED[end] * search.climb_s if profile.capacity else 0.0
        each_s = fixed_s + idle_s + search_s + tests_s + (audit_s if profile.audit else 0.0)
        ends.append(len(targets) * each_s + (pairs * pair_s if profile.swap else 0.0) + claimed_s[end])
    return ends[0], ends[1]


def _claimed_s(profile: Profile, target: str) -> float:
    """Return how long the trials at other think times take that claims on a target ask for, in seconds.

    At most: for whichever capacity asks for the longest of them.
    """
    search, claimed = profile.search, claimed_users(target)
    longest_s = 0.0
    for low in sorted({round(search.highest ** (n / CAPACITIES)) for n in range(CAPACITIES + 1)}):
        high = low + max(1, round(search.precision * low))
        for capacity in (_bracket(low, high=high), _bracket(low, most=high)):
            asked = wanted(profile, capacity, claimed)
            taken_s = sum(one.times * trial_s(profile.thinking(one.think_s), one.level) for one in asked)
            beyond_s = NEEDED * trial_s(profile, high) if capacity.worked_out and claimed else 0.0
            longest_s = max(longest_s, taken_s + beyond_s)
    return longest_s


def _bracket(low: int, *, high: int | None = None, most: int | None = None) -> Capacity:
    return Capacity(low=low, high=high, at_least=high is None, status="bracketed", most=most)


def in_words(low_s: float, high_s: float) -> str:
    """Return a range of times for people, such as ``8 to 13 minutes`` or ``2 to 3 hours``."""
    for size_s, name in ((3600.0, "hours"), (60.0, "minutes")):
        if high_s >= 2 * size_s:
            low, high = max(1, round(low_s / size_s)), round(high_s / size_s)
            return f"{low} to {high} {name}" if low < high else f"{high} {name}"
    return f"{max(1, round(high_s / 60))} minute(s)"
