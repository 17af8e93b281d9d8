"""The order of trials: a course of requests that is sent verdicts; pure."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt

from harness.analysis.capacity import (
    BUDGET_CPUS,
    MEMORY_BUDGET_BYTES,
    Capacity,
    Judged,
    Outcome,
    SearchPlan,
    assess,
    operational_bound,
    response_s,
    search,
)
from harness.analysis.claims import NEEDED, base_trials, claimed_users
from harness.analysis.estimate import Crossing, estimate, first_of_round, predicted, slo_use, walk
from harness.records import Profile, Search, Trial
from harness.trials import think_times

TRIALS_OF_A_ROUND = (
    2.3  # on average, where trials differ by some percent (tests/unit/harness/analysis/test_estimate.py)
)


CLIMB_OVER = (
    2.5  # times the bound that a climb goes to: at ten users a turn costs up to twice what it does near the edge
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A trial that is wanted next, and about how many are to follow."""

    scenario: str
    parameter: int | None = None  # as of a ``TrialKey``
    level: int
    about_left: int
    bracket: tuple[int | None, int | None] = (None, None)
    round: int = 0


Course = Generator[Request, Trial, Capacity]


def course(profile: Profile, target: str, *, no_app: bool = False) -> Course:
    """Yield the trials of one target, receive each as measured, return its capacity.

    First whether it answers at all, then what is not load, then memory per session, then the base trial at the common
    load, whose CPU per turn bounds the capacity and gives the search its start; then the rounds of the estimate and its
    predictions, where the profile asks for them and the target itself was what failed; then other workloads at shares
    of the capacity found. Claims ask for memory and for the base trial more than once, each from a start of its own.
    ``no_app``: there is no application, so nothing of it but its load.
    """
    plan = profile.search
    starts, bases = (NEEDED, base_trials(target)) if plan.claims else (1, 1)
    yield Request(scenario="check", level=1, about_left=6 + starts + bases)
    if profile.audit and not no_app:
        yield Request(scenario="audit", level=1, about_left=5 + starts + bases)
    idle = None
    if profile.idle and not no_app:
        of_sessions = Request(scenario="idle", level=max(profile.idle.steps), about_left=5 + bases)
        idle = _answered((yield from _several(of_sessions, starts)))
    based = yield from _several(Request(scenario="chat", level=plan.base_users, about_left=5), bases)
    base = _answered(based)
    start = first_level(profile, base, idle, no_app=no_app)
    known = [_outcome(one) for one in based]
    if not profile.capacity or (base.verdict.outcome == "pass" and plan.highest <= plan.base_users):
        capacity = assess(known)
        yield from _other_workloads(profile, capacity, no_app=no_app)
        return capacity
    bound = most_users(profile, base, idle, no_app=no_app)
    edge = None
    if plan.climb_s and base.verdict.outcome == "pass":
        edge = yield from _climb(plan, bound)
    looking = search(search_plan(plan, start, edge), known)
    capacity = yield from _search(looking, based, lambda trial: most_users(profile, trial, idle, no_app=no_app))
    if plan.rounds and capacity.status == "bracketed":
        crossings = yield from _rounds(profile, target, capacity)
        yield from _predictions(profile, crossings)
    if plan.claims:
        yield from _claimed(profile, capacity, claimed_users(target))
        if claimed_users(target):
            yield from _beyond(capacity, plan.highest)
    yield from _other_workloads(profile, capacity, no_app=no_app)
    return capacity


def _climb(plan: Search, bound: float | None) -> Generator[Request, Trial, float | None]:
    """Return the users at which a slow climb left the SLO, or came to its top; None where it cannot be trusted."""
    top = plan.highest if bound is None else min(plan.highest, round(CLIMB_OVER * bound))
    if top <= plan.base_users:
        return None
    trial = yield from _tried_again(Request(scenario="climb", level=top, about_left=4))
    if trial.verdict.outcome != "pass":
        return None
    edge = trial.figures.get("climb_users")
    stopped = trial.summary is not None and trial.summary.stopped_early
    return edge if edge or stopped else float(top)


def search_plan(plan: Search, start: int, edge: float | None) -> SearchPlan:
    """Return how the search goes: around an edge that a climb saw, else from ``start`` by large steps.

    Around an edge one step of the wanted precision lies between the first level and the next, half a step below and
    half a step above it.
    """
    wide = SearchPlan(
        start=start,
        growth=plan.growth,
        share=plan.start_share,
        highest=plan.highest,
        precision=plan.precision,
        repetitions=plan.repetitions,
        max_trials=plan.max_trials,
    )
    if edge is None:
        return wide
    step = 1 + plan.precision
    level = max(1, min(plan.highest, round(edge / sqrt(step))))
    # a rounded step must not look wider than the precision, which would be bisected once more
    precision = plan.precision + 1 / level
    return replace(wide, start=level, growth=step, share=0.0, stepwise=True, precision=precision)


def _claimed(profile: Profile, capacity: Capacity, claimed: Sequence[int]) -> Generator[Request, Trial, None]:
    """Yield the trials at other think times that claims ask for; a surprise ends those at one level."""
    asked = think_times.wanted(profile, capacity, claimed)
    left = sum(one.times for one in asked)
    for one in asked:
        for made in range(one.times):
            request = Request(scenario="think", parameter=one.think_s, level=one.level, about_left=left - made)
            trial = yield from _tried_again(request)
            if trial.verdict.outcome != ("pass" if one.passes else "fail"):
                break
        left -= one.times


def _beyond(capacity: Capacity, highest: int) -> Generator[Request, Trial, None]:
    """Yield trials just above an upper end that was worked out, until one does not fail; none above ``highest``.

    A failure there tells of the target: see :func:`harness.analysis.claims.tells`.
    """
    if not capacity.worked_out or capacity.upper is None or capacity.upper >= highest:
        return
    for left in range(NEEDED, 0, -1):
        trial = yield from _tried_again(Request(scenario="chat", level=capacity.upper + 1, about_left=left))
        if trial.verdict.outcome != "fail":
            return


def _other_workloads(profile: Profile, capacity: Capacity, *, no_app: bool) -> Generator[Request, Trial, None]:
    """Yield the trials of workloads other than closed chat that the profile asks for; no page, no visit."""
    wanted = [one for one in other_workloads(profile, capacity.low) if not (no_app and one[0] == "visit")]
    for n, (scenario, parameter, level) in enumerate(wanted):
        left = len(wanted) - n
        yield from _tried_again(Request(scenario=scenario, parameter=parameter, level=level, about_left=left))


def other_workloads(profile: Profile, carried: int | None) -> list[tuple[str, int | None, int]]:
    """Return (scenario, parameter, level) of each; those at a share of the capacity only where there is one."""
    wanted: list[tuple[str, int | None, int]] = [("visit", None, profile.visit.users)] if profile.visit else []
    if profile.open:
        wanted.append(("open", None, profile.open.per_minute))
        per_minute = 60 * (carried or 0) / profile.cycle_s()
        wanted += [("open", p, max(1, round(per_minute * p / 100))) for p in profile.open.percent if carried]
    for scenario, asked in (("spike", profile.spike), ("soak", profile.soak)):
        if asked and carried:
            wanted.append((scenario, None, max(1, round(carried * asked.percent / 100))))
    return wanted


def _rounds(profile: Profile, target: str, capacity: Capacity) -> Generator[Request, Trial, list[Crossing]]:
    """Yield the trials of all rounds around the edge that the search found; return the rounds that crossed it."""
    plan = profile.search
    step = 1 + plan.precision
    low = capacity.low or 1
    edge = sqrt(low * (capacity.high or low))
    limits = asdict(profile.slo)
    crossings = []
    for number in range(1, plan.rounds + 1):
        start = first_of_round(edge, step, 1, plan.highest, f"{profile.seed}:{target}:{number}")
        walking = walk(start, step, 1, plan.highest)
        about_left = round(TRIALS_OF_A_ROUND * (plan.rounds - number + 1)) + 2 * len(plan.further_think_s)
        try:
            level = next(walking)
            while True:
                trial = yield Request(
                    scenario="chat",
                    level=level,
                    about_left=about_left,
                    bracket=(capacity.low, capacity.high),
                    round=number,
                )
                level = walking.send((trial.verdict, slo_use(trial.figures, limits)))
        except StopIteration as end:
            if end.value is not None:
                crossings.append(end.value)
    return crossings


def _predictions(profile: Profile, crossings: Sequence[Crossing]) -> Generator[Request, Trial, None]:
    """Yield for each further think time a trial just below and one just above the capacity predicted for it."""
    known = estimate(crossings)
    if known is None or known.value is None:
        return
    for n, think_s in enumerate(profile.search.further_think_s):
        left = 2 * (len(profile.search.further_think_s) - n)
        for level in tested_levels(profile, known.value, think_s):
            if level <= profile.search.highest:
                yield from _tried_again(Request(scenario="think", parameter=think_s, level=level, about_left=left))


def tested_levels(profile: Profile, users: float, think_s: int) -> tuple[int, int]:
    """Return the levels a step below and a step above the capacity predicted at another median think time."""
    other_s = profile.thinking(think_s).think_mean_s()
    there = predicted(users, profile.answer_mean_s(), profile.think_mean_s(), other_s)
    step = 1 + profile.search.precision
    return max(1, round(there / step)), round(there * step)


def _tried_again(request: Request) -> Generator[Request, Trial, Trial]:
    trial = yield request
    again = trial.verdict.outcome == "invalid" and all(r.code != "invalid.not_offered" for r in trial.verdict.reasons)
    if again:
        trial = yield request
    return trial


def _several(request: Request, times: int) -> Generator[Request, Trial, list[Trial]]:
    made = []
    for left in reversed(range(times)):
        trial = yield from _tried_again(replace(request, about_left=request.about_left + left))
        made.append(trial)
    return made


def _answered(trials: Sequence[Trial]) -> Trial:
    """Return the first trial that passed; the first of all where none did."""
    return next((one for one in trials if one.verdict.outcome == "pass"), trials[0])


def _search(
    looking: Generator[int, Judged, Capacity], known: Sequence[Trial], bound: Callable[[Trial], float | None]
) -> Course:
    """Yield the trials of a search; return the capacity that they and those known before add up to."""
    found = list(known)
    try:
        level = next(looking)
        while True:
            low, high = _between(found[len(known) :])
            left = max(1, (4 if high is None else 3) - (len(found) - len(known)) // 2)
            trial = yield Request(scenario="chat", level=level, about_left=left, bracket=(low, high))
            found.append(trial)
            level = looking.send((trial.verdict, bound(trial)))
    except StopIteration:
        return assess([_outcome(one) for one in found])


def _between(trials: Sequence[Trial]) -> tuple[int | None, int | None]:
    """Return the highest level that passed below every fail, and the lowest that failed above every pass."""
    passed, failed = ([t.key.level for t in trials if t.verdict.outcome == word] for word in ("pass", "fail"))
    low = max((level for level in passed if level < min(failed, default=level + 1)), default=None)
    return low, min((level for level in failed if level > max(passed, default=0)), default=None)


def _outcome(trial: Trial) -> Outcome:
    return Outcome(
        level=trial.key.level,
        repetition=trial.key.repetition,
        verdict=trial.verdict,
        cores=trial.figures.get("target_cores"),
        cut=trial.summary is not None and trial.summary.stopped_early,
    )


def first_level(profile: Profile, base: Trial, idle: Trial | None, *, no_app: bool = False) -> int:
    """Return where the search starts: a share of the bound, below the base where that failed."""
    plan = profile.search
    if base.verdict.outcome == "fail":
        return max(1, plan.base_users // 2)
    bound = most_users(profile, base, idle, no_app=no_app)
    wanted = plan.base_users * plan.growth if bound is None else plan.start_share * bound
    return max(1, min(plan.highest, round(wanted)))


def most_users(profile: Profile, trial: Trial, idle: Trial | None, *, no_app: bool = False) -> float | None:
    """Return the most users that CPU per turn and memory per session, as a trial showed them, leave room for.

    Without spare CPUs the generator's and the model's CPU come out of the same two. None where a reading is absent.
    """
    if no_app:
        return _most_the_tools_carry(trial)
    figures = trial.figures
    turn_s = response_s(figures)
    cpu_s, share_s, cores = (
        figures.get(name) for name in ("target_cpu_s_per_turn", "busiest_cpu_s_per_turn", "target_cores")
    )
    if turn_s is None or cpu_s is None or not cores:
        return None
    # Idle CPU does not grow with the users.
    cpu_s *= max(0.1, 1 - ((idle.figures.get("idle_cores") or 0.0) / cores if idle else 0.0))
    if not trial.limits.spare_cpus:
        beside_cores = (figures.get("generator_cores") or 0.0) + (figures.get("model_cores") or 0.0)
        cpu_s *= 1 + beside_cores / cores
    bound = operational_bound(
        response_s=turn_s,
        think_s=profile.think_mean_s(),
        cpu_s_per_turn=cpu_s,
        cpus=BUDGET_CPUS,
        busiest_s_per_turn=share_s or 0.0,
        busiest_cores=1.0,  # one process of Python, Redis or nginx keeps one core busy at most
    )
    slope = idle.figures.get("memory_slope_bytes_per_session") if idle else None
    empty = idle.figures.get("memory_bytes_0") if idle else None
    if slope and slope > 0 and empty is not None:
        bound = min(bound, (MEMORY_BUDGET_BYTES - empty) / slope)
    return bound


def _most_the_tools_carry(trial: Trial) -> float | None:
    """Return the bound without an application: generator and model have a core each, the budget's in all."""
    cores = [trial.figures.get(name) for name in ("generator_cores", "model_cores")]
    known = [value for value in cores if value is not None]
    if len(known) < len(cores) or not sum(known):
        return None
    busiest = max(known) if trial.limits.spare_cpus else max(max(known), sum(known) / BUDGET_CPUS)
    return trial.key.level / busiest
