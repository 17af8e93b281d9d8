"""The article's claims, judged by what a run measured; the rules are in docs/method/claims.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness.analysis import claims as rules
from harness.analysis import plausible
from harness.analysis.claims import (
    CLAIMS,
    COST_RATIOS,
    CPU_RATIO,
    SESSION,
    THINK_TIMES_S,
    USERS,
    Ask,
    Claim,
    Judgement,
    Turn,
)
from harness.analysis.estimate import predicted
from harness.analysis.plausible import Interval, Tried
from harness.analysis.registry import figure
from harness.records import Run, TargetInfo
from reports.content.known import Known, known
from reports.content.table import Table
from reports.evidence.conditions import Conditions, versions
from reports.evidence.trials import Evidence
from reports.numbers import as_text, significant, span


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """One interval that a judgement rests on, with the threshold it was compared with.

    Attributes:
        quantity: As an :class:`~harness.analysis.claims.Ask` names it.
        think_s: Mean think time, for a number of users.
        tried: False for a prediction, which decides nothing.
    """

    quantity: str
    direction: rules.Direction
    threshold: float
    think_s: float | None = None
    tried: bool = True
    low: float | None
    high: float | None
    low_trials: int = 0
    high_trials: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedClaim:
    """One statement of the article and what the measurement makes of it.

    Attributes:
        section: Where the article says it.
        says: The statement, paraphrased, and the targets it is judged on.
        threshold: What the words are taken to mean, as a number.
        condition: Where the answer turns, for *depends*.
        turn_s: Mean think times from which a number of users is predicted to fit: by the upper end of the capacity, by
            the lower. None where no capacity was measured, or as the first where it has no upper end.
        why: The numbers that decided.
        targets: The target, or the pair.
        basis: What decided, as numbers.
        rests_on: Ids of table cells.
    """

    id: str
    section: str
    says: str
    threshold: str
    judgement: Judgement
    condition: str = ""
    turn_s: tuple[float | None, float] | None = None
    why: str
    targets: tuple[str, ...] = ()
    basis: tuple[Basis, ...] = ()
    rests_on: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The judgement with its condition, for people."""
        return f"{self.judgement}: {self.condition}" if self.condition else self.judgement

    def as_json(self) -> dict[str, Any]:
        """Return the claim as plain data."""
        return asdict(self) | {
            "turn_s": list(self.turn_s) if self.turn_s else None,
            "targets": list(self.targets),
            "basis": [asdict(one) for one in self.basis],
            "rests_on": list(self.rests_on),
        }


def judge(run: Run, table: Table, terms: Conditions, evidence: Mapping[str, Evidence]) -> list[JudgedClaim]:
    """Judge the article's claims by a run's trials; every claim also for plain builds, where the run has them.

    A profile that only asks whether everything works judges none.
    """
    judged = evidence if terms.profile.capacity else {name: replace(one, trials=()) for name, one in evidence.items()}
    facts = {
        name: known(one, terms, table.cell(f"memory_slope_bytes_per_session/{name}")) for name, one in judged.items()
    }
    return judge_known(facts, run.targets, table.modular, [cell.id for cell in table.cells])


def judge_known(
    facts: Mapping[str, Known], targets: Mapping[str, TargetInfo], modular: str | None, cells: Sequence[str] = ()
) -> list[JudgedClaim]:
    """Judge the claims by what is known of each target; a claim about no target of the run is left out.

    Args:
        facts: By target.
        targets: What the run says of each.
        modular: The target of the article's modular column.
        cells: Ids of the cells that there are, to name those that a judgement rests on.
    """
    found = []
    for claim in CLAIMS:
        every = rules.subjects(claim.subject, list(targets), modular)
        for n, names in enumerate(every):
            one = _judge(claim, names, facts, targets)
            wanted = _cell_ids(claim, names)
            found.append(
                JudgedClaim(
                    id=claim.id if n == 0 else f"{claim.id}/{names[-1]}",
                    section=claim.section,
                    says=claim.says + _named(names, targets),
                    threshold=_meaning(claim),
                    targets=names,
                    rests_on=tuple(cell for cell in wanted if cell in cells),
                    judgement=one.judgement,
                    condition=one.condition,
                    turn_s=one.turn_s,
                    why=one.why,
                    basis=one.basis,
                )
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    judgement: Judgement
    why: str
    condition: str = ""
    turn_s: tuple[float | None, float] | None = None
    basis: tuple[Basis, ...] = ()


def _judge(
    claim: Claim, names: Sequence[str], facts: Mapping[str, Known], targets: Mapping[str, TargetInfo]
) -> _Judged:
    lost = [name for name in names if name not in targets]
    if lost:
        return _Judged(judgement="not measured", why=f"{' and '.join(lost)} is not in this run")
    seen = [facts[name] for name in names]
    if len(seen) == 1:
        return _users(claim.asks[0], seen[0])
    return _pair(claim.asks, seen[0], seen[1])


# A number of users, over think times


def _users(ask: Ask, seen: Known) -> _Judged:
    """Judge a number of users at once over think times; a prediction decides nothing."""
    tried = {think_s: plausible.capacity(trials) for think_s, trials in sorted(seen.tried.items()) if trials}
    if not tried:
        why = "the capacity was not measured" if not seen.tried else "no trial tells of this target alone"
        return _Judged(judgement="not measured", why=why)
    turn = rules.turn({think_s: rules.reached(ask, interval) for think_s, interval in tried.items()})
    judgement = rules.over_think_times(ask.direction, turn)
    expected = _predicted(seen, [think_s for think_s in THINK_TIMES_S if not _near(think_s, tried)])
    words = [_tried_words(think_s, interval) for think_s, interval in tried.items()]
    if expected:
        words.append(f"predicted, not tried: {', '.join(_users_at(*one, seen.worked_out) for one in expected.items())}")
    words += _beside_words(*seen.tried.values())
    if judgement == "not settled":
        words.append(_open_words(ask, seen, turn))
    return _Judged(
        judgement=judgement,
        condition=_condition(ask, seen, turn) if judgement == "depends" else "",
        turn_s=_turning_s(ask, seen),
        why="; ".join(words),
        basis=(
            *(_basis(ask, interval, think_s) for think_s, interval in tried.items()),
            *(_basis(ask, interval, think_s, tried=False) for think_s, interval in expected.items()),
        ),
    )


def _near(think_s: float, others: Mapping[float, Interval]) -> bool:
    return any(1 / rules.SAME_THINK < other / think_s < rules.SAME_THINK for other in others)


def _predicted(seen: Known, think_s: Sequence[float]) -> dict[float, Interval]:
    """Return the capacity that N = X · (R + Z) gives at other mean think times, for both ends of the bracket."""
    low, high = seen.bracket
    if not low:
        return {}

    def there(users: float | None, other_s: float) -> float | None:
        return None if users is None else predicted(users, seen.answer_s, seen.own_s, other_s)

    return {other_s: Interval(low=there(low, other_s), high=there(high, other_s)) for other_s in think_s}


def _turning_s(ask: Ask, seen: Known) -> tuple[float | None, float] | None:
    """Return the mean think times from which so many users are predicted to fit, by the upper end and by the lower."""
    low, high = seen.bracket
    if not low:
        return None

    def by(users: float) -> float:
        return max(0.0, rules.turning_think_s(ask.threshold, users, seen.answer_s, seen.own_s))

    return by(high) if high else None, by(low)


def _turns_at(ask: Ask, seen: Known) -> str:
    """Return those think times in words; ``≥`` marks one that a worked-out end gives, as in a ratio."""
    found = _turning_s(ask, seen)
    if found is None:
        return ""
    last = significant(found[1], 2)
    if found[0] is None:
        return f"about {last} s or less"
    first, mark = significant(found[0], 2), "≥" if seen.worked_out else ""
    return f"about {mark}{first}–{last} s" if mark or first != last else f"about {last} s"


def _condition(ask: Ask, seen: Known, turn: Turn) -> str:
    """Return the think times for which a claim holds: where the prediction turns, and what was tried around it."""
    low_s, high_s = turn.missed_s or 0.0, turn.reached_s or 0.0
    way = "from a mean think time of {} on" if ask.direction == "at least" else "up to a mean think time of {}"
    where = _turns_at(ask, seen)
    about = way.format(where) if where else way.format(f"{significant(low_s)} to {significant(high_s)} s")
    return f"{about} (tried at {as_text(low_s, 's')} and {as_text(high_s, 's')})"


def _open_words(ask: Ask, seen: Known, turn: Turn) -> str:
    """Return what is known of a number of users that is not settled over all think times."""
    number = as_text(ask.threshold, "users")
    if turn.missed_s is not None and turn.reached_s is not None:
        return f"{number}: trials at different think times contradict each other"
    known = f"fewer than {number} up to {as_text(turn.missed_s, 's')}" if turn.missed_s is not None else ""
    known = f"{number} from {as_text(turn.reached_s, 's')} on" if turn.reached_s is not None else known
    where = _turns_at(ask, seen)
    guess = f"predicted to turn at a mean think time of {where}" if where else "no prediction"
    return f"{known or f'{number}: trials decide at no think time'}; {guess}"


def _users_at(think_s: float, interval: Interval, worked_out: bool = False) -> str:
    return f"{_span(interval, 'users', worked_out)} at {as_text(think_s, 's')}"


def _tried_words(think_s: float, interval: Interval) -> str:
    counts = f"{interval.low_trials} passed, {interval.high_trials} failed"
    return f"tried: {_users_at(think_s, interval)} ({counts})"


# Two targets side by side


def _pair(asks: Sequence[Ask], first: Known, second: Known) -> _Judged:
    """Judge ratios or a difference of two targets of one run."""
    measured = {ask: _compared(ask, first, second, len(asks)) for ask in asks}
    seen = {ask: interval for ask, interval in measured.items() if interval is not None}
    if not seen:
        return _Judged(judgement="not measured", why="one of the two was not measured")
    answers = {ask: rules.holds(ask, interval) for ask, interval in seen.items()}
    judgement = rules.together(answers.values())
    words = [_compared_words(ask, interval) for ask, interval in seen.items()]
    words += _beside_words(first.here, second.here) if any(ask.quantity == rules.USERS_RATIO for ask in seen) else []
    speaks = {found: [_NAMES[ask.quantity] for ask, one in answers.items() if one is found] for found in (True, False)}
    return _Judged(
        judgement=judgement,
        condition=f"holds by {', '.join(speaks[True])}, not by {', '.join(speaks[False])}"
        if judgement == "depends"
        else "",
        why="; ".join(words),
        basis=tuple(_basis(ask, interval) for ask, interval in seen.items()),
    )


_NAMES = {
    rules.USERS_RATIO: "capacity",
    SESSION: "memory per open session",
    **{name: figure(measure).phrase for name, measure in COST_RATIOS.items()},
    CPU_RATIO: "CPU time per turn without idle CPU",
}


def _compared(ask: Ask, first: Known, second: Known, several: int) -> Interval | None:
    """Return a quantity of two targets, None where one was not measured.

    Of several quantities each may be wrong, so that their intervals share what one may be.
    """
    if ask.quantity == rules.USERS_RATIO:
        if not first.here or not second.here:
            return None
        return plausible.capacity_ratio(first.here, second.here)
    if ask.quantity == SESSION:
        return second.session.minus(first.session) if first.session and second.session else None
    above, below = (one.common.get(COST_RATIOS[ask.quantity], ()) for one in (first, second))
    confidence = 1 - (1 - 0.95) / several
    return plausible.ratio_of_means(above, below, confidence) if above and below else None


def _beside_words(*tried: Sequence[Tried]) -> list[str]:
    """Return a note on failures that tell of a target with its load generator beside it, not of the target alone."""
    count = sum(one.contended for there in tried for one in there)
    note = f"failures above the worked-out end, with the load generator beside the target: {count}"
    return [note] if count else []


def _compared_words(ask: Ask, interval: Interval) -> str:
    unit = "bytes" if ask.quantity == SESSION else "×"
    trials = f"trials that bound it: {interval.low_trials} from below, {interval.high_trials} from above"
    return f"{_NAMES[ask.quantity]}: {_span(interval, unit)} ({trials})"


# Words


def _span(interval: Interval, unit: str, worked_out: bool = False) -> str:
    low, high = interval.low, interval.high
    if low is None and high is None:
        return "no bound"
    if low is None or high is None:
        return f"≥ {as_text(low, unit)}" if low is not None else f"≤ {as_text(high or 0.0, unit)}"
    return span(low, high, unit, worked_out=(False, worked_out))


def _basis(ask: Ask, interval: Interval, think_s: float | None = None, *, tried: bool = True) -> Basis:
    return Basis(
        quantity=ask.quantity,
        direction=ask.direction,
        threshold=ask.threshold,
        think_s=think_s,
        tried=tried,
        low=interval.low,
        high=interval.high,
        low_trials=interval.low_trials,
        high_trials=interval.high_trials,
    )


def _named(names: Sequence[str], targets: Mapping[str, TargetInfo]) -> str:
    """Return the targets that a claim is judged on, tuned or plain, with their versions."""
    there = [name for name in names if name in targets]
    if len(there) < len(names):
        return ""
    build = "plain" if "plain" in map(rules.variant, names) else "tuned"
    shown = " beside ".join(names) if len(names) > 1 else f"{names[0]}, {versions(targets[names[0]])}"
    return f" (here {build}: {shown})"


def _meaning(claim: Claim) -> str:
    """Return what a claim's words are taken to mean."""
    ask = claim.asks[0]
    if len(claim.asks) > 1:
        return "with Redis more users, or less CPU time per turn or added TTFT; none of them worse"
    if ask.quantity == USERS:
        how = "at least" if ask.direction == "at least" else "fewer than"
        thinks = f"mean think times of {significant(THINK_TIMES_S[0])} to {as_text(THINK_TIMES_S[-1], 's')}"
        return f"capacity of {how} {as_text(ask.threshold, 'users')} at {thinks} (the article names no number)"
    if ask.quantity == SESSION:
        return "an open session takes more memory than one of the modular build"
    return f"the modular capacity is at least {significant(ask.threshold)} times as high in this budget"


def _cell_ids(claim: Claim, names: Sequence[str]) -> list[str]:
    measures = {"capacity_users", *(COST_RATIOS.get(ask.quantity, "capacity_users") for ask in claim.asks)}
    if claim.asks[0].quantity == SESSION:
        measures = {"memory_slope_bytes_per_session"}
    if any(ask.quantity == CPU_RATIO for ask in claim.asks):
        measures.add("idle_cores")
    found = [f"{measure}/{name}" for measure in sorted(measures) for name in names]
    return [*found, *(f"{measure}/{' / '.join(names)}" for measure in sorted(measures) if len(names) > 1)]
