"""Several generator processes in step: Locust's master decides the phases, its workers simulate the people.

One monotonic clock serves all processes of a machine, so a phase is a pair of times. Where *measure* ends depends on
the turns of all workers together, which only the master knows. Its timeline runs half a second ahead of the clock: what
it decides is known to every worker before it comes, and each labels its turns alone.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.records import LoadPlan
from loadtests.schedule.phases import Timeline

AHEAD_S = 0.5
_TICK_S = 0.05
_OPENING_LIMIT_S = 60.0  # from the first worker's first user to the last one's
_WRITING_LIMIT_S = 120.0
_HERE, _COUNTS, _WRITTEN, _PHASES = "chatbench_here", "chatbench_counts", "chatbench_written", "chatbench_phases"


class Post(Protocol):
    """As much of Locust's runners as passes messages."""

    def register_message(self, msg_type: str, listener: Any) -> None:
        """Call ``listener`` for messages of a type."""

    def send_message(self, msg_type: str, data: Any = None) -> None:
        """Send one: a worker to the master, the master to all workers."""


@dataclass(slots=True)
class Orders:
    """What the master decided so far."""

    start_s: float | None = None
    measure_end_s: float | None = None
    end_s: float | None = None
    stopped: bool = False


class Worker:
    """A worker's side: user u belongs to worker u mod ``count``."""

    def __init__(self, runner: Post, number: int, count: int) -> None:
        self.number = number
        self.count = count
        self.orders = Orders()
        self._runner = runner
        self._master = os.getppid()
        runner.register_message(_PHASES, lambda msg, **_: self._hear(msg.data))

    def here(self) -> None:
        """Say that all users of this worker are there."""
        self._say(_HERE, pid=os.getpid())

    def counts(self, ended: int, outstanding: int) -> None:
        """Say how many turns of *measure* have ended, and how many have not."""
        self._say(_COUNTS, at_s=time.monotonic(), ended=ended, outstanding=outstanding)

    def written(self) -> None:
        """Say that this worker's files are complete."""
        self._say(_WRITTEN)

    def wait_for_master(self) -> None:
        """Stay until Locust's own message ends this process: one that is gone could not be told from one that died."""
        while not self.orphaned():
            time.sleep(_TICK_S)

    def orphaned(self) -> bool:
        """Tell whether the master is gone: nobody will say when to end."""
        return os.getppid() != self._master

    def _say(self, kind: str, **data: Any) -> None:
        self._runner.send_message(kind, {"worker": self.number} | data)

    def _hear(self, data: dict[str, Any]) -> None:
        self.orders = Orders(**data)


class Master:
    """The master's side; ``conduct`` runs a trial to its end."""

    def __init__(self, runner: Post, plan: LoadPlan) -> None:
        self._runner = runner
        self._plan = plan
        self._pids: dict[int, int] = {}  # by worker
        self._counts: dict[int, dict[str, Any]] = {}
        self._written: set[int] = set()
        self._interrupted = False
        runner.register_message(_HERE, lambda msg, **_: self._pids.update({msg.data["worker"]: msg.data["pid"]}))
        runner.register_message(_COUNTS, lambda msg, **_: self._counts.update({msg.data["worker"]: msg.data}))
        runner.register_message(_WRITTEN, lambda msg, **_: self._written.add(msg.data["worker"]))

    def gather(self) -> bool:
        """Wait until all workers have their users; False where one does not come."""
        last_s = time.monotonic() + _OPENING_LIMIT_S
        while len(self._pids) < self._plan.workers:
            if time.monotonic() > last_s or self._dead():
                return False
            time.sleep(_TICK_S)
        return True

    def conduct(self) -> bool:
        """Tell the workers when phases begin and end; True once all have written their files."""
        timeline = Timeline(self._plan, time.monotonic() + AHEAD_S)
        self._tell(timeline, stopped=False)
        told: float | None = None
        stopped = over = False
        while not over:
            time.sleep(_TICK_S)
            lost = bool(self._dead() or self._written)  # who has written already was interrupted
            stopped = self._interrupted or lost or Path(self._plan.stop_file).exists()
            over = timeline.advance(
                time.monotonic() + AHEAD_S,
                ended=sum(one["ended"] for one in self._counts.values()),
                outstanding=self._outstanding(timeline),
                stop=stopped,
            )
            if timeline.measure_end_s != told:
                told = timeline.measure_end_s
                self._tell(timeline, stopped=stopped)
        self._tell(timeline, stopped=stopped)
        last_s = time.monotonic() + _WRITING_LIMIT_S
        while len(self._written) + len(self._dead()) < self._plan.workers and time.monotonic() < last_s:
            time.sleep(_TICK_S)
        return len(self._written) == self._plan.workers and not self._interrupted

    def interrupt(self) -> None:
        """End the trial as soon as the workers can."""
        self._interrupted = True

    def _tell(self, timeline: Timeline, *, stopped: bool) -> None:
        orders = {"start_s": timeline.start_s, "measure_end_s": timeline.measure_end_s, "end_s": timeline.end_s}
        self._runner.send_message(_PHASES, orders | {"stopped": stopped})

    def _outstanding(self, timeline: Timeline) -> int:
        """Turns of *measure* that have not ended; a count from before its end says nothing of those still to begin."""
        end_s = timeline.measure_end_s
        if end_s is None or len(self._counts) < self._plan.workers:
            return 1
        return sum(one["outstanding"] if one["at_s"] > end_s else 1 for one in self._counts.values())

    def _dead(self) -> list[int]:
        """Return the workers that ended before their files were complete."""
        return [k for k, pid in self._pids.items() if k not in self._written and _ended(pid)]


def _ended(child: int) -> bool:
    """Tell whether a child process has ended, without reaping it: Locust does that."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
