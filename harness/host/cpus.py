"""The CPUs of the target, and those left for the model, the generator and the harness."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.errors import BenchError

SYSFS_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuSplit:
    """The CPUs of the target and of the rest; without spare CPUs both are the same."""

    target: tuple[int, ...]
    others: tuple[int, ...]
    spare: bool
    notes: tuple[str, ...] = ()


def parse_list(text: str) -> tuple[int, ...]:
    """Return the CPUs in the kernel's list notation, such as ``0-3,8``; empty text is no CPU."""
    found: set[int] = set()
    for piece in filter(None, text.strip().split(",")):
        first, _, last = piece.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


def format_list(cpus: Iterable[int]) -> str:
    """Return CPUs in the kernel's notation: numbers with commas."""
    return ",".join(str(cpu) for cpu in sorted(cpus))


@cache
def usable() -> tuple[int, ...]:
    """Return the CPUs this process may run on; read once, because a trial confines the harness to the spare ones."""
    return tuple(sorted(os.sched_getaffinity(0)))


def physical_cores(cpus: Iterable[int], sysfs: Path = SYSFS_CPUS) -> tuple[tuple[int, ...], ...]:
    """Return CPUs grouped by physical core; a CPU of unknown topology is its own core."""
    wanted = set(cpus)
    cores: dict[tuple[int, ...], None] = {}
    for cpu in sorted(wanted):
        listing = sysfs / f"cpu{cpu}" / "topology" / "thread_siblings_list"
        siblings = parse_list(listing.read_text()) if listing.is_file() else (cpu,)
        cores[tuple(sorted(wanted & {cpu, *siblings}))] = None
    return tuple(cores)


def split(cores: tuple[tuple[int, ...], ...], budget: int) -> CpuSplit:
    """Return ``budget`` CPUs for the target and the rest for the others, on separate physical cores if possible.

    Raises:
        BenchError: there are fewer CPUs than the budget.
    """
    everything = sorted(cpu for core in cores for cpu in core)
    if len(everything) < budget:
        raise BenchError(
            f"this process may use {len(everything)} CPU, the budget is {budget}",
            f"run on a machine (or with a CPU set) of at least {budget} CPUs",
        )
    if len(cores) > budget:  # a core per CPU, its sibling thread left idle, and still a core for the others
        target = [core[0] for core in cores[:budget]]
        others = [cpu for core in cores[budget:] for cpu in core]
        return CpuSplit(target=tuple(target), others=tuple(sorted(others)), spare=True)
    by_size = sorted(cores, key=len, reverse=True)  # whole cores first, so that few are shared
    target = [cpu for core in by_size for cpu in core][:budget]
    rest = tuple(cpu for cpu in everything if cpu not in target)
    untouched = tuple(sorted(cpu for core in cores if not set(core) & set(target) for cpu in core))
    notes: list[str] = []
    if any(len(set(core) & set(target)) > 1 for core in cores):
        notes.append("some of the target's CPUs are threads of one physical core")
    if untouched:
        return CpuSplit(target=tuple(sorted(target)), others=untouched, spare=True, notes=tuple(notes))
    if rest:
        notes.append("the generator shares a physical core with the target: this machine has no core to spare")
        return CpuSplit(target=tuple(sorted(target)), others=rest, spare=True, notes=tuple(notes))
    notes.append("no spare CPUs: generator and model take their CPU time from the target's budget")
    return CpuSplit(target=tuple(sorted(target)), others=tuple(sorted(target)), spare=False, notes=tuple(notes))
