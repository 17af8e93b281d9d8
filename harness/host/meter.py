"""The readings of a trial: the usage of each component, and of the whole machine."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.host import accounting, procfs
from harness.host.accounting import Account, Usage
from harness.host.cgroups import Hierarchy
from harness.host.procfs import Process
from harness.records import Component, ResourceSample


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    """The readings at the trial's start, from which its counters run."""

    host: procfs.HostTimes
    harness_cpu_s: float
    throttled_s: float


class Meter:
    """The readings of accounts since the meter was made; the CPU time of ``helpers`` is the harness's."""

    def __init__(self, hierarchy: Hierarchy | None, helpers: Sequence[int]) -> None:
        self._throttle_files = accounting.throttle_files(hierarchy)
        self._helpers = tuple(helpers)
        self._begin = _Baseline(
            host=procfs.host_times(),
            harness_cpu_s=self._harness_cpu_s(),
            throttled_s=accounting.throttled_s(self._throttle_files),
        )

    def read(
        self, accounts: Iterable[tuple[Component, Account]], found: Sequence[Process] = ()
    ) -> list[ResourceSample]:
        """Return one reading of every account; the machine's figures are the same in all of them.

        ``found`` holds the processes of components without control groups of their own.
        """
        now_s = time.monotonic()
        usages = [(component, account.read(found)) for component, account in accounts]
        host, begin = procfs.host_times(), self._begin
        # without interrupts: the trial's own network traffic causes them, and the kernel books them on no process
        programs_s = (host.busy_s - host.interrupt_s) - (begin.host.busy_s - begin.host.interrupt_s)
        own_s = sum(usage.cpu_s for _, usage in usages) + self._harness_cpu_s() - begin.harness_cpu_s
        throttled_s = accounting.throttled_s(self._throttle_files) - begin.throttled_s
        return [_record(now_s, c, u, host, programs_s - own_s, throttled_s) for c, u in usages]

    def _harness_cpu_s(self) -> float:
        helpers = [helper.cpu_s for pid in self._helpers if (helper := procfs.process(pid)) is not None]
        return time.process_time() + sum(helpers)


def _record(
    now_s: float, component: Component, usage: Usage, host: procfs.HostTimes, foreign_s: float, throttled_s: float
) -> ResourceSample:
    memory = usage.memory
    return ResourceSample(
        t_s=now_s,
        component=component.name,
        role=component.role,
        cpu_s=usage.cpu_s,
        throttled_s=throttled_s + (usage.throttled_s or 0.0),
        anon_bytes=memory.anon_bytes if memory else None,
        shared_bytes=memory.shared_bytes if memory else None,
        working_set_bytes=memory.working_set_bytes if memory else None,
        peak_bytes=memory.peak_bytes if memory else None,
        oom_kills=usage.oom_kills,
        processes=len(usage.process_cpu_s),
        process_cpu_s=usage.process_cpu_s,
        host_busy_s=host.busy_s,
        host_idle_s=host.idle_s,
        host_steal_s=host.steal_s,
        foreign_cpu_s=foreign_s,
    )
