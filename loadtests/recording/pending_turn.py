"""A turn from its plan to its end, and its record."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.records import Outcome, Phase, Turn
from harness.records.recipe import END_MARKER, FIRST_TOKEN_CHARS, TOKEN_CHARS, tokens_in
from loadtests.page import Page
from loadtests.reading import AnswerProgress, AnswerTrace, GrowingText, TurnError, judge
from loadtests.wire.raw_reads import RawReads


@dataclass(slots=True, kw_only=True)
class PendingTurn:
    """A turn that is planned or under way; ``phase`` and ``trace`` are set when it begins."""

    user: int
    conversation: int
    turn: int
    tag: str
    nonce: str
    intended_s: float
    page: Page
    phase: Phase | None = None
    trace: AnswerTrace | None = None


#: of an answer's text, its nonce, whether it was ended, and how its first state began
Judge = Callable[[str, str, bool, str], TurnError | None]


def turn_of(note: Mapping[str, Any], raw: bytes, judged: Judge = judge) -> Turn:
    """Return the record of a turn from the note that the recorder wrote at its end.

    Args:
        note: the fields of ``recorder.note_of``.
        raw: the bytes that its trace kept beside the note.
        judged: what finds the failure of an answer that came to an end.
    """
    outcome: Outcome = note["outcome"]
    kind, error = note["error_kind"], note["error"]
    progress = AnswerProgress()
    try:
        progress = _trace(note, raw).growth()
        if outcome == "ok" and (failure := judged(progress.text, note["nonce"], progress.finished, progress.begun)):
            raise failure
    except TurnError as failure:
        if outcome == "ok":
            outcome, kind, error = "failed", failure.kind, failure.message
    except (ValueError, KeyError, TypeError) as fault:
        if outcome == "ok":
            outcome, kind, error = "failed", "application", f"cannot read the answer: {fault}"[:200]
    if kind == "connection" and progress.text:
        kind, error = "truncated", f"{error} (after {tokens_in(len(progress.text))} tokens)"
    sent_s, whole = note["sent_s"], progress.text
    progress = up_to_its_end(progress)
    return Turn(
        **{name: note[name] for name in ("user", "conversation", "turn", "tag", "phase", "intended_s", "sent_s")},
        first_s=progress.times[0] if progress.times else None,
        last_s=progress.times[-1] if END_MARKER in progress.text else None,
        done_s=note["done_s"],
        ready_s=note["ready_s"],
        chunks=len(progress.times),
        updates=progress.updates,
        wire_bytes=note["wire_bytes"],
        text_bytes=len(progress.text.encode()),
        after_bytes=len(whole[len(progress.text) :].strip().encode()),
        outcome=outcome,
        error=error,
        error_kind=kind,
        arrival_s=tuple(round(at_s - sent_s, 6) for at_s in progress.times),
        arrival_tokens=tuple(tokens_in(chars) for chars in progress.chars),
        word=progress.text[FIRST_TOKEN_CHARS : FIRST_TOKEN_CHARS + TOKEN_CHARS].strip() or None,
    )


def _trace(note: Mapping[str, Any], raw: bytes) -> AnswerTrace:
    return (RawReads if "read_bytes" in note else GrowingText).noted(note, raw)


def up_to_its_end(progress: AnswerProgress) -> AnswerProgress:
    """Return the growth of an answer up to its end marker; what a chatbot adds behind it is none of the model's."""
    at = progress.text.find(END_MARKER)
    if at < 0:
        return progress
    end = at + len(END_MARKER)
    last = bisect_left(progress.chars, end)
    times, chars = progress.times[: last + 1], [*progress.chars[:last], end]
    return replace(progress, text=progress.text[:end], times=times, chars=chars)
