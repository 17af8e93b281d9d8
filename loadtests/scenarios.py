"""The scenarios of one virtual user: conversations with think time, turns as they arrive, or one turn and silence."""

import time
from math import inf

from harness.records import LoadPlan
from loadtests.page import Page, sleep_until
from loadtests.reading import SignInError, TurnError, failure_of
from loadtests.recording.tracker import TurnTracker
from loadtests.schedule.arrivals import Pool
from loadtests.schedule.draws import first_conversation_turns, message, think_s
from loadtests.schedule.phases import Timeline


def chat(tracker: TurnTracker, user: int, page: Page, start_s: float, until_s: float = inf) -> None:
    """Hold conversations until the greenlet is killed or no message is due before ``until_s``.

    The first begins at a random position; its message is intended one think time after ``start_s``, every other one
    think time after the end of the answer before it.
    """
    plan = tracker.plan
    sleep_until(start_s)
    turns = first_conversation_turns(plan.seed, user, plan.turns_per_conversation)
    conversation, previous_done_s = 0, start_s
    while True:
        page.in_conversation = False
        for turn in range(turns):
            pause_s = think_s(plan.think_s, plan.seed, user, conversation, turn, plan.repetition)
            if previous_done_s + pause_s >= until_s:
                page.close()
                return
            previous_done_s = take_turn(tracker, user, conversation, turn, previous_done_s + pause_s, page)
        conversation += 1
        turns = plan.turns_per_conversation


def arrive(tracker: TurnTracker, user: int, page: Page, pool: Pool) -> None:
    """Take one arrival after another until the greenlet is killed, in conversations of the plan's length.

    The page is made ready before an arrival is taken: no arrival waits for a page while another user is ready.
    """
    plan = tracker.plan
    turns, conversation = first_conversation_turns(plan.seed, user, plan.turns_per_conversation), 0
    while True:
        page.in_conversation = False
        for turn in range(turns):
            make_ready(page)
            arrival, intended_s = pool.take(user, time.monotonic())
            take_turn(tracker, user, conversation, turn, intended_s, page, arrival)
        conversation += 1
        turns = plan.turns_per_conversation


def take_turn(
    tracker: TurnTracker,
    user: int,
    conversation: int,
    turn: int,
    intended_s: float,
    page: Page,
    arrival: int | None = None,
) -> float:
    """Return the time at which an answer was over, after sending its message at ``intended_s``.

    During the think time the page is made ready (connected again, a new conversation opened). If it is not ready in
    time, the user waits from ``intended_s`` on. The message counts as sent then, so a slow page cannot hide.
    """
    pending = tracker.planned(user, conversation, turn, intended_s, page, arrival)
    text = message(tracker.plan.message_chars, pending.tag)
    make_ready(page)
    waited = time.monotonic() >= intended_s or page.idle(intended_s)
    sent_s = intended_s if waited else time.monotonic()
    trace = tracker.begun(pending, sent_s)
    failure: TurnError | None = None
    try:
        page.prepare()
        page.ask(text, pending.nonce, trace)
    except Exception as problem:  # noqa: BLE001  # a third party's user class may raise anything; the turn records it
        failure = failure_of(problem)
    if isinstance(failure, SignInError):
        tracker.sign_in_failed()
    if failure:
        page.close()
    tracker.ended(pending, failure)
    return trace.done_s if trace.done_s is not None else time.monotonic()


def make_ready(page: Page) -> None:
    """Make the page ready for a message if it can be."""
    try:
        page.prepare()
    except Exception:  # noqa: BLE001  # the turn tries again and records that failure
        page.close()


def stay_s(plan: LoadPlan, user: int, timeline: Timeline) -> tuple[float, float]:
    """Return the times at which a user opens the page and stops sending.

    Users come evenly over the ramp-up, or over a climb, and stay. Users of a spike come within its first second and
    leave at its end.
    """
    if plan.spike is None or user < plan.users:
        return timeline.start_s + (plan.climb_s or plan.ramp_up_s) * user / max(1, plan.users), inf
    begin_s = timeline.ramp_up_end_s + plan.warm_up_s + plan.spike.after_s
    return begin_s + (user - plan.users) / plan.spike.users, begin_s + plan.spike.hold_s
