"""One timer for all answers."""

import asyncio
import math
import time
from heapq import heappop, heappush
from typing import Protocol


class Task(Protocol):
    """Something to run when its time has come."""

    def run(self) -> None: ...


class Scheduler:
    """Runs tasks at whole milliseconds of ``time.monotonic()``, never early; those of one millisecond share a wake-up.

    Waking up is what costs: an idle process is put to sleep and woken again for about the price of three writes to a
    socket. libuv's timers are no finer than a millisecond.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: dict[int, list[Task]] = {}
        self._ticks: list[int] = []  # a heap of the keys of _tasks
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    def at(self, tick_ms: int, task: Task) -> None:
        """Run the task once the clock shows ``tick_ms``, in a later call even if that is past."""
        tasks = self._tasks.get(tick_ms)
        if tasks is not None:
            tasks.append(task)
            return
        self._tasks[tick_ms] = [task]
        heappush(self._ticks, tick_ms)
        if tick_ms == self._ticks[0] and not self._running:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # libuv fires when its millisecond clock, rounded down, shows start + delay: count in its whole milliseconds.
        delay_ms = self._ticks[0] - math.floor(time.monotonic() * 1000)
        self._timer = self._loop.call_later(max(delay_ms, 0) / 1000, self._wake)

    def _wake(self) -> None:
        self._timer, self._running = None, True
        now_ms = time.monotonic() * 1000
        try:
            while self._ticks and self._ticks[0] <= now_ms:
                for task in self._tasks.pop(heappop(self._ticks)):
                    task.run()
        finally:
            self._running = False
            if self._ticks:
                self._arm()
