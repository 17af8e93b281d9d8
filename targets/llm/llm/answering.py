"""One answer on its way to a client: token by token, or whole."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from . import responses, wire
from .answers import Answer, Timing
from .calls import Calls
from .emissions import EmissionLog
from .requests import AnswerRequest
from .scheduler import Scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What all answers of one server share.

    ``step_ms`` is the longest time by which a first token waits for those of other answers, see :func:`step_of`;
    ``stall_s`` is how long the fault of that name lasts.
    """

    seed: int
    timing: Timing
    step_ms: int
    stall_s: float
    scheduler: Scheduler
    log: EmissionLog
    calls: Calls


class Client(Protocol):
    """What an answer needs of the connection it goes to."""

    blocked: bool  # the socket takes no more; ``Answering.resume`` is called once it does
    chunked: bool  # the current request's protocol version has the chunked transfer coding
    keep_alive: bool  # the connection outlives the current request
    write: Callable[[bytes], None]  # to the socket, at once; what it does not take sets ``blocked``

    def answered(self) -> None: ...
    def hang_up(self) -> None: ...


class Events(Protocol):
    """An answer's events in the bytes of one of OpenAI's interfaces."""

    def __init__(self, answer: Answer, request: AnswerRequest, usage: Mapping[str, int], *, chunked: bool) -> None: ...
    @property
    def opening(self) -> bytes: ...
    @property
    def closing(self) -> bytes: ...
    def token(self, text: str) -> bytes: ...


def step_of(itl_s: float, longest_ms: int) -> int:
    """Return the longest step of at most ``longest_ms`` that divides the interval between tokens, else 1 (ms).

    A server that runs many answers in one batch computes the next token of all of them in one step and sends them
    together. An answer's first token waits for the next step; later ones then fall on steps by themselves.
    """
    itl_ms = round(itl_s * 1000, 6)
    return next((step for step in range(longest_ms, 1, -1) if itl_ms % step == 0), 1)


class Answering(ABC):
    """An answer that was begun: its deadlines, counted from one instant so that they cannot drift, and its record."""

    def __init__(self, client: Client, request: AnswerRequest, answer: Answer, model: Model) -> None:
        self._request_s = time.monotonic()
        self._client: Client | None = client  # None once it is over
        self._request = request
        self._answer = answer
        self._scheduler, self._log = model.scheduler, model.log
        self._sent_s: list[float] = []
        self._last = len(answer.tokens) - 1
        middle = len(answer.tokens) // 2
        self._cut_at = middle if answer.fault == "disconnect" else -1
        self._stall_at = middle if answer.fault == "stall" else len(answer.tokens)
        self._stall_ms = math.ceil(model.stall_s * 1000)
        self._itl_ms = answer.itl_s * 1000
        step_ms = step_of(answer.itl_s, model.step_ms)
        self._first_ms = math.ceil((self._request_s + answer.ttft_s) * 1000 / step_ms) * step_ms
        self._overdue = False

    @abstractmethod
    def run(self) -> None:
        """Send what is due; the scheduler calls this."""

    def resume(self) -> None:
        """Go on after the client's socket was full."""
        if self._overdue:
            self._overdue = False
            self.run()

    def cancel(self) -> None:
        """The client is gone: record what it got."""
        if self._client is not None:
            self._end(finished=False)

    def _due_ms(self, token: int) -> int:
        stall_ms = self._stall_ms if token >= self._stall_at else 0
        return math.ceil(self._first_ms + token * self._itl_ms) + stall_ms

    def _end(self, *, finished: bool) -> None:
        self._client = None
        first_s, end_s = self._first_ms / 1000, time.monotonic()
        self._log.add(self._answer, self._request_s, first_s, self._sent_s, end_s, finished=finished)

    def _usage(self) -> dict[str, int]:
        prompt, completion = self._request.prompt_tokens, len(self._answer.tokens)
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class Streamed(Answering):
    """An answer sent as server-sent events, one write to the socket per token."""

    def __init__(self, client: Client, request: AnswerRequest, answer: Answer, model: Model) -> None:
        super().__init__(client, request, answer, model)
        makes: type[Events] = responses.Events if request.api == "responses" else wire.Events
        self._events = makes(answer, request, self._usage(), chunked=client.chunked)
        client.write(wire.stream_head(chunked=client.chunked, keep_alive=client.keep_alive))
        self._scheduler.at(self._due_ms(0), self)

    def run(self) -> None:
        client, sent_s = self._client, self._sent_s
        if client is None:
            return
        if client.blocked:
            self._overdue = True
            return
        number = len(sent_s)
        if number == self._cut_at:
            client.hang_up()  # which cancels this answer
            return
        data = self._events.token(self._answer.tokens[number])
        if number == 0:
            data = self._events.opening + data
        if number == self._last:
            data += self._events.closing
        sent_s.append(time.monotonic())
        client.write(data)
        if number < self._last:
            self._scheduler.at(self._due_ms(number + 1), self)
        else:
            self._end(finished=True)
            client.answered()


class Whole(Answering):
    """An answer sent in one piece, at the time a streamed one would send its last token."""

    def __init__(self, client: Client, request: AnswerRequest, answer: Answer, model: Model) -> None:
        super().__init__(client, request, answer, model)
        self._scheduler.at(self._due_ms(self._last if self._cut_at < 0 else self._cut_at), self)

    def run(self) -> None:
        client = self._client
        if client is None:
            return
        if self._cut_at >= 0:
            client.hang_up()
            return
        whole = responses.whole if self._request.api == "responses" else wire.completion
        content = whole(self._answer, self._request, self._usage())
        self._sent_s = [time.monotonic()] * len(self._answer.tokens)
        client.write(wire.json_response(200, content, keep_alive=client.keep_alive))
        self._end(finished=True)
        client.answered()
