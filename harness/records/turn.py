"""A turn, the model's emissions, and the generator's account of a trial."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["ramp_up", "warm_up", "measure", "drain"]
Outcome = Literal["ok", "failed", "incomplete"]
OWN_LIMIT = "generator"  # the error kind of a turn that failed for a limit of the load generator's own process
OWN_LIMIT_WORDS = "the load generator reached a limit of its own: "


def is_own_limit(error: str | None) -> bool:
    """Return whether an error's words say that the load generator reached a limit of its own process."""
    return error is not None and error.startswith(OWN_LIMIT_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message and its answer, as measured at the client; a line of ``turns.jsonl``."""

    user: int
    conversation: int
    turn: int  # 0-based within the conversation
    tag: str
    phase: Phase  # of the intended send
    intended_s: float
    sent_s: float
    first_s: float | None = None  # first non-empty content of this answer
    last_s: float | None = None  # the end marker
    done_s: float | None = None  # the answer is over at protocol level
    ready_s: float | None = None  # the page would take the next message
    chunks: int = 0  # reads from the socket that brought content
    updates: int = 0  # protocol messages about this answer (SSE events, element updates)
    wire_bytes: int = 0  # received for this turn, headers and framing included
    text_bytes: int = 0  # of the answer up to its end marker, UTF-8
    after_bytes: int = 0  # of text behind the end marker (sources, links), UTF-8
    outcome: Outcome
    error: str | None = None  # plain words, no secrets
    #: connection, http, timeout, truncated, foreign_nonce, application, unfinished, generator
    error_kind: str | None = None
    arrival_s: tuple[float, ...] = ()  # after sent_s, one per read that brought content
    arrival_tokens: tuple[int, ...] = ()  # cumulative tokens of the answer after that read
    word: str | None = None  # second token of the answer: it tells the model's answers to one message apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """One answer as the model sent it; a line of the model's log."""

    tag: str
    request_s: float  # the request was read completely
    ttft_s: float  # intended
    itl_s: float  # intended
    tokens: int
    emit_s: tuple[float, ...]  # actual, after request_s, one per token written
    finished: bool
    fault: str | None = None
    word: str = ""  # second token
    end_s: float | None = None  # the call was over, after request_s

    @property
    def over_s(self) -> float:
        """When the call was over, after request_s; with its last token where the log does not say."""
        return self.end_s if self.end_s is not None else max(self.emit_s, default=0.0)

    @property
    def in_one_piece(self) -> bool:
        """Whether the answer was not streamed: all its tokens were sent at once."""
        return len(set(self.emit_s)) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimes:
    """Start and end of a phase."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A load that did not settle: mean turns under way over two stretches before the trial gave up waiting."""

    after_s: float  # from the end of the ramp-up
    earlier_live: float
    later_live: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """A quiet window of the idle scenario: this many sessions were open and sent no message."""

    sessions: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerShare:
    """One generator process among several: its part of what ``GeneratorSummary`` counts."""

    users: int
    turns_begun: int
    turns_ended: int
    turns_written: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Open workload: the rate, and the arrivals of *measure* without a free user and an open page."""

    per_s: float
    without_page: int  # waited while a further user's page was being opened: part of their latency
    without_user: int  # waited because the pool was at its bound: fewer users than the load needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit: page and files, sign-in with password, two turns, leave; ``None`` for steps it did not reach."""

    user: int
    start_s: float  # before the connection is opened
    page_s: float | None = None  # the last file of the page was there
    page_requests: int | None = None
    page_bytes: int | None = None  # of the bodies, compressed where they were
    signed_in_s: float | None = None
    end_s: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSummary:
    """The generator's own account of a trial, kept apart from its turns so that the two can be reconciled."""

    users: int  # open workload: of the pool, as many as were let in
    phases: dict[str, PhaseTimes]
    steps: tuple[StepTimes, ...] = ()
    turns_begun: int  # measure phase: counted as they start, by the user loop
    turns_ended: int  # measure phase: counted as they end, whatever the outcome
    turns_written: int  # all phases: lines of turns.jsonl
    live_turn_seconds: float  # measure window: exact integral of the number of users inside a turn
    cpu_s: float  # of the generator process during the measure phase; of all workers together
    stopped_early: bool
    recorder_errors: int
    sign_in_failures: int
    locust_version: str
    note: str | None = None
    workers: tuple[WorkerShare, ...] = ()  # by number, where there are several
    arrivals: Arrivals | None = None  # None: closed workload
    visits: tuple[Visit, ...] = ()
    not_offered: str | None = None  # why the scenario cannot be played on this target's page
    spike: PhaseTimes | None = None  # while the further users were there
    unsettled: Unsettled | None = None  # None: it settled, or was not asked to; else there is no *measure*
