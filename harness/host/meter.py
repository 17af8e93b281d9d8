"""The readings of a trial: the usage of each component, and of the whole machine.

*Foreign* CPU time is that of all processes of the machine less that of the trial's own. Both sides have to count alike,
or the difference is not 0 where nothing else runs: see :func:`_programs_s`.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.host import accounting, procfs
from harness.host.accounting import Account, Usage
from harness.host.cgroups import Hierarchy, whole_machine
from harness.host.procfs import Process
from harness.records import Component, ResourceSample


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    """The readings at the trial's start, from which its counters run."""

    programs_s: float
    harness_cpu_s: float
    throttled_s: float


class Meter:
    """The readings of accounts since the meter was made; the CPU time of ``helpers`` is the harness's."""

    def __init__(self, hierarchy: Hierarchy | None, helpers: Sequence[int]) -> None:
        self._throttle_files = accounting.throttle_files(hierarchy)
        self._helpers = tuple(helpers)
        self._everything = whole_machine()
        self._begin = _Baseline(
            programs_s=self._programs_s(procfs.host_times()),
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
        programs_s = self._programs_s(host) - begin.programs_s
        own_s = sum(usage.cpu_s for _, usage in usages) + self._harness_cpu_s() - begin.harness_cpu_s
        throttled_s = accounting.throttled_s(self._throttle_files) - begin.throttled_s
        return [_record(now_s, c, u, host, programs_s - own_s, throttled_s) for c, u in usages]

    def _programs_s(self, host: procfs.HostTimes) -> float:
        """Return the CPU seconds of all processes, counted as those of a group or a process are.

        The root of the groups' own hierarchy counts exactly so. Elsewhere it is busy time without the interrupts that
        no process is charged for; what interrupts an idle CPU remains in it, up to 1 % of the CPUs under load.
        """
        if self._everything is not None:
            return accounting.group_cpu_s(self._everything, 1)
        return host.busy_s - host.interrupt_s

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
