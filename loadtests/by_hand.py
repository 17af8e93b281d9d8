"""Turns without a trial: every answer goes straight into Locust's own statistics."""

from collections.abc import Callable

from harness.records import LoadPlan
from loadtests.page import Page
from loadtests.reading import AnswerTrace, TurnError, judge_any
from loadtests.recording.pending_turn import PendingTurn, turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn

_MS_PER_S = 1000.0

Fire = Callable[..., None]


class HandTracker:
    """The turns of a run by hand: two entries of Locust's statistics each, first token and whole answer."""

    def __init__(self, plan: LoadPlan, fire: Fire) -> None:
        self.plan = plan
        self._fire = fire

    def planned(
        self, user: int, conversation: int, turn: int, intended_s: float, page: Page, arrival: int | None = None
    ) -> PendingTurn:
        """Return a turn to come."""
        return new_turn(self.plan.seed, user, conversation, turn, intended_s, page, arrival)

    def begun(self, pending: PendingTurn, sent_s: float) -> AnswerTrace:
        """Return the trace of a turn that was sent."""
        pending.phase = "measure"
        pending.trace = pending.page.new_trace(sent_s)
        return pending.trace

    def ended(self, pending: PendingTurn, failure: TurnError | None) -> None:
        """Judge an answer and report it to Locust."""
        trace = pending.trace
        if trace is None:
            return
        kind, error = (failure.kind, failure.message) if failure else (None, None)
        note = note_of(pending, trace, "failed" if failure else "ok", kind, error)
        turn = turn_of(note, trace.raw(), judge_any)
        problem = None if turn.outcome == "ok" else TurnError(turn.error_kind or "application", turn.error or "")
        sizes = {"response_length": turn.wire_bytes, "context": {}}
        if turn.first_s is not None:
            first_ms = (turn.first_s - turn.sent_s) * _MS_PER_S
            self._fire(request_type="TTFT", name="first token", response_time=first_ms, exception=None, **sizes)
        whole_ms = None if turn.done_s is None else (turn.done_s - turn.sent_s) * _MS_PER_S
        self._fire(request_type="answer", name="whole answer", response_time=whole_ms, exception=problem, **sizes)

    def sign_in_failed(self) -> None:
        """Nothing more: the turn that needed it has failed."""
