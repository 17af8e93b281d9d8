"""Which turns count as under way: those that are due, whether or not their user could send."""

from typing import cast

from loadtests.recording.recorder import Recorder
from loadtests.recording.tracker import TrialTracker
from tests.unit.loadtests.recording.test_pending_turn import PAGE
from tests.unit.loadtests.schedule.test_arrivals import PLAN


class NoRecorder:
    """Keeps nothing."""

    def note(self, *_: object) -> None: ...


def test_a_turn_is_under_way_from_its_intended_send_on_though_its_page_is_not_ready() -> None:
    tracker = TrialTracker(PLAN, cast("Recorder", NoRecorder()))
    waiting, sending = (tracker.planned(user, 0, 0, 10.0 + user, PAGE) for user in (0, 1))
    assert [tracker.live(at_s) for at_s in (9.9, 10.0, 11.0)] == [0, 1, 2]
    tracker.begun(sending, 11.0)
    assert tracker.live(12.0) == 2
    tracker.ended(sending, None)
    assert tracker.live(12.0) == 1
    tracker.begun(waiting, 10.0)
    assert tracker.live(12.0) == 1
    tracker.ended(waiting, None)
    assert tracker.live(12.0) == 0
