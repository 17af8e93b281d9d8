"""A trial's containers and how each fared: read from the kernel, the engine is asked only at the end."""

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container

from harness.host import accounting
from harness.host.accounting import Account
from harness.host.cgroups import Hierarchy
from harness.host.meter import Meter
from harness.records import Component, ResourceSample
from harness.runtimes.docker import engine

POLL_S = 0.05
END_KNOWN_S = 10
KILLED = 137  # how the engine writes the end by SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One container and its first process."""

    component: Component
    container: Container
    pid: int
    mark: str  # tells the process from a later one of its number
    hierarchy: Hierarchy
    account: Account

    @property
    def alive(self) -> bool:
        """Tell by /proc alone: asking the engine four times a second would be foreign CPU time."""
        try:
            return engine.harness_mark(self.pid) == self.mark
        except (FileNotFoundError, ProcessLookupError):
            return False


class ContainerSet:
    """The containers that run, those that ended by themselves, and their use of resources."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}
        self._ended: dict[str, tuple[int, bool]] = {}  # service -> exit code, killed for lack of memory
        self._asked_to_end: frozenset[str] = frozenset()

    def __getitem__(self, service: str) -> Running:
        return self._running[service]

    def __iter__(self) -> Iterator[Running]:
        return iter(tuple(self._running.values()))  # another thread may be adding one

    def add(self, component: Component, container: Container, pid: int, hierarchy: Hierarchy) -> None:
        """Take a container that was just started into the books."""
        counters = (group / "cpu.stat" for group in hierarchy.upwards("cpu"))
        account = Account(
            leader=pid,
            version=hierarchy.version,
            cpu=hierarchy.own["cpuacct"],
            memory=hierarchy.own["memory"],
            throttle=tuple(file for file in counters if file.is_file()),
        )
        self._running[component.name] = Running(
            component=component,
            container=container,
            pid=pid,
            mark=engine.harness_mark(pid),
            hierarchy=hierarchy,
            account=account,
        )

    def sample(self, meter: Meter) -> list[ResourceSample]:
        """Return one reading of every container now."""
        return meter.read([(one.component, one.account) for one in self])

    def exited(self) -> list[tuple[str, int]]:
        """Return containers that ended without being asked to, with their return code."""
        for one in self:
            name = one.component.name
            if name not in self._ended and name not in self._asked_to_end and not one.alive:
                self._ended[name] = _end_of(one)
        return [(name, code) for name, (code, _) in self._ended.items()]

    def all_asked_to_end(self) -> None:
        """Note that a container that ends from now on was asked to."""
        self._asked_to_end = frozenset(self._running) - frozenset(self._ended)

    def oom_kills(self) -> int:
        """Return how many of the target's processes were killed for lack of memory so far."""
        self.exited()
        total = 0
        for one in self:
            if one.component.role != "target":
                continue
            code, killed = self._ended.get(one.component.name, (0, False))
            try:
                total += accounting.group_oom_kills(one.hierarchy.own["memory"], one.hierarchy.version) or 0
            except FileNotFoundError:
                # Its group went with it: then the engine's word counts, where it ended by SIGKILL.
                total += int(killed and code in (KILLED, -signal.SIGKILL))
        return total

    def memory_limit_reached(self) -> bool | None:
        """Tell whether a container of the target reached its own memory limit; None where one took its group along."""
        told: list[bool | None] = []
        for one in self:
            if one.component.role == "target":
                try:
                    told.append(accounting.limit_reached(one.hierarchy.own["memory"], one.hierarchy.version))
                except FileNotFoundError:
                    told.append(None)
        return True if True in told else None if None in told else False

    def wait(self, service: str, timeout_s: float) -> int | None:
        """Wait for a container to end; its return code, or None when it still runs."""
        one, deadline_s = self._running[service], time.monotonic() + timeout_s
        while one.alive:
            if time.monotonic() >= deadline_s:
                return None
            time.sleep(min(POLL_S, timeout_s))
        self.exited()
        return self._ended[service][0]

    def evidence(self) -> dict[str, Any]:
        """Return what the engine says of every container."""
        seen: dict[str, Any] = {}
        for one in self:
            with engine.reached(f"inspecting {one.component.name}"), suppress(NotFound):
                one.container.reload()
            attrs = one.container.attrs
            seen[one.component.name] = {
                "image": one.component.image,
                "image_name": attrs["Config"]["Image"],
                "exit_code": attrs["State"]["ExitCode"],
                "running": attrs["State"]["Running"],
                "oom_killed": attrs["State"]["OOMKilled"],
                "restarts": attrs["RestartCount"],
                "user": attrs["Config"]["User"],
                "read_only": attrs["HostConfig"]["ReadonlyRootfs"],
                "cap_drop": attrs["HostConfig"]["CapDrop"],
                "network": attrs["HostConfig"]["NetworkMode"].split(":")[0],
                "cgroup_parent": attrs["HostConfig"]["CgroupParent"],
            }
        return seen


def _end_of(one: Running) -> tuple[int, bool]:
    with engine.reached(f"asking how {one.component.name} ended"):
        try:
            one.container.wait(timeout=END_KNOWN_S)  # the engine learns of it a little after the kernel
            one.container.reload()
        except NotFound:
            return -signal.SIGKILL, False  # somebody removed it
    state = one.container.attrs["State"]
    return int(state["ExitCode"]), bool(state["OOMKilled"])
