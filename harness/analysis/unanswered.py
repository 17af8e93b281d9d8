"""Turns that were not answered: what mostly became of them, and whether nearly everybody only waited."""

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from harness.analysis.facts import Facts, Figures
from harness.records import (
    OWN_LIMIT,
    OWN_LIMIT_WORDS,
    AnswerPlan,
    GeneratorSummary,
    PhaseTimes,
    Reason,
    Turn,
    is_own_limit,
)
from harness.records.recipe import nonce_of

WAITING_SHARE = 0.8  # of all users' time: a user cut off after a minute thinks before asking again
PATIENCE = 2.0  # times the model's mean answer, plus a second: who waits longer is not just met by a short trial
SHOWN_CHARS = 120
_STARTS = re.compile(r"answer (?:that )?starts with ([0-9a-f]{12})\b")


def commonest(turns: Sequence[Turn]) -> str | None:
    """Return what mostly became of turns of *measure* that were not answered: its kind and its commonest words."""
    lost = [t for t in turns if t.phase == "measure" and t.outcome != "ok"]
    kinds = Counter(t.error_kind or t.outcome for t in lost)
    if not kinds:
        return None
    kind = kinds.most_common(1)[0][0]
    words = Counter(t.error for t in lost if (t.error_kind or t.outcome) == kind and t.error)
    text = " ".join(words.most_common(1)[0][0].split()) if words else ""
    return f"{kind}: {text[:SHOWN_CHARS]}" if text else kind


def own_limits(turns: Sequence[Turn], summary: GeneratorSummary | None) -> Counter[str]:
    """Return how many turns and visits failed for each limit of the load generator's own process, by its words."""
    said = [turn.error or "" for turn in turns if turn.error_kind == OWN_LIMIT]
    said += [visit.error for visit in (summary.visits if summary else ()) if visit.error and is_own_limit(visit.error)]
    return Counter(error.removeprefix(OWN_LIMIT_WORDS) for error in said)


def lost_tags(turns: Sequence[Turn], seed: int) -> int:
    """Return how many turns had an answer that belongs to no message: the model did not see the message's tag."""
    known = {nonce_of(seed, turn.tag) for turn in turns}
    found = (_STARTS.search(turn.error) for turn in turns if turn.error_kind == "foreign_nonce" and turn.error)
    return sum(one is not None and one[1] not in known for one in found)


def waited_s(turns: Sequence[Turn], summary: GeneratorSummary, answer: AnswerPlan) -> float | None:
    """Return how long users had waited for an answer (median, s) where they did little else; else None.

    Looks at all of *measure*, then at what is left of it after the last whole answer, if that is longer than patience:
    a target may hang at any moment. Counts turns that never ended well, whenever they began: one that hangs before
    *measure* leaves none in it.
    """
    window = summary.phases.get("measure")
    if window is None or window.end_s <= window.start_s or not summary.users:
        return None
    patience_s = PATIENCE * (answer.ttft_s.mean() + answer.tokens_mean() * answer.itl_s) + 1
    over_s = max(phase.end_s for phase in summary.phases.values())
    answered_s = max((t.done_s for t in turns if t.outcome == "ok" and t.done_s is not None), default=window.start_s)
    stretches = [window]
    if window.start_s < answered_s < window.end_s - patience_s:
        stretches.append(PhaseTimes(start_s=answered_s, end_s=window.end_s))
    lost = [(t.sent_s, over_s if t.done_s is None else t.done_s) for t in turns if t.outcome != "ok"]
    for stretch in stretches:
        waits = _waits(lost, stretch, summary.users)
        if waits and median(waits) > patience_s:
            return median(waits)
    return None


def _waits(lost: Sequence[tuple[float, float]], stretch: PhaseTimes, users: int) -> list[float]:
    """Return how long each wait in a stretch was; none where users did not mostly wait in it."""
    spans = [(begin_s, end_s) for begin_s, end_s in lost if begin_s < stretch.end_s and end_s > stretch.start_s]
    inside_s = sum(min(end_s, stretch.end_s) - max(begin_s, stretch.start_s) for begin_s, end_s in spans)
    mostly = inside_s >= WAITING_SHARE * users * (stretch.end_s - stretch.start_s)
    return [end_s - begin_s for begin_s, end_s in spans] if mostly else []


def hung(figures: Figures, facts: Facts) -> list[Reason]:
    """Return what can be said of a target that let its users wait, so that too few turns came together."""
    turns = figures.get("turns") or 0.0
    if facts.waited_s is None or facts.no_app or turns >= facts.turns_needed:
        return []
    text = f"no answer within {facts.waited_s:.3g} s (median wait): users only waited, turns {turns:.0f}"
    return [Reason(code="target.unanswered", text=text, value=facts.waited_s, unit="s")]
