"""The limits around a target that are not its budget: of outer groups, of this process, of the machine.

What a target can really get is the smallest of them along its path. Sources: the kernel's admin-guide/cgroup-v1 and
cgroup-v2.rst, getrlimit(2), proc_sys_kernel(5).
"""

import os
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.host import cpus, procfs
from harness.host.cgroups import Budget, Groups, Hierarchy
from harness.host.cpus import CpuSplit

NO_LIMIT_BYTES = 1 << 60  # version 1 writes "no limit" as the largest multiple of the page size
MEMORY_FILES = ("memory.max", "memory.high", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
OTHERS_CPUS = 1  # of an outer quota, that generator, model and harness need where they have CPUs of their own
OTHERS_BYTES = 2 << 30  # likewise of memory
MACHINE_SHARE = 0.9  # of the budget: a machine sold with 4 GB shows some less, the rest is the kernel's and firmware's
OPEN_FILES = 65536  # the soft limit of each process is raised as far, so that a shell's default decides nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of what each user needs there is; None: no limit."""

    open_files: int | None
    tasks: int | None
    ports: int | None


def path_of(hierarchy: Hierarchy | None, groups: Groups | None, controller: str) -> list[Path]:
    """Return the groups that hold the target in a controller: its own, and every visible one above."""
    if hierarchy is None:
        return []
    tree = _tree(hierarchy, groups, controller) if groups else None
    if tree is None:
        return hierarchy.upwards(controller)
    target = tree / "target"
    return [target, *(folder for folder in target.parents if folder.is_relative_to(hierarchy.tops[controller]))]


def _tree(hierarchy: Hierarchy, groups: Groups, controller: str) -> Path | None:
    if groups.version == 2:
        return groups.cpuacct
    if controller == "cpu":  # its own groups are made only where it is mounted together with the accounting
        return groups.cpuacct if hierarchy.own.get("cpu") == hierarchy.own.get("cpuacct") else None
    return {"cpuset": groups.cpuset, "memory": groups.memory, "cpuacct": groups.cpuacct}.get(controller)


def quota_cores(folders: Iterable[Path]) -> float | None:
    """Return the smallest CPU-time quota among groups, in cores; None without any."""
    quotas: list[float] = []
    for folder in folders:
        maximum, v1 = folder / "cpu.max", folder / "cpu.cfs_quota_us"
        if maximum.is_file():
            quota, period = procfs.read(maximum).split()
        elif v1.is_file():
            quota, period = procfs.read(v1).strip(), procfs.read(folder / "cpu.cfs_period_us").strip()
        else:
            continue
        if quota not in ("max", "-1"):
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def strictest_memory(folders: Iterable[Path]) -> int | None:
    """Return the smallest memory limit among groups, in bytes; None without any.

    At ``memory.high`` the kernel takes memory back and slows processes down, so that more is of no use to a target.
    """
    limits: list[int] = []
    for folder in folders:
        for name in MEMORY_FILES:
            if (folder / name).is_file() and (text := procfs.read(folder / name).strip()) != "max":
                limits.append(int(text))
    return min((limit for limit in limits if limit < NO_LIMIT_BYTES), default=None)


def effective_cpus(folder: Path) -> tuple[int, ...] | None:
    """Return the CPUs that a group's processes may use; None where it has no CPU set."""
    files = [folder / name for name in ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus")]
    return next((cpus.parse_list(procfs.read(file)) for file in files if file.is_file()), None)


def shortfall(hierarchy: Hierarchy | None, groups: Groups | None, split: CpuSplit, budget: Budget) -> str | None:
    """Return in words what keeps the target from its budget; None where nothing does."""
    wrong = [
        *_lacking_cpus(hierarchy, groups, split, budget),
        *_lacking_memory(strictest_memory(path_of(hierarchy, groups, "memory")), budget),
        *_process_limits(budget),
    ]
    return "; ".join(wrong) or None


def tight(hierarchy: Hierarchy | None, groups: Groups | None, split: CpuSplit, budget: Budget) -> list[str]:
    """Return notes on outer limits that leave the budget, and little for generator and model beside it."""
    found: list[str] = []
    quota, every = quota_cores(path_of(hierarchy, groups, "cpu")), len({*split.target, *split.others})
    if quota is not None and quota < every:
        found.append(f"an outer group holds target, model and generator together to {quota:.2f} CPUs of time")
    path = path_of(hierarchy, groups, "memory")
    memory = strictest_memory(folder for folder in path if groups is None or folder != path[0])
    if memory is not None and memory < budget.memory_bytes + OTHERS_BYTES:
        found.append(f"an outer group holds target, model and generator together to {_gib(memory)}")
    return found


def _lacking_cpus(hierarchy: Hierarchy | None, groups: Groups | None, split: CpuSplit, budget: Budget) -> Iterable[str]:
    needed = budget.cpus + (OTHERS_CPUS if split.spare else 0)
    quota = quota_cores(path_of(hierarchy, groups, "cpu"))
    if quota is not None and quota < needed:
        who = "the target" if quota < budget.cpus else "target, model and generator together"
        yield f"an outer group holds {who} to {quota:.2f} CPUs of time (minimum {needed})"
    allowed = effective_cpus(groups.cpuset / "target") if groups and groups.cpuset else None
    if allowed is not None and not set(split.target) <= set(allowed):
        shown = cpus.format_list(allowed) or "none"
        yield f"an outer group leaves the target CPUs {shown}, not {cpus.format_list(split.target)}"


def _lacking_memory(strictest: int | None, budget: Budget) -> Iterable[str]:
    if strictest is not None and strictest < budget.memory_bytes:
        yield f"an outer group holds the target to {_gib(strictest)}, not {_gib(budget.memory_bytes)}"
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if machine < MACHINE_SHARE * budget.memory_bytes:
        yield f"this machine has {_gib(machine)} of memory, less than the budget of {_gib(budget.memory_bytes)}"


def _process_limits(budget: Budget) -> Iterable[str]:
    for option, kind in (("-v", resource.RLIMIT_AS), ("-d", resource.RLIMIT_DATA)):
        most = hard_limit(kind)
        if most is not None and most < budget.memory_bytes:
            yield f"`ulimit {option}` holds each process to {_gib(most)}, not {_gib(budget.memory_bytes)}"
    seconds = hard_limit(resource.RLIMIT_CPU)
    if seconds is not None:
        yield f"`ulimit -t` ends each process after {seconds} s of CPU time"


def hard_limit(kind: int) -> int | None:
    """Return this process's hard limit of a kind, which those that it starts inherit; None without any."""
    _, hard = resource.getrlimit(kind)
    return None if hard == resource.RLIM_INFINITY else hard


def room(hierarchy: Hierarchy | None, groups: Groups | None, proc: Path = procfs.PROC) -> Room:
    """Return how many files, tasks and ports the processes of a trial may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = hard_limit(resource.RLIMIT_NOFILE)
    files = None if soft == resource.RLIM_INFINITY else max(soft, OPEN_FILES if hard is None else min(hard, OPEN_FILES))
    tasks = [*_group_tasks(path_of(hierarchy, groups, "pids")), *_user_tasks(proc), *_machine_tasks(proc)]
    return Room(open_files=files, tasks=max(0, min(tasks)) if tasks else None, ports=_ports(proc))


def _group_tasks(folders: Sequence[Path]) -> Iterable[int]:
    """Yield how many more tasks (processes and threads) each group may hold."""
    for folder in folders:
        limit = _text(folder / "pids.max")
        if limit.isdigit():
            yield int(limit) - int(_text(folder / "pids.current") or 0)


def _user_tasks(proc: Path) -> Iterable[int]:
    """Yield how many more tasks this user may have; the kernel lets root have any number."""
    limit, user = hard_limit(resource.RLIMIT_NPROC), os.geteuid()
    if limit is not None and user != 0:
        ours = (process for process in proc.iterdir() if process.name.isdigit() and _is_of(process, user))
        yield limit - sum(map(_tasks, ours))


def _machine_tasks(proc: Path) -> Iterable[int]:
    for name in ("threads-max", "pid_max"):
        if (limit := _text(proc / "sys" / "kernel" / name)).isdigit():
            yield int(limit)


def _ports(proc: Path) -> int | None:
    first_last = _text(proc / "sys" / "net" / "ipv4" / "ip_local_port_range").split()
    return int(first_last[1]) - int(first_last[0]) + 1 if len(first_last) == 2 else None


def _is_of(process: Path, user: int) -> bool:
    try:
        return process.stat().st_uid == user
    except OSError:
        return False


def _tasks(process: Path) -> int:
    try:
        return len(os.listdir(process / "task"))  # noqa: PTH208  # names only
    except OSError:
        return 0


def _text(file: Path) -> str:
    try:
        return procfs.read(file).strip()
    except OSError:
        return ""


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
