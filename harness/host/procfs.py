"""Processes and the machine's CPU time, read from /proc."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S: int = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process: its parent and session, and the CPU seconds of it and its ended children."""

    pid: int
    parent: int
    session: int
    cpu_s: float
    ended_children_cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTimes:
    """CPU seconds of the whole machine since boot; ``busy_s`` is all that was neither idle nor stolen.

    ``interrupt_s`` is the part of ``busy_s`` that no process is charged for.
    """

    busy_s: float
    idle_s: float
    steal_s: float
    interrupt_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """The resident memory of a process without files on disk behind it."""

    anon_bytes: int
    shared_bytes: int


def read(path: str | Path) -> str:
    """Return the text of a small kernel file, by plain system calls: such files are read twice a second."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        first = os.read(descriptor, 65536)
        if len(first) < 4096:  # the kernel returns at most a page at a time
            return first.decode(errors="replace")
        pieces = [first]
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
        return b"".join(pieces).decode(errors="replace")
    finally:
        os.close(descriptor)


def process(pid: int, proc: Path | str = PROC) -> Process | None:
    """Return one process, None once it has ended."""
    try:
        text = read(f"{proc}/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name may hold spaces and brackets
    own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        cpu_s=own / TICKS_PER_S,
        ended_children_cpu_s=children / TICKS_PER_S,
    )


class Census:
    """A repeated look for the processes of some sessions, which reads the processes of others only once.

    A process that is not of these sessions never becomes so, and a number is not given out again within a second.
    """

    def __init__(self) -> None:
        self._leaders: frozenset[int] = frozenset()
        self._others: set[int] = set()

    def look(self, leaders: Iterable[int], proc: Path | str = PROC) -> list[Process]:
        """Return the processes of the sessions that these leaders began, and their descendants."""
        if self._leaders != (wanted := frozenset(leaders)):
            self._leaders, self._others = wanted, set()
        present = {int(name) for name in os.listdir(proc) if name.isdigit()}  # noqa: PTH208  # names only
        self._others &= present
        candidates = [found for pid in present - self._others if (found := process(pid, proc)) is not None]
        inside = members(candidates, *wanted)
        self._others.update({p.pid for p in candidates} - {p.pid for p in inside})
        return inside


def every_process(proc: Path | str = PROC) -> list[Process]:
    """Return all visible processes of the machine."""
    pids = (int(name) for name in os.listdir(proc) if name.isdigit())  # noqa: PTH208  # names only
    return [found for pid in pids if (found := process(pid, proc)) is not None]


def members(processes: Iterable[Process], *leaders: int) -> list[Process]:
    """Return the processes of the sessions that ``leaders`` began, and their descendants in other sessions."""
    everything = list(processes)
    inside = {p.pid for p in everything if p.session in leaders or p.pid in leaders}
    grown = True
    while grown:
        children = {p.pid for p in everything if p.parent in inside} - inside
        inside |= children
        grown = bool(children)
    return [p for p in everything if p.pid in inside]


def memory(pid: int, proc: Path | str = PROC) -> ProcessMemory | None:
    """Return a process's anonymous and shared memory, None once it has ended (a zombie has none)."""
    try:
        text = read(f"{proc}/{pid}/status")
    except (FileNotFoundError, ProcessLookupError):
        return None
    anon = field_of(text, "RssAnon:")
    if anon is None:
        return None
    return ProcessMemory(anon_bytes=anon * 1024, shared_bytes=(field_of(text, "RssShmem:") or 0) * 1024)


def host_times(proc: Path | str = PROC) -> HostTimes:
    """Return the machine's CPU time, all CPUs together (proc_stat(5)).

    Busy time comes from the clock: a kernel that counts user and system time by ticks misses up to 3 % of the CPUs,
    while it reads idle time from a clock. Interrupts are charged to the process that they interrupt, unless the kernel
    accounts for their time (CONFIG_IRQ_TIME_ACCOUNTING); only then a hard interrupt ever shows in ``irq``.
    """
    text = read(f"{proc}/stat")
    now_s = time.monotonic()
    cpus = text.count("\ncpu")
    idle, iowait, irq, softirq, steal = (int(v) / TICKS_PER_S for v in text.split("\n", 1)[0].split()[4:9])
    return HostTimes(
        busy_s=cpus * now_s - idle - iowait - steal,
        idle_s=idle + iowait,
        steal_s=steal,
        interrupt_s=irq + softirq if irq else 0.0,
    )


def counter(name: str, file: str, proc: Path | str = PROC) -> int | None:
    """Return the value in a ``name value`` line of a /proc file, such as ``oom_kill`` of ``vmstat``."""
    return field_of(read(f"{proc}/{file}"), name)


def field_of(text: str, name: str) -> int | None:
    """Return the number that follows a name at the start of a line; None where there is no such line.

    It searches instead of taking the text apart: these files have up to 150 lines and are read twice a second.
    """
    start = 0 if text.startswith(name) else text.find(f"\n{name}") + 1 or -1
    while start >= 0:
        end = start + len(name)
        if text[end : end + 1].isspace():
            return int(text[end : end + 32].split(None, 1)[0])
        start = text.find(f"\n{name}", end) + 1 or -1  # the beginning of a longer name
    return None
