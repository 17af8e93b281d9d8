"""The resource usage of a component: from its control groups, or without any from /proc by its session."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.host import procfs
from harness.host.cgroups import Groups, Hierarchy, Side
from harness.host.procfs import Process

AT_LIMIT = 0.99  # of a limit: the kernel kills within some pages of it, and keeps the highest usage only nearly


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The memory of a component; the working set excludes file pages that the kernel could drop at once."""

    anon_bytes: int
    shared_bytes: int
    working_set_bytes: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One reading of a component; CPU and kills are cumulative since its start."""

    cpu_s: float
    memory: Memory | None
    oom_kills: int | None
    process_cpu_s: dict[str, float]
    throttled_s: float | None = None  # by quotas of the component's own group; None where another group counts them


@dataclass(slots=True, kw_only=True)
class Account:
    """The readings of one component; keeps the highest CPU reading, as ended processes leave /proc."""

    leader: int
    version: int = 0  # of the control groups; 0: none
    cpu: Path | None = None
    memory: Path | None = None
    throttle: tuple[Path, ...] = ()  # folders that count the quotas of this component's own groups
    highest_cpu_s: float = field(default=0.0)
    last: Usage | None = None

    @property
    def needs_scan(self) -> bool:
        """Return whether a reading needs the processes found in /proc."""
        return self.cpu is None or self.memory is None

    def read(self, processes_found: Sequence[Process]) -> Usage:
        """Return a reading; ``processes_found`` holds the component's and others, used where ``needs_scan``.

        A container's groups go with it: from then on its last reading stands, without processes.
        """
        try:
            self.last = self._read(processes_found)
        except FileNotFoundError:
            if self.last is None:
                raise
            self.last = replace(self.last, process_cpu_s={}, memory=None)
        return self.last

    def _read(self, processes_found: Sequence[Process]) -> Usage:
        if self.cpu is not None:
            found = [procfs.process(int(pid)) for pid in procfs.read(f"{self.cpu}/cgroup.procs").split()]
            processes = [p for p in found if p is not None]
            cpu_s = group_cpu_s(self.cpu, self.version)
        else:
            processes = procfs.members(processes_found, self.leader)
            cpu_s = sum(p.cpu_s + p.ended_children_cpu_s for p in processes)
        self.highest_cpu_s = max(self.highest_cpu_s, cpu_s)
        return Usage(
            cpu_s=self.highest_cpu_s,
            memory=group_memory(self.memory, self.version) if self.memory is not None else _resident(processes),
            oom_kills=group_oom_kills(self.memory, self.version) if self.memory is not None else None,
            process_cpu_s={str(p.pid): p.cpu_s for p in processes},
            throttled_s=throttled_s(self.throttle) if self.throttle else None,
        )


def open_account(groups: Groups | None, side: Side, component: str, leader: int) -> Account:
    """Return the account of a component whose groups were made."""
    if groups is None:
        return Account(leader=leader)
    cpu = groups.cpuacct / side / component if groups.cpuacct else None
    memory = groups.memory / side / component if groups.memory else None
    return Account(leader=leader, version=groups.version, cpu=cpu, memory=memory)


def group_cpu_s(folder: Path, version: int) -> float:
    """Return the CPU seconds of a group and those below it."""
    if version == 1:
        return int(procfs.read(f"{folder}/cpuacct.usage")) / 1e9
    return (procfs.field_of(procfs.read(f"{folder}/cpu.stat"), "usage_usec") or 0) / 1e6


def group_memory(folder: Path, version: int) -> Memory:
    """Return the memory of a component's group (one without groups below it)."""
    stat = procfs.read(f"{folder}/memory.stat")
    anon, usage, peak = (
        ("rss", "memory.usage_in_bytes", "memory.max_usage_in_bytes")
        if version == 1
        else ("anon", "memory.current", "memory.peak")
    )
    droppable = procfs.field_of(stat, "inactive_file") or 0
    return Memory(
        anon_bytes=procfs.field_of(stat, anon) or 0,
        shared_bytes=procfs.field_of(stat, "shmem") or 0,
        working_set_bytes=max(0, int(procfs.read(f"{folder}/{usage}")) - droppable),
        peak_bytes=_number(f"{folder}/{peak}"),
    )


def group_oom_kills(folder: Path, version: int) -> int | None:
    """Return the number of processes in a component's group killed for lack of memory; None where not counted."""
    file = "memory.oom_control" if version == 1 else "memory.events"
    return procfs.field_of(procfs.read(f"{folder}/{file}"), "oom_kill")


def limit_reached(folder: Path, version: int) -> bool:
    """Return whether a group reached its own memory limit, which no kill for the limit of a group above does.

    Version 2 counts that. Version 1 shows the highest usage, and with it also a limit reached by pages of files;
    its ``failcnt`` is no help: Linux 6.18 leaves it 0 when it kills.
    """
    if version == 2:
        return bool(procfs.field_of(procfs.read(f"{folder}/memory.events"), "oom"))
    for kind in ("", "memsw."):  # the latter, with swap, only where the kernel counts it
        peak, limit = (_number(f"{folder}/memory.{kind}{name}") for name in ("max_usage_in_bytes", "limit_in_bytes"))
        if peak is not None and limit is not None and peak >= AT_LIMIT * limit:
            return True
    return False


def throttle_files(hierarchy: Hierarchy | None) -> tuple[Path, ...]:
    """Return the files in which our own group and its ancestors count the time that CPU quotas took.

    A trial's own groups have a CPU set and no quota, so throttling can only come from outside.
    """
    folders = hierarchy.upwards("cpu") if hierarchy else []
    return tuple(file for folder in folders if (file := folder / "cpu.stat").is_file())


def throttled_s(files: Sequence[Path]) -> float:
    """Return the time that quotas held processes back so far, over all levels."""
    total = 0.0
    for file in files:
        stat = procfs.read(file)
        total += (procfs.field_of(stat, "throttled_usec") or 0) / 1e6  # version 2
        total += (procfs.field_of(stat, "throttled_time") or 0) / 1e9  # version 1
    return total


def _number(file: str) -> int | None:
    try:
        return int(procfs.read(file))
    except FileNotFoundError:  # memory.peak: since Linux 5.19; memory.memsw.*: where swap is counted
        return None


def _resident(processes: Sequence[Process]) -> Memory | None:
    found = [m for p in processes if (m := procfs.memory(p.pid)) is not None]
    if not found:
        return None
    # memory shared by several processes is in the figure of each: the largest is the best single estimate
    return Memory(anon_bytes=sum(m.anon_bytes for m in found), shared_bytes=max(m.shared_bytes for m in found))
