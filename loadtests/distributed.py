"""Several generator processes in step: Locust's master decides the phases, its workers run the virtual users.

All processes of a machine share one monotonic clock, so a phase is a pair of times. The end of *measure* depends on the
turns of all workers, which only the master knows. Its timeline runs half a second ahead of the clock. So every worker
knows a decision before its time comes, and labels its turns alone.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.records import LoadPlan, Unsettled, to_json
from loadtests.schedule.phases import Timeline

AHEAD_S = 0.5
_TICK_S = 0.05
_OPENING_LIMIT_S = 60.0  # from the first worker's first user to the last one's
_WRITING_LIMIT_S = 120.0
_HERE, _COUNTS, _WRITTEN, _PHASES = "chatbench_here", "chatbench_counts", "chatbench_written", "chatbench_phases"


class Post(Protocol):
    """The methods of Locust's runners that pass messages."""

    def register_message(self, msg_type: str, listener: Any) -> None:
        """Call ``listener`` for messages of a type."""

    def send_message(self, msg_type: str, data: Any = None) -> None:
        """Send one: a worker to the master, the master to all workers."""


@dataclass(slots=True)
class Orders:
    """The master's decisions so far."""

    start_s: float | None = None
    measure_start_s: float | None = None
    measure_end_s: float | None = None
    unsettled: Unsettled | None = None
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
        """Tell the master that all users of this worker exist."""
        self._say(_HERE, pid=os.getpid())

    def counts(self, ended: int, outstanding: int, live: int) -> None:
        """Tell the master how many turns of *measure* have ended, how many have not, and how many are under way."""
        self._say(_COUNTS, at_s=time.monotonic(), ended=ended, outstanding=outstanding, live=live)

    def written(self) -> None:
        """Tell the master that this worker's files are complete."""
        self._say(_WRITTEN)

    def wait_for_master(self) -> None:
        """Wait until Locust's own message ends this process: the master takes an earlier end for a crash."""
        while not self.orphaned():
            time.sleep(_TICK_S)

    def orphaned(self) -> bool:
        """Return whether the master has ended, so that no order will come."""
        return os.getppid() != self._master

    def _say(self, kind: str, **data: Any) -> None:
        self._runner.send_message(kind, {"worker": self.number} | data)

    def _hear(self, data: dict[str, Any]) -> None:
        unsettled = data.pop("unsettled")
        self.orders = Orders(**data, unsettled=None if unsettled is None else Unsettled(**unsettled))


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
        """Return whether all workers have their users, waiting for them."""
        last_s = time.monotonic() + _OPENING_LIMIT_S
        while len(self._pids) < self._plan.workers:
            if time.monotonic() > last_s or self._dead():
                return False
            time.sleep(_TICK_S)
        return True

    def conduct(self) -> bool:
        """Return whether all workers wrote their files, after telling them when phases begin and end."""
        timeline = Timeline(self._plan, time.monotonic() + AHEAD_S)
        self.tell(timeline, stopped=False)
        told: tuple[float | None, float | None] = (timeline.measure_start_s, None)
        stopped = over = False
        while not over:
            time.sleep(_TICK_S)
            lost = bool(self._dead() or self._written)  # a worker that has written already was interrupted
            stopped = self._interrupted or lost or Path(self._plan.stop_file).exists()
            over = timeline.advance(
                time.monotonic() + AHEAD_S,
                ended=sum(one["ended"] for one in self._counts.values()),
                outstanding=self._outstanding(timeline),
                live=sum(one["live"] for one in self._counts.values()),
                stop=stopped,
            )
            if (timeline.measure_start_s, timeline.measure_end_s) != told:
                told = (timeline.measure_start_s, timeline.measure_end_s)
                self.tell(timeline, stopped=stopped)
        self.tell(timeline, stopped=stopped)
        last_s = time.monotonic() + _WRITING_LIMIT_S
        while len(self._written) + len(self._dead()) < self._plan.workers and time.monotonic() < last_s:
            time.sleep(_TICK_S)
        return len(self._written) == self._plan.workers and not self._interrupted

    def interrupt(self) -> None:
        """End the trial as soon as the workers can."""
        self._interrupted = True

    def tell(self, timeline: Timeline, *, stopped: bool) -> None:
        """Tell the workers what is decided so far."""
        orders = {name: getattr(timeline, name) for name in ("start_s", "measure_start_s", "measure_end_s", "end_s")}
        unsettled = to_json(timeline.unsettled) if timeline.unsettled else None
        self._runner.send_message(_PHASES, orders | {"unsettled": unsettled, "stopped": stopped})

    def _outstanding(self, timeline: Timeline) -> int:
        """Return the turns of *measure* that have not ended; a count from before its end does not cover later ones."""
        end_s = timeline.measure_end_s
        if end_s is None or len(self._counts) < self._plan.workers:
            return 1
        return sum(one["outstanding"] if one["at_s"] > end_s else 1 for one in self._counts.values())

    def _dead(self) -> list[int]:
        """Return the workers that ended before their files were complete."""
        return [k for k, pid in self._pids.items() if k not in self._written and _ended(pid)]


def _ended(child: int) -> bool:
    """Return whether a child process has ended, without reaping it: Locust does that."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
