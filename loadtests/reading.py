"""One answer as it arrives: what the page saw and when, and how it is judged."""

import re
import time
from dataclasses import dataclass, field

from harness.records.recipe import END_MARKER, tokens_in

_NONCE = re.compile(r"[0-9a-f]{12}(?![0-9a-z])")


class TurnError(Exception):
    """A turn that went wrong: ``kind`` is an error kind of the turn's record, ``message`` plain words."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class SignInError(TurnError):
    """The target did not take the session signed in beforehand."""


@dataclass(slots=True)
class Reading:
    """What arrived for one turn; filled in while it runs, so that a turn cut short keeps what it had.

    A page either keeps raw reads (``parts``, parsed after the trial) or reports the answer's growth (``saw``).
    All times are seconds on the monotonic clock.
    """

    sent_s: float
    stream_format: str | None = None  # how to parse ``parts``: "rest" or "openai"; None: the page called ``saw``
    times: list[float] = field(default_factory=list)  # of each read, or of each growth of the answer
    parts: list[bytes] = field(default_factory=list)  # raw reads
    chars: list[int] = field(default_factory=list)  # length of the answer after each growth
    text: str = ""
    updates: int = 0
    wire_bytes: int = 0
    first_s: float | None = None
    done_s: float | None = None
    ready_s: float | None = None
    finished: bool = False  # the protocol said that the answer is complete
    overdue: bool = False  # the time limit of the turn has passed; its connection was cut

    def saw(self, text: str, at_s: float | None = None) -> None:
        """Note that the answer so far reads ``text`` (all of it, not the new part), now or at ``at_s``."""
        self.updates += 1
        if len(text) <= len(self.text):
            return
        now_s = time.monotonic() if at_s is None else at_s
        if self.first_s is None:
            self.first_s = now_s
        self.text = text
        if self.times and self.times[-1] == now_s:
            self.chars[-1] = len(text)
        else:
            self.times.append(now_s)
            self.chars.append(len(text))

    def finish(self, at_s: float | None = None) -> None:
        """Note that the answer is over at protocol level."""
        self.finished = True
        self.done_s = time.monotonic() if at_s is None else at_s


def foreign_nonce(text: str, nonce: str) -> str | None:
    """Return the nonce a text starts with if it is another one than ``nonce``."""
    found = _NONCE.match(text)
    return found.group() if found and found.group() != nonce else None


def judge(text: str, nonce: str, finished: bool) -> TurnError | None:
    """Return why an answer is not whole and one's own, or None if it is."""
    other = foreign_nonce(text, nonce)
    if other:
        return TurnError("foreign_nonce", f"the answer starts with {other}, expected {nonce}")
    if text and not text.startswith(nonce[: len(text)]):
        return TurnError("application", f"the answer starts with {text[:24]!r}, expected {nonce}")
    if not text.rstrip().endswith(END_MARKER):
        return TurnError("truncated", f"the answer ended after {tokens_in(len(text))} tokens without {END_MARKER}")
    if not finished:
        return TurnError("truncated", "the answer was whole, but the protocol did not say that it was over")
    return None
