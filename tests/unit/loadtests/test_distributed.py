"""What the master tells its workers reaches them as it was meant."""

from types import SimpleNamespace
from typing import Any

from harness.records import Unsettled
from loadtests.distributed import Master, Worker
from loadtests.schedule.phases import Timeline
from tests.unit.loadtests.schedule.test_phases import plan


class Wire:
    """Two runners that hand each other their messages as plain data, as Locust does."""

    def __init__(self) -> None:
        self.listeners: dict[str, Any] = {}

    def register_message(self, msg_type: str, listener: Any) -> None:
        self.listeners[msg_type] = listener

    def send_message(self, msg_type: str, data: Any = None) -> None:
        self.listeners[msg_type](msg=SimpleNamespace(data=dict(data)))


def test_a_worker_hears_when_measuring_begins_and_that_it_never_will() -> None:
    wire = Wire()
    master, worker = Master(wire, plan()), Worker(wire, 0, 1)
    timeline = Timeline(plan(settle_s=20.0), 100.0)
    master.tell(timeline, stopped=False)
    assert (worker.orders.start_s, worker.orders.measure_start_s) == (100.0, None)
    timeline.measure_start_s = 117.0
    master.tell(timeline, stopped=False)
    assert worker.orders.measure_start_s == 117.0
    timeline.unsettled = Unsettled(after_s=25.0, earlier_live=10.0, later_live=20.0)
    timeline.end_s = 135.0
    master.tell(timeline, stopped=False)
    assert (worker.orders.unsettled, worker.orders.end_s) == (timeline.unsettled, 135.0)
