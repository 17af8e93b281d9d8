"""The budget as the kernel enforces it: read back from the strictest ancestor, not from the configuration."""

from collections.abc import Iterable
from pathlib import Path

from harness.host import cpus, procfs
from harness.host.cgroups import Budget, Groups, Hierarchy
from harness.host.cpus import CpuSplit
from harness.records import Limits

NO_LIMIT_BYTES = 1 << 60  # version 1 writes "no limit" as the largest multiple of the page size
DELEGATE_HINT = (
    "run as root. Or once as root put [Service] Delegate=cpu cpuset io memory pids into "
    "/etc/systemd/system/user@.service.d/delegate.conf. Then sign in again and use "
    "`systemd-run --user --scope -p Delegate=yes`"
)


def read_back(hierarchy: Hierarchy | None, groups: Groups | None, split: CpuSplit, budget: Budget) -> Limits:
    """Return the limits that the kernel enforces on the target, taken from the strictest ancestor."""
    notes = [*split.notes, *(groups.notes if groups else ())]
    cpu_set = _effective_cpus(groups)
    cpu_enforced = cpu_set == split.target
    memory = _effective_memory(hierarchy, groups) if hierarchy else None
    memory_enforced = memory is not None and memory <= budget.memory_bytes
    if not cpu_enforced:
        notes.append(
            f"CPU set not enforced (affinity only, which a process may change); to enforce it: {DELEGATE_HINT}"
        )
    if not memory_enforced:
        notes.append(f"memory limit not enforced; to enforce it: {DELEGATE_HINT}")
    if memory is not None and memory < budget.memory_bytes:
        notes.append(f"an outer group holds the target to {memory / 2**30:.2f} GiB, less than the budget")
    quota = cpu_quota_cores(hierarchy)
    if quota is not None and quota < budget.cpus:
        notes.append(f"an outer group caps this process and the target at {quota:.2f} CPUs of time")
    enforced = cpu_enforced or memory_enforced
    return Limits(
        cpus=cpu_set if cpu_enforced and cpu_set else split.target,
        memory_bytes=memory,
        swap_bytes=_effective_swap(groups) if memory_enforced else None,
        cpu_enforced=cpu_enforced,
        memory_enforced=memory_enforced,
        how=f"cgroup v{hierarchy.version}" if enforced and hierarchy else "affinity only",
        generator_cpus=split.others,
        spare_cpus=split.spare,
        notes=tuple(notes),
    )


def cpu_quota_cores(hierarchy: Hierarchy | None) -> float | None:
    """Return the smallest CPU-time quota among a process's own group and its ancestors, in cores; None without any."""
    quotas: list[float] = []
    for folder in hierarchy.upwards("cpu") if hierarchy else ():
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


def _effective_cpus(groups: Groups | None) -> tuple[int, ...] | None:
    return None if groups is None or groups.cpuset is None else effective_cpus(groups.cpuset / "target")


def effective_cpus(folder: Path) -> tuple[int, ...] | None:
    """Return the CPUs that a group's processes may use; None where it has no CPU set."""
    files = [folder / name for name in ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus")]
    return next((cpus.parse_list(procfs.read(file)) for file in files if file.is_file()), None)


def _effective_memory(hierarchy: Hierarchy, groups: Groups | None) -> int | None:
    if groups is None or groups.memory is None:
        return strictest_memory(hierarchy.upwards("memory"))
    top = hierarchy.tops["memory"]
    target = groups.memory / "target"
    return strictest_memory([target, *(folder for folder in target.parents if folder.is_relative_to(top))])


def strictest_memory(folders: Iterable[Path]) -> int | None:
    """Return the smallest memory limit among groups, in bytes; None without any."""
    limits: list[int] = []
    for folder in folders:
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (folder / name).is_file() and (text := procfs.read(folder / name).strip()) != "max":
                limits.append(int(text))
    return min((limit for limit in limits if limit < NO_LIMIT_BYTES), default=None)


def _effective_swap(groups: Groups | None) -> int | None:
    if groups is None or groups.memory is None:
        return 0 if procfs.counter("SwapTotal:", "meminfo") == 0 else None
    return swap_bytes(groups.memory / "target")


def swap_bytes(folder: Path) -> int | None:
    """Return the swap limit of a group in bytes, None without one; 0 also on a machine without swap."""
    if procfs.counter("SwapTotal:", "meminfo") == 0:
        return 0
    if (folder / "memory.swap.max").is_file():
        text = procfs.read(folder / "memory.swap.max").strip()
        return None if text == "max" else int(text)
    if (folder / "memory.memsw.limit_in_bytes").is_file():
        both, memory = (int(procfs.read(folder / f"memory.{kind}limit_in_bytes")) for kind in ("memsw.", ""))
        return both - memory
    return None
