"""Counts turns as they are planned, begin and end; what users report to, in a trial and by hand."""

import time
from typing import Protocol

from gevent import GreenletExit

from harness.records import LoadPlan, Outcome, Phase
from harness.records.recipe import nonce_of
from loadtests.page import Page
from loadtests.reading import Reading, TurnError
from loadtests.recording.pending_turn import PendingTurn
from loadtests.recording.recorder import Recorder
from loadtests.schedule.draws import arrival_tag, tag_of
from loadtests.schedule.phases import Timeline


class TurnTracker(Protocol):
    """Where a user's loop reports its turns; every planned turn that becomes due ends exactly once."""

    plan: LoadPlan

    def planned(
        self, user: int, conversation: int, turn: int, intended_s: float, page: Page, arrival: int | None = None
    ) -> PendingTurn:
        """A turn will be sent at ``intended_s``; ``arrival``: its number in an open workload."""

    def begun(self, ticket: PendingTurn, sent_s: float) -> Reading:
        """The person pressed Enter at ``sent_s``."""

    def ended(self, ticket: PendingTurn, failure: TurnError | None) -> None:
        """The answer is there, or it failed."""

    def sign_in_failed(self) -> None:
        """A session was not taken."""


def new_turn(
    seed: int, user: int, conversation: int, turn: int, intended_s: float, page: Page, arrival: int | None = None
) -> PendingTurn:
    """Return the ticket of a turn with its tag and nonce.

    Which user meets which arrival depends on the target; what is asked at an arrival must not.
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


class TrialLedger:
    """The ledger of a trial: phases, counts, the exact times at which turns began and ended."""

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
        """Note a turn to come, so that it counts even if its user never gets to send it."""
        ticket = new_turn(self.plan.seed, user, conversation, turn, intended_s, page, arrival)
        self.open[user] = ticket
        return ticket

    def begun(self, ticket: PendingTurn, sent_s: float) -> Reading:
        """Count a turn as begun; its phase is that of its intended send."""
        if self.closed:
            raise GreenletExit  # nobody counts any more: the person goes home instead of sending
        ticket.phase = self._phase_of(ticket)
        ticket.reading = Reading(sent_s)
        # The users' states are logged apart from their turns' times, so that the two can contradict each other: from
        # wanting to send to being back in the loop, on a clock reading of its own.
        self.changes.append((ticket.intended_s, 1))
        if ticket.phase == "measure":
            self.measure_begun += 1
        return ticket.reading

    def ended(self, ticket: PendingTurn, failure: TurnError | None) -> None:
        """Count a turn as ended and keep it."""
        reading = ticket.reading
        if self.closed or reading is None:
            return
        if reading.done_s is None:
            reading.done_s = time.monotonic()
        if failure and reading.overdue:
            failure = TurnError("timeout", f"no end of the answer within {self.plan.turn_timeout_s:g} s")
        self._close(ticket, reading, "failed" if failure else "ok", failure)

    def sign_in_failed(self) -> None:
        """Count it."""
        self.sign_in_failures += 1

    def outstanding(self) -> int:
        """Return how many turns of *measure* have not ended, planned ones included."""
        return sum((ticket.phase or self._phase_of(ticket)) == "measure" for ticket in self.open.values())

    def cut_overdue(self, now_s: float) -> None:
        """Cut the connection of every turn past its time limit; its user then ends it as failed."""
        limit_s = self.plan.turn_timeout_s
        for ticket in list(self.open.values()):
            reading = ticket.reading
            if now_s > (reading.sent_s if reading else ticket.intended_s) + limit_s:
                if reading:
                    reading.overdue = True
                ticket.page.abort()

    def close(self, now_s: float) -> None:
        """End whatever is under way or due as incomplete; nothing is taken any more afterwards."""
        for ticket in list(self.open.values()):
            if ticket.reading is None:
                if ticket.intended_s > now_s:
                    continue
                self.begun(ticket, ticket.intended_s)
            if ticket.reading is not None:
                self._close(ticket, ticket.reading, "incomplete", TurnError("unfinished", "cut by the trial's end"))
        self.recorder.write_notes()  # at once: those cut off may still go on reading
        self.open.clear()
        self.closed = True

    def _close(self, ticket: PendingTurn, reading: Reading, outcome: Outcome, failure: TurnError | None) -> None:
        self.open.pop(ticket.user, None)
        if reading.done_s is not None:
            self.changes.append((time.monotonic(), -1))
        if ticket.phase == "measure":
            self.measure_ended += 1
        kind, error = (failure.kind, failure.message) if failure else (None, None)
        self.recorder.note(ticket, reading, outcome, kind, error)

    def _phase_of(self, ticket: PendingTurn) -> Phase:
        return self.timeline.phase_of(ticket.intended_s) if self.timeline else "ramp_up"
