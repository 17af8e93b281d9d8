"""One turn from the moment it is planned until it has ended, and what becomes of it on paper."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from harness.records import Outcome, Phase, Turn
from harness.records.recipe import END_MARKER, tokens_in
from loadtests import http
from loadtests.page import Page
from loadtests.reading import Reading, TurnError, judge
from loadtests.wire import sse


@dataclass(slots=True, kw_only=True)
class PendingTurn:
    """A turn under way; ``phase`` and ``reading`` are set when it begins."""

    user: int
    conversation: int
    turn: int
    tag: str
    nonce: str
    intended_s: float
    page: Page
    phase: Phase | None = None
    reading: Reading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProgress:
    """How an answer grew: text, and for each read that brought some of it the time and the length so far."""

    text: str
    finished: bool
    updates: int
    times: list[float]
    chars: list[int]


_FORMATS = {"rest": sse.rest_answer, "openai": sse.openai_answer}


def growth_of(reads: list[tuple[float, int]], raw: bytes, stream_format: str) -> AnswerProgress:
    """Take a raw event stream apart.

    Args:
        reads: for each read its time and its number of bytes.
        raw: all bytes read.
        stream_format: "rest" or "openai".

    Raises:
        TurnError: the stream reports an error (kind ``application``).
        ValueError: bytes that are not what the protocol says.
    """
    response = http.decode(raw, closed=True)
    if response is None or response.status != 200:
        return AnswerProgress(text="", finished=False, updates=0, times=[], chars=[])
    answer = _FORMATS[stream_format](response.body)
    lengths = [0, *accumulate(len(text) for text in answer.texts)]
    times: list[float] = []
    chars: list[int] = []
    position, seen = 0, 0
    for at_s, size in reads:
        position += size
        complete = bisect_left(answer.ends, response.body_offset(position) + 1)
        if complete > seen:
            seen = complete
            times.append(at_s)
            chars.append(lengths[complete])
    if answer.error:
        raise TurnError("application", f"the stream reported: {answer.error}")
    return AnswerProgress(
        text="".join(answer.texts), finished=answer.finished, updates=len(answer.texts), times=times, chars=chars
    )


def turn_of(note: Mapping[str, Any], raw: bytes) -> Turn:
    """Return the record of a turn from what the recorder noted when it ended.

    Args:
        note: the fields of ``recorder.note_of``.
        raw: bytes read (pages that keep them), else the answer's text in UTF-8.
    """
    outcome: Outcome = note["outcome"]
    kind, error = note["error_kind"], note["error"]
    growth = AnswerProgress(text="", finished=False, updates=0, times=[], chars=[])
    try:
        growth = _growth(note, raw)
        if outcome == "ok" and (failure := judge(growth.text, note["nonce"], growth.finished)):
            raise failure
    except TurnError as failure:
        if outcome == "ok":
            outcome, kind, error = "failed", failure.kind, failure.message
    except (ValueError, KeyError, TypeError) as broken:
        if outcome == "ok":
            outcome, kind, error = "failed", "application", f"cannot read the answer: {broken}"[:200]
    if kind == "connection" and growth.text:
        kind, error = "truncated", f"{error} (after {tokens_in(len(growth.text))} tokens)"
    sent_s = note["sent_s"]
    return Turn(
        **{name: note[name] for name in ("user", "conversation", "turn", "tag", "phase", "intended_s", "sent_s")},
        first_s=growth.times[0] if growth.times else None,
        last_s=_last_s(growth),
        done_s=note["done_s"],
        ready_s=note["ready_s"],
        chunks=len(growth.times),
        updates=growth.updates,
        wire_bytes=note["wire_bytes"],
        text_bytes=len(growth.text.encode()),
        outcome=outcome,
        error=error,
        error_kind=kind,
        arrival_s=tuple(round(at_s - sent_s, 6) for at_s in growth.times),
        arrival_tokens=tuple(tokens_in(chars) for chars in growth.chars),
    )


def _growth(note: Mapping[str, Any], raw: bytes) -> AnswerProgress:
    times = note["times"]
    if note["stream_format"]:
        return growth_of(list(zip(times, note["sizes"], strict=True)), raw, note["stream_format"])
    return AnswerProgress(
        text=raw.decode(), finished=note["finished"], updates=note["updates"], times=times, chars=note["sizes"]
    )


def _last_s(growth: AnswerProgress) -> float | None:
    end = growth.text.rfind(END_MARKER)
    if end < 0:
        return None
    return growth.times[bisect_left(growth.chars, end + len(END_MARKER))]
