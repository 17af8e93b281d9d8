"""One answer as it arrives: the trace that a page fills in, and the judgement on the whole text."""

import errno
import os
import re
import resource
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from harness.records import OWN_LIMIT, OWN_LIMIT_WORDS
from harness.records.recipe import END_MARKER, tokens_in

_FOREIGN = "another message's answer, or the model's last user message lacked this message's tag (X-Chatbench-Tag)"
_NONCE = re.compile(r"[0-9a-f]{12}(?![0-9a-z])")
_BEGIN_CHARS = 24


class TurnError(Exception):
    """A failed turn: ``kind`` is an error kind of the turn's record, ``message`` plain words."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = _sound(str(message))
        super().__init__(self.message)


class SignInError(TurnError):
    """The target refused the session that was signed in beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProgress:
    """The growth of an answer: its text, and for each read that brought some of it the time and the length so far."""

    text: str = ""
    finished: bool = False  # the protocol said that the answer is complete
    updates: int = 0  # protocol messages about the answer
    times: list[float] = field(default_factory=list)
    chars: list[int] = field(default_factory=list)
    begun: str = ""  # the first characters that were reported, where a page reports texts


@dataclass(slots=True)
class AnswerTrace(ABC):
    """The arrivals of one answer, filled in while it comes: a turn cut short keeps what it had.

    All times are seconds on the monotonic clock.
    """

    sent_s: float
    times: list[float] = field(default_factory=list)  # of each read, or of each growth of the answer
    first_s: float | None = None
    done_s: float | None = None
    ready_s: float | None = None
    overdue: bool = False  # the time limit of the turn has passed; its connection was cut

    @abstractmethod
    def growth(self) -> AnswerProgress:
        """Return the growth of the answer.

        Raises:
            TurnError: the stream reports an error.
            ValueError, KeyError, TypeError: the bytes are not what the protocol says.
        """

    @abstractmethod
    def note(self) -> dict[str, Any]:
        """Return the fields that ``growth`` needs besides ``raw``, and the bytes on the wire: JSON-able."""

    @abstractmethod
    def raw(self) -> bytes:
        """Return the bytes that are kept beside the note."""

    @classmethod
    @abstractmethod
    def noted(cls, note: Mapping[str, Any], raw: bytes) -> Self:
        """Return the trace that a note and its bytes describe."""


@dataclass(slots=True)
class GrowingText(AnswerTrace):
    """The trace of a page that reports the answer's text each time it has changed (``saw``).

    The last state counts. What a later state took back (a cursor, words that were replaced) never arrived.
    """

    text: str = ""
    begun: str = ""  # the beginning of its first state
    answer_chars: list[int] = field(default_factory=list)  # length of the answer after each growth
    updates: int = 0
    wire_bytes: int = 0
    finished: bool = False  # the protocol said that the answer is complete

    def saw(self, text: str, at_s: float | None = None) -> None:
        """Note that the answer so far reads ``text`` (all of it, not the new part), now or at ``at_s``.

        Raises:
            TypeError: ``text`` is no text, but bytes for instance.
        """
        self.updates += 1
        if not text or text == self.text:
            return
        if not isinstance(text, str):
            raise TypeError(f"reading.saw takes the answer as text, not as {type(text).__name__}")
        now_s = time.monotonic() if at_s is None else at_s
        if self.first_s is None:
            self.first_s, self.begun = now_s, text[:_BEGIN_CHARS]
        kept = shared_chars(self.text, text)
        self._take_back(kept)
        self.text = text
        if len(text) == kept:
            return
        if self.times and self.times[-1] == now_s:
            self.answer_chars[-1] = len(text)
        else:
            self.times.append(now_s)
            self.answer_chars.append(len(text))

    def _take_back(self, kept: int) -> None:
        """Forget the growth beyond the first ``kept`` characters."""
        while self.answer_chars and self.answer_chars[-1] > kept:
            if kept > (self.answer_chars[-2] if len(self.answer_chars) > 1 else 0):
                self.answer_chars[-1] = kept
            else:
                self.answer_chars.pop()
                self.times.pop()

    def finish(self, at_s: float | None = None) -> None:
        """Note that the answer is over at protocol level."""
        self.finished = True
        self.done_s = time.monotonic() if at_s is None else at_s

    def growth(self) -> AnswerProgress:
        """Return the growth of the answer as the page reported it."""
        return AnswerProgress(
            text=self.text,
            finished=self.finished,
            updates=self.updates,
            times=self.times,
            chars=self.answer_chars,
            begun=self.begun,
        )

    def note(self) -> dict[str, Any]:
        """Return all fields but the text."""
        return {
            "times": self.times,
            "answer_chars": self.answer_chars,
            "updates": self.updates,
            "wire_bytes": self.wire_bytes,
            "finished": self.finished,
            "begun": _sound(self.begun),
        }

    def raw(self) -> bytes:
        """Return the text in UTF-8."""
        return _sound(self.text).encode()

    @classmethod
    def noted(cls, note: Mapping[str, Any], raw: bytes) -> Self:
        """Return the trace that a note and its text describe."""
        names = ("sent_s", "times", "answer_chars", "updates", "wire_bytes", "finished", "begun")
        return cls(text=raw.decode(), **{name: note[name] for name in names})


Reading = GrowingText  # its name for a user.py
#: of this process or the machine, not of the target: no file, port, memory or thread to be had
_OWN_LIMITS = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM)
_NO_THREAD = "can't start new thread"
_DEEPEST = 10  # of errors behind an error


def own_limit(problem: BaseException | None) -> str | None:
    """Return the words for a limit of this process where the nearest system error behind a problem is one."""
    for _ in range(_DEEPEST):
        if problem is None:
            return None
        if isinstance(problem, OSError) and problem.errno is not None:
            return _in_words(problem.errno) if problem.errno in _OWN_LIMITS else None
        if isinstance(problem, MemoryError):
            return os.strerror(errno.ENOMEM)
        if isinstance(problem, RuntimeError) and _NO_THREAD in str(problem):
            return _NO_THREAD
        problem = problem.__cause__ or problem.__context__
    return None


def _in_words(number: int) -> str:
    if number == errno.EMFILE:
        return f"{os.strerror(number)} (`ulimit -n` is {resource.getrlimit(resource.RLIMIT_NOFILE)[0]})"
    return os.strerror(number)


def failure_of(problem: Exception) -> TurnError:
    """Return the failure of a turn in which a page raised a problem."""
    if limit := own_limit(problem):
        return TurnError(OWN_LIMIT, f"{OWN_LIMIT_WORDS}{limit}")
    if isinstance(problem, TurnError):
        return problem
    if isinstance(problem, OSError):
        return TurnError("connection", problem.strerror or str(problem) or type(problem).__name__)
    return TurnError("application", f"{type(problem).__name__}: {problem}"[:200])


def _sound(text: str) -> str:
    """Return a text of the same length that UTF-8 can hold: JSON may bring half of a sign, which it cannot."""
    return text.encode(errors="replace").decode()


def shared_chars(one: str, other: str) -> int:
    """Return the length of the beginning that two texts share."""
    if other.startswith(one):
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def foreign_nonce(text: str, nonce: str) -> str | None:
    """Return the nonce at the start of a text where it differs from ``nonce``."""
    match = _NONCE.match(text)
    return match.group() if match and match.group() != nonce else None


def judge_any(text: str, nonce: str, finished: bool, begun: str = "") -> TurnError | None:
    """Return the failure of an answer by whatever model: only the stand-in model's has a nonce and an end marker."""
    if _NONCE.match(text) or END_MARKER in text:
        return judge(text, nonce, finished, begun)
    if not text.strip():
        return TurnError("truncated", "the answer holds no text")
    return None if finished else TurnError("truncated", "the protocol did not end the answer")


def judge(text: str, nonce: str, finished: bool, begun: str = "") -> TurnError | None:
    """Return the failure of an answer that is cut or another turn's, None for a whole answer.

    Text behind the end marker (sources, links) is no part of the answer and does not matter.

    Args:
        text: the last state of the answer.
        nonce: of this turn.
        finished: the protocol said that the answer is over.
        begun: the first characters of its first state, where a page reported states.
    """
    right_once = begun.startswith(nonce) or (begun != "" and nonce.startswith(begun))
    if right_once and not text.startswith(nonce[: len(text)]):
        told = f"the answer began with {begun!r} and then read {text[:_BEGIN_CHARS]!r}"
        return TurnError("application", f"{told}: reading.saw takes the whole answer so far, not the new piece")
    other = foreign_nonce(text, nonce)
    if other and nonce not in text[: 2 * _BEGIN_CHARS]:  # else it is a time stamp, say, before the answer
        return TurnError("foreign_nonce", f"the answer starts with {other}, expected {nonce}: {_FOREIGN}")
    if text and not text.startswith(nonce[: len(text)]):
        return TurnError("application", f"the answer starts with {text[:24]!r}, expected {nonce}")
    if END_MARKER not in text:
        return TurnError("truncated", f"the answer ended after {tokens_in(len(text))} tokens without {END_MARKER}")
    if not finished:
        return TurnError("truncated", "the answer was whole, but the protocol did not end it")
    return None
