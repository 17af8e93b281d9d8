"""The search for a target's capacity and the sum of its verdicts. Decides only; touches nothing."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from harness.records import Verdict

# what a target is given, see harness.host.cgroups.Budget
BUDGET_CPUS = 2
MEMORY_BUDGET_BYTES = 4 * 1024**3

Status = Literal["bracketed", "open", "none", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict of one trial at a level, the most users its readings say there can be, and the target's cores.

    Attributes:
        cut: The trial ended early, so that its cores are those of a few seconds.
    """

    level: int
    repetition: int
    verdict: Verdict
    bound: float | None = None
    cores: float | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The bracket [low, high]: all repetitions passed at low, all failed at high.

    Attributes:
        low: Highest level all of whose repetitions passed, 0 where one user already fails, None where unknown.
        high: Lowest level above it all of whose repetitions failed, None where none did.
        at_least: The machine was contended in every trial that failed there, so that ``low`` is a lower bound and
            ``high`` none.
        status: ``open`` means that no level failed within reach.
        most: Users where ``at_least``: the load that failed there, in proportion to all CPUs of the budget (utilisation
            law). Worked out, not observed: it holds if a turn costs no less CPU time with more users. None where the
            target's cores were not read.
        failed: The level that failed where ``at_least``.
    """

    low: int | None
    high: int | None
    at_least: bool
    status: Status
    most: int | None = None
    failed: int | None = None

    @property
    def upper(self) -> int | None:
        """The upper end: the level that failed, or on a contended machine the end that was worked out."""
        return self.most if self.high is None else self.high

    @property
    def worked_out(self) -> bool:
        """Tell if the upper end was worked out, not observed."""
        return self.high is None and self.most is not None

    @property
    def middles(self) -> tuple[float, float] | None:
        """The bracket's geometric middle as observed, and in proportion to all CPUs where its end was worked out.

        The same twice where the end was observed; None where an end is open.
        """
        observed = self.failed if self.worked_out else self.high
        if not self.low or not observed or not self.upper:
            return None
        middle = sqrt(self.low * observed)
        return middle, middle * (self.upper / observed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """The search's start level, growth factor, range, precision (high/low − 1) and repetitions at each end."""

    start: int
    growth: float = 1.5
    share: float = 0.7  # of a bound that is worth trying
    stepwise: bool = False  # down by ``growth`` too, not by bisection: the start lies near the edge
    lowest: int = 1
    highest: int = 5000
    precision: float = 0.25
    repetitions: int = 2
    max_trials: int = 12


def assess(outcomes: Sequence[Outcome]) -> Capacity:
    """Return what a target's verdicts say of its capacity.

    Levels whose repetitions disagree belong to neither end, which widens the bracket; a pass above a level that failed
    throughout does too. Invalid trials say nothing, but a search that two of them in a row ended before anything failed
    is inconclusive.

    Args:
        outcomes: In the order they were made.
    """
    valid = [o for o in outcomes if o.verdict.outcome != "invalid"]
    if not valid:
        return Capacity(low=None, high=None, at_least=False, status="inconclusive")
    levels = sorted({o.level for o in valid})
    passed = [n for n in levels if all(o.verdict.outcome == "pass" for o in valid if o.level == n)]
    failed = [n for n in levels if all(o.verdict.outcome == "fail" for o in valid if o.level == n)]
    some_pass = [o.level for o in valid if o.verdict.outcome == "pass"]
    highest_pass = max(some_pass, default=0)
    lowest_fail = min((o.level for o in valid if o.verdict.outcome == "fail"), default=None)
    # Below every failure, so that the bracket holds whatever disagrees inside it.
    low = max((n for n in passed if lowest_fail is None or n < lowest_fail), default=None)
    high = min((n for n in failed if n > highest_pass), default=None)
    if high == 1 and low is None:
        return Capacity(low=0, high=1, at_least=False, status="none")
    if high is None:
        unsettled = low is None or _stuck(outcomes)
        return Capacity(low=low, high=None, at_least=False, status="inconclusive" if unsettled else "open")
    there = [o for o in valid if o.level == high]
    contended = all(o.verdict.contended for o in there)  # else the target failed there by itself, too
    clear = None if contended else high
    if low is None:
        return Capacity(low=None, high=clear, at_least=False, status="inconclusive")
    if not contended:
        return Capacity(low=low, high=high, at_least=False, status="bracketed")
    return Capacity(low=low, high=None, at_least=True, status="bracketed", most=_most(there), failed=high)


def _most(failed: Sequence[Outcome]) -> int | None:
    """Return the largest worked-out end of one level's trials, of whole ones where there are any; None without one."""
    whole = [o for o in failed if not o.cut] or failed
    ends = [most_users(o.level, o.cores) for o in whole]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def most_users(level: int, cores: float | None) -> int | None:
    """Return a level that failed in proportion to all CPUs of the budget; None where its cores were not read."""
    return round(level * max(1.0, BUDGET_CPUS / cores)) if cores else None


Judged = tuple[Verdict, float | None]  # a verdict, and the bound that the trial's readings put on the capacity


def _stuck(outcomes: Sequence[Outcome]) -> bool:
    last = outcomes[-2:]
    same = len(last) == 2 and last[0].level == last[1].level
    return same and all(o.verdict.outcome == "invalid" for o in last)


def search(plan: SearchPlan, known: Sequence[Outcome] = ()) -> Generator[int, Judged, Capacity]:
    """Yield levels to try, receive their verdicts, return the capacity.

    Starts at ``plan.start``, steps by ``plan.growth`` (further where the bound is far off) until the edge is bracketed,
    bisects (geometrically) to the precision, then repeats both ends until each has ``plan.repetitions`` verdicts. A
    repetition that disagrees moves that end outwards. An invalid trial is tried once more; a second one in a row at the
    same level ends the search. ``known`` verdicts (of a base trial) count, and cost none of ``plan.max_trials``.
    """
    outcomes = list(known)
    level: int | None = min(max(plan.start, plan.lowest), plan.highest)
    retried: int | None = None
    while level is not None and len(outcomes) - len(known) < plan.max_trials:
        verdict, bound = yield level
        repetition = sum(o.level == level for o in outcomes)
        outcomes.append(Outcome(level=level, repetition=repetition, verdict=verdict, bound=bound))
        if verdict.outcome == "invalid":
            if retried == level:
                break
            retried = level
            continue
        retried = None
        level = next_level(outcomes, plan)
    return assess(outcomes)


def next_level(outcomes: Sequence[Outcome], plan: SearchPlan) -> int | None:
    """Return the level worth trying next, None when nothing is left to learn."""
    ends = assess(outcomes)
    valid = [o for o in outcomes if o.verdict.outcome != "invalid"]
    low = ends.low or 0
    high = _lowest_clear_failure(valid)
    if high is None:
        return _upwards(valid, plan)
    lowest_fail = min(o.level for o in valid if o.verdict.outcome == "fail")
    if low == 0 and lowest_fail > plan.lowest:
        return max(plan.lowest, min(lowest_fail - 1, int(lowest_fail / plan.growth)))
    # A level between them whose repetitions disagreed belongs to neither end: then the edge lies below it.
    for top in (high, lowest_fail):
        if low and top - low > max(1, plan.precision * low):
            towards = max(sqrt(low * top), top / plan.growth) if plan.stepwise else sqrt(low * top)
            middle = min(top - 1, max(low + 1, round(towards)))
            if not any(o.level == middle for o in valid):
                return middle
    for end in (high, low):
        if end and sum(o.level == end for o in valid) < plan.repetitions:
            return end
    return None


def _lowest_clear_failure(valid: Sequence[Outcome]) -> int | None:
    highest_pass = max((o.level for o in valid if o.verdict.outcome == "pass"), default=0)
    return min((o.level for o in valid if o.verdict.outcome == "fail" and o.level > highest_pass), default=None)


def _upwards(valid: Sequence[Outcome], plan: SearchPlan) -> int | None:
    top = max(o.level for o in valid)
    if top < plan.highest:
        bounds = [o.bound for o in valid if o.level == top and o.bound is not None]
        towards = min(plan.share * min(bounds), 2 * plan.growth * top) if bounds else 0.0
        return min(plan.highest, max(top + 1, round(top * plan.growth), round(towards)))
    return plan.highest if sum(o.level == plan.highest for o in valid) < plan.repetitions else None


def response_s(figures: Mapping[str, float | None]) -> float | None:
    """Return the mean time of a turn, which the interactive response time law asks for; the median in older records."""
    return figures["turn_mean_s"] if "turn_mean_s" in figures else figures.get("turn_p50_s")


def operational_bound(
    *,
    response_s: float,
    think_s: float,
    cpu_s_per_turn: float,
    cpus: int,
    busiest_s_per_turn: float,
    busiest_cores: float,
) -> float:
    """Return the most users before a CPU saturates: N* = (R₀ + Z) / max(D / cpus, max dᵢ / cᵢ).

    Denning & Buzen, The Operational Analysis of Queueing Network Models, ACM Computing Surveys 10(3), 1978.
    """
    demand_s = max(cpu_s_per_turn / cpus, busiest_s_per_turn / busiest_cores)
    return float("inf") if demand_s <= 0 else (response_s + think_s) / demand_s
