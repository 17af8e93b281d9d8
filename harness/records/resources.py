"""The components of a trial, their limits and their resource samples."""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["target", "model", "generator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budget as the kernel enforces it, read back from the strictest ancestor."""

    cpus: tuple[int, ...]
    memory_bytes: int | None
    swap_bytes: int | None
    cpu_enforced: bool  # False: affinity only, a process could leave it
    memory_enforced: bool
    how: str  # "cgroup v2", "cgroup v1", "affinity only"
    generator_cpus: tuple[int, ...]
    spare_cpus: bool  # generator and model sit on other CPUs than the target
    notes: tuple[str, ...] = ()
    shortfall: str | None = None  # why this is not the stated budget: trials under it are invalid
    open_files: int | None = None  # that a process may have; None: no limit, or a record from before it was read
    tasks: int | None = None  # processes and threads that may be added
    ports: int | None = None  # for outgoing connections to one address


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One launched piece of a trial."""

    name: str  # [a-z0-9-]
    role: Role
    version: str
    endpoint: str | None = None
    image: str | None = None  # digest of the container image it runs from


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSample:
    """One reading of one component; counters are cumulative since the component's start."""

    t_s: float
    component: str
    role: Role
    cpu_s: float
    throttled_s: float | None = None
    anon_bytes: int | None = None
    shared_bytes: int | None = None
    working_set_bytes: int | None = None
    peak_bytes: int | None = None
    oom_kills: int | None = None
    processes: int = 0
    process_cpu_s: dict[str, float] = field(default_factory=dict)  # pid -> cumulative CPU seconds
    host_busy_s: float | None = None  # whole machine, all CPUs, cumulative
    host_idle_s: float | None = None
    host_steal_s: float | None = None
    foreign_cpu_s: float | None = None  # busy time of the machine that is none of this trial's, cumulative
