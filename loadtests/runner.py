"""A trial from its plan to its files: starts users, watches phases and time limits, writes the summary."""

import gc
import itertools
import resource
import threading
import time
from pathlib import Path

import gevent

from harness.records import GeneratorSummary, LoadPlan, PhaseTimes, StepTimes
from loadtests.distributed import Worker
from loadtests.page import Page
from loadtests.recording.recorder import Recorder
from loadtests.recording.tracker import TrialTracker
from loadtests.scenarios import arrive, chat, make_ready, stay_s, take_turn
from loadtests.schedule.arrivals import Pool
from loadtests.schedule.phases import Timeline, live_turn_seconds
from loadtests.users.choose import page_class, visitor
from loadtests.visits import Visits, visit_again_and_again

_TICK_S = 0.05
_OPENING_AT_ONCE = 20  # idle: sessions being opened at the same time
_SETTLE_S = 1.0  # idle: from the last answer of a step to its quiet window
_FAR_S = 1e7


def allow_open_files(count: int) -> None:
    """Raise the limit of open files to ``count``, or as far as this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class LoadRun:
    """One trial under way; ``user`` runs in a greenlet per virtual user, ``conduct`` in one of its own."""

    def __init__(self, plan: LoadPlan, locust_version: str, worker: Worker | None = None) -> None:
        self.plan = plan
        extra = plan.spike.users if plan.spike else 0
        self.users = max(plan.steps, default=0) if plan.scenario == "idle" else plan.users + extra
        self.arrived = 0
        self._worker = worker
        first, step = (worker.number, worker.count) if worker else (0, 1)
        self.own_users = len(range(first, self.users, step))
        self.finished = False
        self.completed = False  # ran to its end, or until the stop file asked for it
        self._locust_version = locust_version
        self._page_class = page_class(plan.protocol, plan.user_class)
        self._recorder = Recorder(Path(plan.output), f"-{worker.number}" if worker else "")
        self._tracker = TrialTracker(plan, self._recorder)
        self._timeline = Timeline(plan, 0.0)
        self._pool: Pool | None = None
        self._visits = Visits()
        self._numbers = itertools.count(first, step)
        self._let_in = [threading.Event() for _ in range(self.users)]
        self._steps: list[StepTimes] = []
        self._came_in = 0
        self._tried = 0
        self._pages: list[Page] = []  # idle: whose session was opened
        self._cpu_from_s: float | None = None
        self._cpu_to_s: float | None = None
        allow_open_files(2 * self.users + 1000)

    def user(self) -> None:
        """Play the next virtual user until the trial is over; one beyond the plan (Locust shares evenly) returns."""
        number = next(self._numbers)
        if number >= self.users:
            return
        self.arrived += 1
        page = self._page_class(visitor(self.plan, number))
        self._let_in[number].wait()
        if self.plan.scenario == "idle":
            make_ready(page)
            take_turn(self._tracker, number, 0, 0, time.monotonic(), page)
            self._tried += 1
            self._pages.append(page)
            page.idle(time.monotonic() + _FAR_S)
        elif self.plan.scenario == "visit":
            start_s, _ = stay_s(self.plan, number, self._timeline)
            visit_again_and_again(self._tracker, self._visits, number, self.users, self._open_page_of, start_s)
        elif self._pool:
            arrive(self._tracker, number, page, self._pool)
        else:
            chat(self._tracker, number, page, *stay_s(self.plan, number, self._timeline))

    def _open_page_of(self, number: int) -> Page:
        return self._page_class(visitor(self.plan, number))

    def conduct(self) -> None:
        """Run the whole trial and write its files."""
        gc.collect()
        gc.freeze()  # what exists now stays: a collection in the loop would delay every time stamp
        gc.set_threshold(100_000, 50, 100)
        start_s = self._start_s()
        if self.plan.scenario == "idle":
            stopped = self._conduct_idle()
        else:
            self._timeline = self._tracker.timeline = Timeline(self.plan, start_s)
            self._pool = Pool(self.plan, self._timeline) if self.plan.arrivals_per_s else None
            stopped = self._conduct_chat()
        self.completed = not self.finished
        self.finish(stopped_early=stopped)

    def finish(self, *, stopped_early: bool, note: str | None = None) -> None:
        """Write the trial's files; turns under way become incomplete. A second call does nothing."""
        if self.finished:
            return
        self.finished = True
        now_s = time.monotonic()
        if self._tracker.timeline and self._timeline.end_s is None:
            self._timeline.advance(now_s, ended=0, outstanding=0, stop=True)
            self._note_cpu()
        if self._pool:  # due while no user was free: they count as turns without an answer
            nobody = self._page_class(visitor(self.plan, 0))
            for n, (arrival, intended_s) in enumerate(self._pool.left(now_s)):
                self._tracker.planned(self.users + n, 0, 0, intended_s, nobody, arrival)
        self._tracker.close(now_s)
        self._recorder.write_turns()
        self._recorder.write_summary(self._summary(stopped_early, note))
        if self._worker:
            self._worker.written()

    def wait_for_others(self) -> None:
        """Wait until all processes of the trial may end."""
        if self._worker:
            self._worker.wait_for_master()

    def _start_s(self) -> float:
        """Return the start of the ramp-up: now, or the time that the master says."""
        if self._worker is None:
            return time.monotonic() + _TICK_S
        self._worker.here()
        while (start_s := self._worker.orders.start_s) is None and not self.finished:
            if self._worker.orphaned():
                self.finish(stopped_early=True, note="the master ended")
            time.sleep(_TICK_S)
        return start_s or time.monotonic()

    def _conduct_chat(self) -> bool:
        if self._pool is None:
            self._let_in_more(self.users)
        stopped = False
        over = False
        while not over and not self.finished:
            time.sleep(_TICK_S)
            now_s = time.monotonic()
            self._tracker.cut_overdue(now_s)
            self._recorder.write_old_notes(now_s)
            over, stopped = self._follow(self._worker, now_s) if self._worker else self._decide(now_s)
            if self._pool:
                self._let_in_more(self._pool.wanted(now_s))
            self._note_cpu()
        return stopped

    def _decide(self, now_s: float) -> tuple[bool, bool]:
        """Return whether the trial is over, and whether it was stopped."""
        stopped = Path(self.plan.stop_file).exists() or self._visits.refused is not None
        over = self._timeline.advance(
            now_s,
            ended=self._tracker.measure_ended,
            outstanding=self._outstanding(now_s),
            live=self._tracker.live(now_s),
            stop=stopped,
        )
        return over, stopped

    def _follow(self, worker: Worker, now_s: float) -> tuple[bool, bool]:
        """Return the same as the master, which decides for all workers, says."""
        orders, timeline = worker.orders, self._timeline
        timeline.measure_start_s, timeline.measure_end_s = orders.measure_start_s, orders.measure_end_s
        timeline.unsettled = orders.unsettled
        worker.counts(self._tracker.measure_ended, self._outstanding(now_s), self._tracker.live(now_s))
        over = orders.end_s is not None and now_s >= orders.end_s
        if over:
            timeline.end_s = orders.end_s
        if worker.orphaned():
            self.finish(stopped_early=True, note="the master ended")
        return over, orders.stopped

    def _outstanding(self, now_s: float) -> int:
        return self._tracker.outstanding() + (self._pool.outstanding(now_s) if self._pool else 0)

    def _let_in_more(self, count: int) -> None:
        for event in self._let_in[self._came_in : self._came_in + count]:
            event.set()
        self._came_in += count

    def _visit_and_leave(self, number: int) -> None:
        """Take one turn and leave: the cost of a server's first use must not count for the sessions after it."""
        page = self._page_class(visitor(self.plan, number))
        make_ready(page)
        take_turn(self._tracker, number, 0, 0, time.monotonic(), page)
        page.close()

    def _warm_up_sessions(self) -> None:
        """Let as many visitors come and go as the first step will open sessions, or a few more.

        After ten of them Django's first 50 sessions still cost 13 MB of warming up, as much as 800 sessions hold.
        """
        last_s = time.monotonic() + self.plan.turn_timeout_s
        visits = max(_OPENING_AT_ONCE, min((n for n in self.plan.steps if n), default=0))
        for first in range(self.users, self.users + visits, _OPENING_AT_ONCE):
            if time.monotonic() < last_s:
                gevent.joinall([gevent.spawn(self._visit_and_leave, first + n) for n in range(_OPENING_AT_ONCE)])

    def _conduct_idle(self) -> bool:
        self._warm_up_sessions()
        for sessions in self.plan.steps:
            last_s = time.monotonic() + self.plan.turn_timeout_s * (1 + sessions / _OPENING_AT_ONCE)
            while self._tried < sessions and time.monotonic() < last_s:
                for event in self._let_in[self._tried : min(sessions, self._tried + _OPENING_AT_ONCE)]:
                    event.set()
                if self._pause(_TICK_S):
                    return True
            if self._pause(_SETTLE_S):
                return True
            start_s = time.monotonic()
            if self._cpu_from_s is None:
                self._cpu_from_s = time.process_time()
            if self._pause(self.plan.hold_s):
                return True
            self._steps.append(
                StepTimes(sessions=sum(page.connected for page in self._pages), start_s=start_s, end_s=time.monotonic())
            )
            self._cpu_to_s = time.process_time()
        return False

    def _pause(self, pause_s: float) -> bool:
        """Return whether the trial is to stop, after waiting."""
        until_s = time.monotonic() + pause_s
        while not self.finished:
            now_s = time.monotonic()
            self._tracker.cut_overdue(now_s)
            self._recorder.write_old_notes(now_s)
            if Path(self.plan.stop_file).exists():
                return True
            left_s = until_s - now_s
            if left_s <= 0:
                return False
            time.sleep(min(left_s, _TICK_S))
        return True

    def _note_cpu(self) -> None:
        start_s, end_s = self._timeline.measure_start_s, self._timeline.measure_end_s
        if self._cpu_from_s is None and start_s is not None and time.monotonic() >= start_s:
            self._cpu_from_s = time.process_time()
        if self._cpu_to_s is None and ((end_s is not None and time.monotonic() >= end_s) or self.finished):
            self._cpu_to_s = time.process_time()

    def _summary(self, stopped_early: bool, note: str | None) -> GeneratorSummary:
        phases: dict[str, PhaseTimes] = {}
        live_s = cpu_s = 0.0
        if self._tracker.timeline:
            phases = self._timeline.times()
            if measure := phases.get("measure"):
                live_s = live_turn_seconds(self._tracker.changes, measure.start_s, measure.end_s)
        elif self._steps:  # idle: from the first quiet window to the last; no turn belongs to it
            phases = {"measure": PhaseTimes(start_s=self._steps[0].start_s, end_s=self._steps[-1].end_s)}
        if self._cpu_from_s is not None and self._cpu_to_s is not None:
            cpu_s = self._cpu_to_s - self._cpu_from_s
        return GeneratorSummary(
            users=self._pool.let_in if self._pool else self.own_users,
            phases=phases,
            steps=tuple(self._steps),
            turns_begun=self._tracker.measure_begun,
            turns_ended=self._tracker.measure_ended,
            turns_written=self._recorder.written,
            live_turn_seconds=live_s,
            cpu_s=cpu_s,
            stopped_early=stopped_early,
            recorder_errors=self._recorder.errors,
            sign_in_failures=self._tracker.sign_in_failures,
            locust_version=self._locust_version,
            note=note,
            not_offered=self._visits.refused,
            visits=self._visits.all(),
            arrivals=self._pool.account() if self._pool else None,
            spike=self._spike(),
            unsettled=self._timeline.unsettled,
        )

    def _spike(self) -> PhaseTimes | None:
        if self.plan.spike is None or self._timeline.measure_start_s is None:
            return None
        start_s = self._timeline.measure_start_s + self.plan.spike.after_s
        return PhaseTimes(start_s=start_s, end_s=start_s + self.plan.spike.hold_s)
