"""The budget of a stack of containers: one parent group where the engine takes it, else a declared split; read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BenchError
from harness.host import cgroups, cpus, limits
from harness.host.cgroups import Budget, Groups, Hierarchy
from harness.host.cpus import CpuSplit
from harness.records import Limits
from harness.runtimes.docker.topology import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Parents:
    """The two groups under which a trial's containers run, and why there are none."""

    name: str | None
    groups: Groups | None
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> Path | None:
        """The folder that holds the target's memory limit."""
        return self.groups.memory / "target" if self.groups and self.groups.memory else None

    def folders(self) -> list[Path]:
        """Return every folder of the parents: the engine makes some in hierarchies we did not ask for."""
        return cgroups.every_folder(self.name) if self.name else []


def make_parents(hierarchy: Hierarchy | None, driver: str, name: str, split: CpuSplit, budget: Budget) -> Parents:
    """Make the parents of a trial's containers with the budget on the target's.

    Only an engine whose driver is ``cgroupfs`` takes a parent by path; with the driver ``systemd`` a parent is a slice,
    whose limits belong to systemd.
    """
    if driver != "cgroupfs":
        return Parents(name=None, groups=None, notes=(f"the engine's cgroup driver is {driver}",))
    if hierarchy is None:
        return Parents(name=None, groups=None, notes=("no control groups can be seen",))
    groups = cgroups.make(cgroups.at_top(hierarchy), name, split, budget)
    if groups is None or groups.cpuset is None or groups.memory is None:
        notes = groups.notes if groups else ("no control group may be made: run as root",)
        return Parents(name=f"chatbench-{name}", groups=None, notes=notes)
    return Parents(name=f"chatbench-{name}", groups=groups)


def placement(parents: Parents, split: CpuSplit) -> Placement:
    """Return where the containers are told to run."""
    common = parents.groups is not None
    return Placement(
        target_cpus=cpus.format_list(split.target),
        other_cpus=cpus.format_list(split.others),
        target_group=f"/{parents.name}/target" if common else None,
        others_group=f"/{parents.name}/others" if common else None,
    )


def read_back(
    containers: Mapping[str, Hierarchy], parents: Parents, split: CpuSplit, budget: Budget, engine: str
) -> Limits:
    """Return what the kernel enforces on the target's containers together, from the strictest ancestor of each."""
    if not containers:
        return _of_nothing(parents, split, engine)
    union = sorted({cpu for one in containers.values() for cpu in _cpus(one)})
    target = parents.target
    if target is not None and all(target in one.own["memory"].parents for one in containers.values()):
        # a container held to less than the parent could not take its share of the stack's budget
        memory = limits.strictest_memory(folder for one in containers.values() for folder in one.upwards("memory"))
        swap, how = limits.swap_bytes(target), "one parent group for the whole stack"
    else:
        each = [limits.strictest_memory(one.upwards("memory")) for one in containers.values()]
        memory = None if any(limit is None for limit in each) else sum(limit or 0 for limit in each)
        swaps = [limits.swap_bytes(one.own["memory"]) for one in containers.values()]
        swap, how = None if any(s is None for s in swaps) else sum(s or 0 for s in swaps), "declared split"
    version = next(iter(containers.values())).version
    wrong = "; ".join(filter(None, (shortfall(union, memory, swap, split, budget), _held_back(containers, union))))
    notes = (*split.notes, *parents.notes, *((f"not the stated budget: {wrong}",) if wrong else ()))
    return Limits(
        cpus=tuple(union),
        memory_bytes=memory,
        swap_bytes=swap,
        cpu_enforced=tuple(union) == split.target,
        memory_enforced=memory is not None,
        how=f"{engine}, {how}, cgroup v{version}",
        generator_cpus=split.others,
        spare_cpus=split.spare,
        notes=notes,
        shortfall=wrong or None,
    )


def _of_nothing(parents: Parents, split: CpuSplit, engine: str) -> Limits:
    """Return the limits of a trial without an application: no container is held to anything."""
    return Limits(
        cpus=split.target,
        memory_bytes=None,
        swap_bytes=None,
        cpu_enforced=False,
        memory_enforced=False,
        how=f"{engine}, no container in the budget",
        generator_cpus=split.others,
        spare_cpus=split.spare,
        notes=(*split.notes, *parents.notes),
    )


def parent_shortfall(parents: Parents, hierarchy: Hierarchy, split: CpuSplit, budget: Budget) -> str | None:
    """Return in words how a common parent, still empty, differs from the budget; None when it holds exactly that."""
    if parents.groups is None or parents.groups.cpuset is None or parents.target is None:
        raise ValueError("there is no common parent")
    union = limits.effective_cpus(parents.groups.cpuset / "target") or ()
    top = hierarchy.tops["memory"]
    above = [folder for folder in parents.target.parents if folder.is_relative_to(top)]
    memory = limits.strictest_memory([parents.target, *above])
    return shortfall(union, memory, limits.swap_bytes(parents.target), split, budget)


def shortfall(
    union: Sequence[int], memory: int | None, swap: int | None, split: CpuSplit, budget: Budget
) -> str | None:
    """Return in words how the limits read back differ from the budget; None when they are exactly that."""
    wrong: list[str] = []
    if tuple(union) != split.target:
        wrong.append(
            f"its containers may use CPUs {cpus.format_list(union) or 'none'}, not {cpus.format_list(split.target)}"
        )
    if memory is None:
        wrong.append("no memory limit is enforced")
    elif memory != budget.memory_bytes:
        wrong.append(f"memory is held to {memory / 2**30:.2f} GiB, not {budget.memory_bytes / 2**30:.2f}")
    if swap is None:
        wrong.append("swap is not limited (turn it off, or boot with swapaccount=1)")
    elif swap:
        wrong.append(f"{swap >> 20} MiB of swap may be used")
    return "; ".join(wrong) or None


def _held_back(containers: Mapping[str, Hierarchy], union: Sequence[int]) -> str:
    """Return in words which containers may use fewer CPUs, or less of their time, than the stack."""
    wrong: list[str] = []
    for name, one in containers.items():
        own, quota = _cpus(one), limits.cpu_quota_cores(one)
        if own != tuple(union):
            wrong.append(f"{name} may use CPUs {cpus.format_list(own) or 'none'} alone")
        if quota is not None and quota < len(union):
            wrong.append(f"{name} is held to {quota:.2f} CPUs of time")
    return "; ".join(wrong)


def _cpus(hierarchy: Hierarchy) -> tuple[int, ...]:
    own = hierarchy.own.get("cpuset")
    return limits.effective_cpus(own) or () if own is not None else ()


def of_process(pid: int) -> Hierarchy | None:
    """Return the control groups of a container by its first process; None once it is gone.

    Raises:
        BenchError: its groups are outside of what can be seen here: what is seen is the whole machine, which must
            neither be booked on the container nor be emptied with it.
    """
    try:
        found = cgroups.find(pid=pid)
    except FileNotFoundError:
        return None
    if found is not None and found.own["memory"] == found.tops["memory"]:
        raise BenchError(
            f"the control groups of the engine's containers cannot be seen from here (process {pid})",
            "run chatbench on the machine itself, not in a container of its own",
        )
    return found
