"""A whole visit: page and files over a fresh connection, sign-in with password, two turns, leave."""

import time
from collections.abc import Callable
from dataclasses import replace

from harness.records import Visit
from harness.records.recipe import PASSWORD
from loadtests.page import NotOfferedError, Page, sleep_until
from loadtests.reading import TurnError, failure_of
from loadtests.recording.tracker import TurnTracker
from loadtests.scenarios import take_turn
from loadtests.schedule.draws import think_s

TURNS = 2


class Visits:
    """The visits of all users in the order of their start; ``refused``: the reason why there are none."""

    def __init__(self) -> None:
        self._known: dict[int, Visit] = {}
        self.refused: str | None = None

    def note(self, number: int, visit: Visit) -> None:
        """Keep the record of a visit so far."""
        self._known[number] = visit

    def all(self) -> tuple[Visit, ...]:
        """Return the visits as they are now; one under way has no end."""
        return tuple(self._known.values())


def visit_again_and_again(
    tracker: TurnTracker, visits: Visits, user: int, users: int, make_page: Callable[[int], Page], start_s: float
) -> None:
    """Visit and think until the greenlet is killed, each time as another virtual user.

    Args:
        tracker: Counts the turns.
        visits: Keeps the visits.
        user: 0-based, of ``users``.
        users: How many visit at the same time.
        make_page: Returns the closed page of a user by number.
        start_s: When the first visit begins.
    """
    plan = tracker.plan
    sleep_until(start_s)
    count = 0
    while visits.refused is None:
        number = user + count * users
        _visit(tracker, visits, user, number, make_page(number))
        sleep_until(time.monotonic() + think_s(plan.think_s, plan.seed, user, number, TURNS))
        count += 1


def _visit(tracker: TurnTracker, visits: Visits, user: int, number: int, page: Page) -> None:
    plan = tracker.plan
    known = Visit(user=user, start_s=time.monotonic())
    visits.note(number, known)
    try:
        load = page.open_page()
        known = replace(known, page_s=time.monotonic(), page_requests=load.requests, page_bytes=load.body_bytes)
        page.sign_in(PASSWORD)
        page.connected = True
        known = replace(known, signed_in_s=time.monotonic())
        visits.note(number, known)
    except NotOfferedError as missing:
        visits.refused = str(missing)
        return
    except (TurnError, OSError) as problem:
        page.close()
        visits.note(number, replace(known, end_s=time.monotonic(), error=failure_of(problem).message))
        return
    for turn in range(TURNS):
        pause_s = think_s(plan.think_s, plan.seed, user, number, turn)
        take_turn(tracker, user, number, turn, time.monotonic() + pause_s, page)
        if not page.connected:  # a turn that fails closes the page
            visits.note(number, replace(known, end_s=time.monotonic(), error="a turn failed"))
            return
    page.close()
    visits.note(number, replace(known, end_s=time.monotonic()))
