"""A trial's components as processes of this machine, under control groups where the kernel lets us."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import BenchError
from harness.host import (
    accounting,
    cgroups,
    cpus,
    launch,
    leftovers,
    limits,
    procfs,
    scratch,
    unprivileged,
    watchdog,
)
from harness.host.accounting import Account
from harness.host.cgroups import Budget, Hierarchy, Side
from harness.host.cpus import CpuSplit
from harness.host.meter import Meter
from harness.host.watchdog import Watchdog
from harness.records import AnswerPlan, Component, Limits, LoadPlan, ResourceSample
from harness.runtimes import inside
from harness.runtimes.local import generator, readiness, stack
from harness.runtimes.local.component import Launch
from harness.runtimes.local.stack import LocalPrepared
from harness.runtimes.protocol import MODEL_PATIENCE_S, Report, Stack
from harness.targets import Catalogue, Target

REPOSITORY = Path(__file__).resolve().parents[3]
POLITE_S = 3.0  # between asking to end and ending
REMOVE_S = 1.5
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@dataclass(slots=True, kw_only=True)
class _Running:
    component: Component
    process: "subprocess.Popen[bytes]"
    account: Account
    ready_after_s: float = 0.0
    asked_to_end: bool = False


class LocalRuntime:
    """Opens trials on this machine, each with a watchdog of its own."""

    def __init__(self, budget: Budget | None = None, hierarchy: Callable[[], Hierarchy | None] = cgroups.find) -> None:
        """Choose the CPUs; ``hierarchy`` finds the control groups.

        Raises:
            BenchError: this process may use fewer CPUs than the budget.
        """
        self._budget = budget or Budget()
        self._split = cpus.split(cpus.physical_cores(cpus.usable()), self._budget.cpus)
        self._hierarchy = hierarchy
        self._pods: list[LocalPod] = []

    def prepare(self, target: Target, catalogue: Catalogue, root: Path, seed: int, report: Report) -> LocalPrepared:
        """Make environments, front-end build and seeded data of a target; see ``harness.runtimes.protocol.Runtime``."""
        return stack.prepare(target, catalogue, root, seed, report)

    def open_trial(self, name: str, folder: Path) -> "LocalPod":
        """Make the groups of a trial with the budget on them."""
        folder.mkdir(parents=True, exist_ok=True)
        hierarchy = self._hierarchy()
        leftovers.sweep(hierarchy, scratch.base())
        pod = LocalPod(name, folder, self._split, self._budget, hierarchy)
        self._pods = [*(p for p in self._pods if not p.stopped), pod]
        return pod

    def close(self) -> None:
        """Stop every trial that is still open."""
        for pod in self._pods:
            pod.stop()


class LocalPod:
    """One trial's processes; see ``harness.runtimes.protocol.Pod``."""

    def __init__(self, name: str, folder: Path, split: CpuSplit, budget: Budget, hierarchy: Hierarchy | None) -> None:
        self._folder = folder
        self._split = split
        self._prepared: LocalPrepared | None = None
        self._census = procfs.Census()
        self._running: dict[str, _Running] = {}
        self._ports: set[int] = set()
        self._oom_kills = 0
        self._stopped = False
        self._own_cpus = _keep_to(split.others) if split.spare else None
        self._held = [scratch.make(name, scratch.base())]
        self._private = self._held[0].path
        self._guard = Watchdog()
        self._guard.watch("folder", self._private)
        # one process may hold two trials of a name; the number at the end tells whose leftovers groups are
        unique = self._private.name.removeprefix(scratch.PREFIX)
        self._groups = cgroups.make(hierarchy, f"{unique}-{os.getpid()}", split, budget)
        for tree in self._trees:
            self._guard.watch("cgroup", tree)
        self._limits = limits.read_back(hierarchy, self._groups, split, budget, scratch.notes(self._private, folder))
        self._meter = Meter(hierarchy, [self._guard.pid])
        self._oom_kills_before = procfs.counter("oom_kill", "vmstat") or 0

    def __enter__(self) -> "LocalPod":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def limits(self) -> Limits:
        """Return the limits as the kernel enforces them."""
        return self._limits

    @property
    def stopped(self) -> bool:
        """Tell whether the trial is over."""
        return self._stopped

    def scratch(self) -> Path:
        """Return a folder for the trial's data; it goes with the trial, even when the harness is killed."""
        return self._private

    def open_scratch(self) -> Path:
        """Return a folder that programs of another user can reach: another one only where TMPDIR is closed to them."""
        if Path(temporary := unprivileged.temporary_folder()) == self._private.parent:
            return self._private
        if len(self._held) == 1:
            self._held.append(scratch.make("open", Path(temporary)))
            self._guard.watch("folder", self._held[1].path)
        return self._held[1].path

    def launch(self, prepared: LocalPrepared, answer: AnswerPlan, messages_per_minute: int) -> Stack:
        """Start a whole stack; see ``harness.runtimes.protocol.Pod``."""
        self._prepared = prepared
        return stack.launch(self, prepared, answer, self._folder, messages_per_minute)

    def generate(self, plan: LoadPlan) -> None:
        """Write the plan and start the generator."""
        site = stack.site_packages(self._prepared.python) if self._prepared else None
        generator.start(self, plan, self._folder, site)

    def inside(self, purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
        """Run a module as a process of its own, on this process's CPUs; see ``harness.runtimes.protocol.Pod``."""
        with subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self._guard.watch("session", process.pid)
            try:
                printed, complained = process.communicate(timeout=inside.LIMIT_S)
            except subprocess.TimeoutExpired:
                self._end_session(process.pid)
                _, complained = process.communicate()
                raise inside.too_late(purpose, complained) from None
            finally:
                self._end_session(process.pid)
        return inside.printed_list(purpose, process.returncode, printed, complained)

    def _end_session(self, leader: int) -> None:
        """Kill what is left of a program and of those that it started."""
        watchdog.kill_everything((), (leader,), time.monotonic() + REMOVE_S)

    def free_port(self) -> int:
        """Return a port of 127.0.0.1 that nobody listens on and that was not handed out before."""
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in self._ports:
                self._ports.add(port)
                return port

    def start(self, wanted: Launch) -> Component:
        """Start a component and wait until it is ready; BenchError with the end of its log when it does not come up."""
        if wanted.name in self._running:
            raise BenchError(f"a component named {wanted.name} was started before", "give every component its own name")
        side: Side = "target" if wanted.role == "target" else "others"
        begun_s = time.monotonic()
        process = launch.start(
            wanted.command,
            cwd=wanted.cwd,
            env=launch.environment(wanted.env, self._private),
            log=wanted.log,
            groups=self._groups.add(side, wanted.name) if self._groups else (),
            cpus=self._split.target if side == "target" else self._split.others,
            noted=lambda pid: self._guard.watch("session", pid),
        )
        component = Component(name=wanted.name, role=wanted.role, version=wanted.version, endpoint=wanted.endpoint)
        running = _Running(
            component=component,
            process=process,
            account=accounting.open_account(self._groups, side, wanted.name, process.pid),
        )
        self._running[wanted.name] = running
        if wanted.ready_url is not None:
            try:
                readiness.wait(wanted, process, self._oom_kill_text)
            except BenchError:
                if process.poll() is not None:
                    del self._running[wanted.name]  # it is over and may be started again, at another port
                raise
        running.ready_after_s = time.monotonic() - begun_s
        return component

    def components(self) -> tuple[Component, ...]:
        """Return what was started, in that order."""
        return tuple(running.component for running in self._running.values())

    def ready_after_s(self, name: str) -> float:
        """Return how long a component took from its start until it was ready."""
        return self._running[name].ready_after_s

    def sample(self) -> list[ResourceSample]:
        """Return one reading of every component now; the machine's figures are the same in all of them."""
        running = tuple(self._running.values())  # another thread may be starting one
        found: Sequence[procfs.Process] = ()
        if any(one.account.needs_scan for one in running):
            found = self._census.look(one.process.pid for one in running)
        return self._meter.read([(one.component, one.account) for one in running], found)

    def exited(self) -> list[tuple[str, int]]:
        """Return components that ended without being asked to, with their return code (negative: signal)."""
        ended = [(name, r.process.poll()) for name, r in self._running.items() if not r.asked_to_end]
        return [(name, code) for name, code in ended if code is not None]

    def model_silent(self, stack: Stack) -> str:
        """Return why the model does not answer; empty where it does."""
        return readiness.answers(f"{stack.model_url}/health", timeout_s=MODEL_PATIENCE_S)

    def oom_kills(self) -> int:
        """Return how many processes of the target were killed for lack of memory.

        Where memory is not enforced, those of the whole machine: the kernel tells no more.
        """
        if self._stopped:
            return self._oom_kills
        accounts = [r.account for r in tuple(self._running.values()) if r.component.role == "target"]
        if self._groups and self._groups.memory:
            counts = [accounting.group_oom_kills(a.memory, a.version) for a in accounts if a.memory is not None]
            return sum(count or 0 for count in counts)
        return (procfs.counter("oom_kill", "vmstat") or 0) - self._oom_kills_before

    def memory_limit_reached(self) -> bool:
        """Tell whether the target reached its own memory limit; without a group of its own it has none."""
        if self._groups is None or self._groups.memory is None:
            return False
        return accounting.limit_reached(self._groups.memory / "target", self._groups.version)

    def wait(self, name: str, timeout_s: float) -> int | None:
        """Wait for a component to end; its return code, or None when it still runs."""
        try:
            return self._running[name].process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a component's processes."""
        running = self._running[name]
        running.asked_to_end |= number in ENDING
        with suppress(ProcessLookupError):
            os.killpg(running.process.pid, number)

    def stop(self) -> None:
        """Stop everything within five seconds and remove the groups; may be called again."""
        if self._stopped:
            return
        self._oom_kills = self.oom_kills()
        self.exited()  # whoever ended before is not asked to
        begun_s = time.monotonic()
        sessions = {running.process.pid for running in self._running.values()}
        for running in self._running.values():
            running.asked_to_end |= running.process.poll() is None
        for pid in {*watchdog.session_pids(sessions), *(p for tree in self._trees for p in watchdog.group_pids(tree))}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        while time.monotonic() < begun_s + POLITE_S and self._alive(sessions):
            time.sleep(0.02)
        ended = watchdog.kill_everything(self._trees, sessions, begun_s + POLITE_S + REMOVE_S)
        for running in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(0.1)
        left = [tree for tree in self._trees if not watchdog.remove_group(tree, begun_s + POLITE_S + REMOVE_S)]
        self._stopped = True
        for held in self._held:
            shutil.rmtree(held.path, ignore_errors=True)
            held.release()
        if self._own_cpus is not None:
            _keep_to(self._own_cpus)
        if left or not ended:
            raise BenchError(
                f"processes of the trial outlived SIGKILL (groups left: {', '.join(map(str, left)) or 'none'})",
                "see which are stuck in the kernel (state D in `ps`), then remove the groups with rmdir",
            )
        self._guard.close()

    @property
    def _trees(self) -> tuple[Path, ...]:
        return self._groups.trees if self._groups else ()

    def _alive(self, sessions: set[int]) -> bool:
        for running in self._running.values():
            running.process.poll()  # reaps, so that it no longer counts
        return any(watchdog.group_pids(tree) for tree in self._trees) or bool(watchdog.session_pids(sessions))

    def _oom_kill_text(self) -> str:
        if not (self._limits.memory_enforced and self.oom_kills()):
            return ""
        limit = "the memory limit" if self.memory_limit_reached() else "the kernel for lack of memory below its limit"
        return f", killed by {limit},"


def _keep_to(chosen: Sequence[int]) -> tuple[int, ...]:
    """Move all threads of this process to CPUs and return those it had before."""
    before = tuple(os.sched_getaffinity(0))
    for thread in os.listdir("/proc/self/task"):  # noqa: PTH208  # names only
        with suppress(ProcessLookupError):  # a thread may end meanwhile
            os.sched_setaffinity(int(thread), set(chosen))
    return before
