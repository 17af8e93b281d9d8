"""Turns that were not answered: what mostly became of them, and whether nearly everybody only waited."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from harness.records import AnswerPlan, GeneratorSummary, Turn

WAITING_SHARE = 0.8  # of all users' time: a user cut off after a minute thinks before asking again
PATIENCE = 2.0  # times the model's mean answer, plus a second: who waits longer is not just met by a short trial
SHOWN_CHARS = 120


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


def waited_s(turns: Sequence[Turn], summary: GeneratorSummary, answer: AnswerPlan) -> float | None:
    """Return how long users had waited for an answer (median, s) where they did little else; else None.

    Counts turns that never ended well, whenever they began: a target that hangs before *measure* leaves none in it.
    """
    window = summary.phases.get("measure")
    if window is None or window.end_s <= window.start_s or not summary.users:
        return None
    over_s = max(phase.end_s for phase in summary.phases.values())
    spans = [
        (t.sent_s, over_s if t.done_s is None else t.done_s)
        for t in turns
        if t.outcome != "ok" and t.sent_s < window.end_s and (t.done_s is None or t.done_s > window.start_s)
    ]
    inside_s = sum(min(end_s, window.end_s) - max(start_s, window.start_s) for start_s, end_s in spans)
    if inside_s < WAITING_SHARE * summary.users * (window.end_s - window.start_s):
        return None
    typical_s = median(end_s - start_s for start_s, end_s in spans)
    mean_s = answer.ttft_s.mean() + answer.tokens_mean() * answer.itl_s
    return typical_s if typical_s > PATIENCE * mean_s + 1 else None
