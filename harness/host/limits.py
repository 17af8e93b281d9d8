"""The budget as the kernel enforces it: read back from the strictest ancestor, not from the configuration."""

from collections.abc import Sequence
from pathlib import Path

from harness.host import outer, procfs
from harness.host.cgroups import Budget, Groups, Hierarchy
from harness.host.cpus import CpuSplit
from harness.host.outer import effective_cpus, strictest_memory
from harness.records import Limits

__all__ = ["cpu_quota_cores", "effective_cpus", "read_back", "strictest_memory", "swap_bytes"]
ENFORCE_HINT = "`chatbench doctor` prints the command that enforces it"


def read_back(
    hierarchy: Hierarchy | None, groups: Groups | None, split: CpuSplit, budget: Budget, notes: Sequence[str] = ()
) -> Limits:
    """Return the limits that the kernel enforces on the target, taken from the strictest ancestor."""
    found = [*split.notes, *(groups.notes if groups else ()), *notes]
    cpu_set = effective_cpus(groups.cpuset / "target") if groups and groups.cpuset else None
    cpu_enforced = cpu_set == split.target
    memory = strictest_memory(outer.path_of(hierarchy, groups, "memory"))
    memory_enforced = memory is not None and memory <= budget.memory_bytes
    if not cpu_enforced:
        found.append(f"CPU set not enforced (affinity only, which a process may change); {ENFORCE_HINT}")
    if not memory_enforced:
        found.append(f"memory limit not enforced; {ENFORCE_HINT}")
    wrong = outer.shortfall(hierarchy, groups, split, budget)
    found += [f"not the stated budget: {wrong}"] if wrong else outer.tight(hierarchy, groups, split, budget)
    enforced, room = cpu_enforced or memory_enforced, outer.room(hierarchy, groups)
    return Limits(
        cpus=cpu_set if cpu_enforced and cpu_set else split.target,
        memory_bytes=memory,
        swap_bytes=_effective_swap(groups) if memory_enforced else None,
        cpu_enforced=cpu_enforced,
        memory_enforced=memory_enforced,
        how=f"cgroup v{hierarchy.version}" if enforced and hierarchy else "affinity only",
        generator_cpus=split.others,
        spare_cpus=split.spare,
        notes=tuple(found),
        shortfall=wrong,
        open_files=room.open_files,
        tasks=room.tasks,
        ports=room.ports,
    )


def cpu_quota_cores(hierarchy: Hierarchy | None) -> float | None:
    """Return the smallest CPU-time quota among a process's own group and its ancestors, in cores; None without any."""
    return outer.quota_cores(hierarchy.upwards("cpu") if hierarchy else ())


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
