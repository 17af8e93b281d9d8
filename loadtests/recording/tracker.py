"""Counts of turns as they are planned, begin and end, in a trial and by hand."""

import time
from typing import Protocol

from gevent import GreenletExit

from harness.records import LoadPlan, Outcome, Phase
from harness.records.recipe import nonce_of
from loadtests.page import Page
from loadtests.reading import AnswerTrace, TurnError
from loadtests.recording.pending_turn import PendingTurn
from loadtests.recording.recorder import Recorder
from loadtests.schedule.draws import arrival_tag, tag_of
from loadtests.schedule.phases import Timeline


class TurnTracker(Protocol):
    """The place where a user's loop reports its turns; every turn that becomes due ends exactly once."""

    plan: LoadPlan

    def planned(
        self, user: int, conversation: int, turn: int, intended_s: float, page: Page, arrival: int | None = None
    ) -> PendingTurn:
        """Return a turn to be sent at ``intended_s``; ``arrival``: its number in an open workload."""

    def begun(self, pending: PendingTurn, sent_s: float) -> AnswerTrace:
        """Return the trace of a turn whose message was sent at ``sent_s``."""

    def ended(self, pending: PendingTurn, failure: TurnError | None) -> None:
        """Take note of the end of a turn."""

    def sign_in_failed(self) -> None:
        """Take note of a session that was refused."""


def new_turn(
    seed: int, user: int, conversation: int, turn: int, intended_s: float, page: Page, arrival: int | None = None
) -> PendingTurn:
    """Return a turn to come with its tag and nonce.

    The user that takes an arrival depends on the target; the message must not.
    """
    tag = tag_of(seed, user, conversation, turn) if arrival is None else arrival_tag(seed, arrival)
    return PendingTurn(
        user=user,
        conversation=conversation,
        turn=turn,
        tag=tag,
        nonce=nonce_of(seed, tag),
        intended_s=intended_s,
        page=page,
    )


class TrialTracker:
    """The turns of a trial: phases, counts, the exact times at which turns began and ended."""

    def __init__(self, plan: LoadPlan, recorder: Recorder) -> None:
        self.plan = plan
        self.recorder = recorder
        self.timeline: Timeline | None = None  # idle: none; its turns belong to no measured phase
        self.open: dict[int, PendingTurn] = {}  # by user
        self.changes: list[tuple[float, int]] = []
        self.measure_begun = 0
        self.measure_ended = 0
        self.sign_in_failures = 0
        self.closed = False

    def planned(
        self, user: int, conversation: int, turn: int, intended_s: float, page: Page, arrival: int | None = None
    ) -> PendingTurn:
        """Return a turn to come; it counts even if its user never sends it."""
        pending = new_turn(self.plan.seed, user, conversation, turn, intended_s, page, arrival)
        self.open[user] = pending
        return pending

    def begun(self, pending: PendingTurn, sent_s: float) -> AnswerTrace:
        """Return the trace of a turn that begins; its phase is that of its intended send."""
        if self.closed:
            raise GreenletExit  # the counts are closed: the user stops instead of sending
        pending.phase = self._phase_of(pending)
        pending.trace = pending.page.new_trace(sent_s)
        # The users' states are logged apart from their turns' times, so that the two can contradict each other: from
        # the intended send to the return into the loop, on another clock reading.
        self.changes.append((pending.intended_s, 1))
        if pending.phase == "measure":
            self.measure_begun += 1
        return pending.trace

    def ended(self, pending: PendingTurn, failure: TurnError | None) -> None:
        """Count a turn as ended and give it to the recorder."""
        trace = pending.trace
        if self.closed or trace is None:
            return
        if trace.done_s is None:
            trace.done_s = time.monotonic()
        if failure and trace.overdue:
            failure = TurnError("timeout", f"no end of the answer within {self.plan.turn_timeout_s:g} s")
        self._close(pending, trace, "failed" if failure else "ok", failure)

    def sign_in_failed(self) -> None:
        """Count a refused session."""
        self.sign_in_failures += 1

    def live(self, now_s: float) -> int:
        """Return the number of turns under way at a time: from the intended send on, whether or not the page is ready.

        So users count who wait to sign in or for a new conversation. They are the queue of an overloaded target.
        """
        return sum(pending.trace is not None or pending.intended_s <= now_s for pending in self.open.values())

    def outstanding(self) -> int:
        """Return the number of turns of *measure* that have not ended, planned ones included."""
        return sum((pending.phase or self._phase_of(pending)) == "measure" for pending in self.open.values())

    def cut_overdue(self, now_s: float) -> None:
        """Cut the connection of every turn past its time limit; its user then ends it as failed."""
        limit_s = self.plan.turn_timeout_s
        for pending in list(self.open.values()):
            trace = pending.trace
            if now_s > (trace.sent_s if trace else pending.intended_s) + limit_s:
                if trace:
                    trace.overdue = True
                pending.page.abort()

    def close(self, now_s: float) -> None:
        """End every turn under way or due as incomplete; later turns are refused."""
        for pending in list(self.open.values()):
            if pending.trace is None:
                if pending.intended_s > now_s:
                    continue
                self.begun(pending, pending.intended_s)
            if pending.trace is not None:
                self._close(pending, pending.trace, "incomplete", TurnError("unfinished", "cut by the trial's end"))
        self.recorder.write_notes()  # at once: cut turns may still go on reading
        self.open.clear()
        self.closed = True

    def _close(self, pending: PendingTurn, trace: AnswerTrace, outcome: Outcome, failure: TurnError | None) -> None:
        self.open.pop(pending.user, None)
        if trace.done_s is not None:
            self.changes.append((time.monotonic(), -1))
        if pending.phase == "measure":
            self.measure_ended += 1
        kind, error = (failure.kind, failure.message) if failure else (None, None)
        self.recorder.note(pending, trace, outcome, kind, error)

    def _phase_of(self, pending: PendingTurn) -> Phase:
        return self.timeline.phase_of(pending.intended_s) if self.timeline else "ramp_up"
