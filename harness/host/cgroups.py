"""Control groups, version 1 and 2: our own, and a trial's groups with the budget on them.

Layout, below this process's own group wherever that is writable::

    chatbench-<trial>/target/<component>    the budget is on ``target``
    chatbench-<trial>/others/<component>    model and generator

Version 1 repeats it in each controller's hierarchy. Sources: the kernel's admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.host import cpus, procfs
from harness.host.cpus import CpuSplit

Side = Literal["target", "others"]

CONTROLLERS = ("cpuset", "memory", "cpuacct", "cpu", "pids")
LEAF = "chatbench-harness"  # version 2 only: our own process moves there, so that its group may have controllers


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The budget of the target: all its processes together."""

    cpus: int = 2
    memory_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """The machine's version, this process's own group per controller, and the top of each tree."""

    version: Literal[1, 2]
    own: Mapping[str, Path]
    tops: Mapping[str, Path]

    def upwards(self, controller: str) -> list[Path]:
        """Return our own group of a controller and its visible ancestors."""
        own, top = self.own.get(controller), self.tops.get(controller)
        if own is None or top is None:
            return []
        return [own, *(folder for folder in own.parents if folder.is_relative_to(top))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The groups of one trial: a folder per controller (version 2: the same one), None where refused."""

    version: Literal[1, 2]
    cpuset: Path | None
    memory: Path | None
    cpuacct: Path | None
    notes: tuple[str, ...] = ()

    @property
    def trees(self) -> tuple[Path, ...]:
        """The top folders of the groups that exist."""
        return tuple(dict.fromkeys(t for t in (self.cpuset, self.memory, self.cpuacct) if t is not None))

    def add(self, side: Side, component: str) -> tuple[Path, ...]:
        """Return the folders that a component's first process has to join, after making its groups."""
        join: list[Path] = []
        for tree in self.trees:
            folder = tree / side
            if self.version == 2 or tree in (self.memory, self.cpuacct):
                folder = folder / component
                folder.mkdir(exist_ok=True)
                if self.version == 1 and tree == self.cpuset:  # mounted together with another controller
                    _inherit_cpuset(folder)
            join.append(folder)
        return tuple(join)


def find(proc: Path = procfs.PROC, pid: int | None = None) -> Hierarchy | None:
    """Return the hierarchy of the memory and CPU-set controllers, None when the kernel shows none.

    ``pid`` asks for another process's groups instead of our own, seen through the same mounts.
    """
    mounts = list(_mounts(procfs.read(proc / "self" / "mountinfo")))
    paths = {}
    for line in procfs.read(proc / str(pid or "self") / "cgroup").splitlines():
        _, names, path = line.split(":", 2)
        paths.update(dict.fromkeys(names.split(","), path))
    own: dict[str, Path] = {}
    tops: dict[str, Path] = {}
    for kind, root, point, options in mounts:
        if kind == "cgroup":
            for name in set(options) & set(CONTROLLERS):
                own[name], tops[name] = _own_folder(point, root, paths.get(name, "/")), point
    if own.keys() & {"memory", "cpuset"}:
        return Hierarchy(version=1, own=own, tops=tops)
    for kind, root, point, _ in mounts:
        if kind == "cgroup2":
            folder = _own_folder(point, root, paths.get("", "/"))
            return Hierarchy(version=2, own=dict.fromkeys(CONTROLLERS, folder), tops=dict.fromkeys(CONTROLLERS, point))
    return None


def whole_machine(proc: Path = procfs.PROC) -> Path | None:
    """Return the group whose ``cpuacct.usage`` is that of every process; None where no mount shows it.

    Version 1 alone: the root of version 2 counts by ticks. The kernel puts ``release_agent`` into a true root only.
    """
    for kind, _, point, options in _mounts(procfs.read(proc / "self" / "mountinfo")):
        if kind == "cgroup" and "cpuacct" in options and (point / "release_agent").exists():
            return point
    return None


def at_top(hierarchy: Hierarchy) -> Hierarchy:
    """Return a hierarchy whose groups are made below its top, where other programs can find them by path."""
    return Hierarchy(version=hierarchy.version, own=hierarchy.tops, tops=hierarchy.tops)


def every_folder(name: str, proc: Path = procfs.PROC) -> list[Path]:
    """Return the paths of a name at the top of every hierarchy: an engine makes groups in all of them."""
    return [point / name for point in _points(proc)]


def make(hierarchy: Hierarchy | None, name: str, split: CpuSplit, budget: Budget) -> Groups | None:
    """Return a trial's groups with the budget on them, as far as the kernel allows; None when it allows none."""
    if hierarchy is None:
        return None
    groups = _make_v1(hierarchy, name) if hierarchy.version == 1 else _make_v2(hierarchy, name)
    if groups is None:
        return None
    notes = list(groups.notes)
    cpuset, memory = groups.cpuset, groups.memory
    try:
        if cpuset is not None:
            _limit_cpus(cpuset, split, hierarchy.version)
    except OSError as refused:
        notes.append(f"CPU set not enforced: {_reason(refused)}")
        if cpuset is not None and hierarchy.version == 1:
            _drop(cpuset)
        cpuset = None
    try:
        if memory is not None:
            _limit_memory(memory / "target", budget.memory_bytes, hierarchy.version)
    except OSError as refused:
        notes.append(f"memory limit not enforced: {_reason(refused)}")
    return Groups(version=groups.version, cpuset=cpuset, memory=memory, cpuacct=groups.cpuacct, notes=tuple(notes))


def _mounts(text: str) -> Iterable[tuple[str, str, Path, list[str]]]:
    """Yield (type, root, mount point, super options) of each control group mount (proc_pid_mountinfo(5))."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = [*after.split(" ", 2), "", ""][:3]
        if kind in ("cgroup", "cgroup2"):
            root, point = (field.encode().decode("unicode_escape") for field in before.split()[3:5])
            yield kind, root, Path(point), options.split(",")


def names_of_the_dead(proc: Path = procfs.PROC) -> set[str]:
    """Return the names of trials whose harness has ended, from their groups at the top of every hierarchy."""
    found = {tree.name for point in _points(proc) for tree in point.glob("chatbench-*-*")}
    return {name for name in found if is_of_the_dead(name)}


def _points(proc: Path) -> list[Path]:
    return [point for _, _, point, _ in _mounts(procfs.read(proc / "self" / "mountinfo"))]


def is_of_the_dead(name: str) -> bool:
    """Return whether a trial's groups outlived their harness, whose process id ends their name."""
    pid = name.rpartition("-")[2]
    return pid.isdigit() and not _lives(int(pid))


def _lives(pid: int) -> bool:
    return procfs.process(pid) is not None


def _own_folder(point: Path, root: str, path: str) -> Path:
    inside = os.path.relpath(path, root)
    folder = point / inside
    # outside of the mounts here (a container that sees the host's paths): the mount is the best known place
    return folder if not inside.startswith("..") and folder.is_dir() else point


def _make_v1(hierarchy: Hierarchy, name: str) -> Groups | None:
    made: dict[str, Path] = {}
    notes: list[str] = []
    for controller in ("cpuset", "memory", "cpuacct"):
        own = hierarchy.own.get(controller)
        if own is None:
            notes.append(f"this kernel mounts no {controller} controller")
            continue
        tree = own / f"chatbench-{name}"
        try:
            for folder in (tree, tree / "target", tree / "others"):
                folder.mkdir(exist_ok=True)
        except OSError as refused:
            notes.append(f"no {controller} group: {_reason(refused)}")
            continue
        made[controller] = tree
    if not made:
        return None
    return Groups(
        version=1,
        cpuset=made.get("cpuset"),
        memory=made.get("memory"),
        cpuacct=made.get("cpuacct"),
        notes=tuple(notes),
    )


def _make_v2(hierarchy: Hierarchy, name: str) -> Groups | None:
    # in our own leaf since an earlier trial: the groups go beside it, or each trial would nest one level deeper
    ancestry = [folder for folder in hierarchy.upwards("memory") if folder.name != LEAF]
    for wanted in (("cpuset", "memory"), ("memory",), ("cpuset",), ()):
        for base in ancestry:
            tree = base / f"chatbench-{name}"
            try:
                if not _enable(base, ancestry, wanted):
                    continue
                for folder in (tree, tree / "target", tree / "others"):
                    folder.mkdir(exist_ok=True)
                _write(tree / "cgroup.subtree_control", " ".join(f"+{c}" for c in wanted))
                if "memory" in wanted:
                    for side in ("target", "others"):
                        _write(tree / side / "cgroup.subtree_control", "+memory")
                _try_to_join(tree / "others", base)
            except OSError:
                _drop(tree)
                continue
            return Groups(
                version=2,
                cpuset=tree if "cpuset" in wanted else None,
                memory=tree if "memory" in wanted else None,
                cpuacct=tree,
            )
    return None


def _enable(base: Path, ancestry: list[Path], wanted: tuple[str, ...]) -> bool:
    """Return whether the children of ``base`` have the controllers, after handing them down; may raise OSError."""
    if not (os.access(base, os.W_OK) and os.access(base / "cgroup.procs", os.W_OK)):
        return False
    request = " ".join(f"+{c}" for c in wanted)
    if not set(wanted) <= set(procfs.read(base / "cgroup.controllers").split()):
        for ancestor in reversed(ancestry[ancestry.index(base) + 1 :]):
            _write(ancestor / "cgroup.subtree_control", request)
    if set(wanted) <= set(procfs.read(base / "cgroup.subtree_control").split()):
        return True
    try:
        _write(base / "cgroup.subtree_control", request)
    except OSError:
        if base != ancestry[0] or not _only_ours(base):
            raise
        # a group with processes may not hand controllers down: move into a leaf, which stays for the next trial
        leaf = base / LEAF
        leaf.mkdir(exist_ok=True)
        for pid in procfs.read(base / "cgroup.procs").split():
            _write(leaf / "cgroup.procs", pid)
        _write(base / "cgroup.subtree_control", request)
    return True


def _only_ours(base: Path) -> bool:
    """Return whether a group holds only this process, its ancestors and its descendants."""
    everything = {p.pid: p for p in procfs.every_process()}
    ours = {p.pid for p in procfs.members(everything.values(), os.getpid())}
    pid = os.getpid()
    while pid in everything:
        ours.add(pid)
        pid = everything[pid].parent
    return {int(pid) for pid in procfs.read(base / "cgroup.procs").split()} <= ours


def _try_to_join(side: Path, base: Path) -> None:
    """Let a short-lived process enter a group: only that shows whether it is permitted."""
    probe = side / "probe"
    probe.mkdir(exist_ok=True)
    script = 'echo $$ > "$1/cgroup.procs"'
    done = subprocess.run(["sh", "-c", script, "sh", str(probe)], check=False, capture_output=True)
    if done.returncode != 0:
        raise PermissionError(f"no process may move from {base.name} into {side}")
    _drop(probe)


def _limit_cpus(tree: Path, split: CpuSplit, version: int) -> None:
    if version == 1:
        _inherit_cpuset(tree)
    for side, chosen in (("target", split.target), ("others", split.others)):
        if version == 1:
            _inherit_cpuset(tree / side)
        _write(tree / side / "cpuset.cpus", cpus.format_list(chosen))


def _inherit_cpuset(folder: Path) -> None:
    """Copy the parent's CPUs and memory nodes: a version 1 group accepts processes only with both set."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        _write(folder / name, procfs.read(folder.parent / name).strip())


def _limit_memory(folder: Path, limit_bytes: int, version: int) -> None:
    if version == 2:
        _write(folder / "memory.max", str(limit_bytes))
        if (folder / "memory.swap.max").exists():  # absent where the kernel counts no swap
            _write(folder / "memory.swap.max", "0")
        return
    _write(folder / "memory.limit_in_bytes", str(limit_bytes))
    if (folder / "memory.memsw.limit_in_bytes").exists():
        _write(folder / "memory.memsw.limit_in_bytes", str(limit_bytes))
    elif (folder / "memory.swappiness").exists():
        _write(folder / "memory.swappiness", "0")


def _write(file: Path, text: str) -> None:
    with file.open("w") as kernel:
        kernel.write(text)


def _drop(tree: Path) -> None:
    """Remove groups without processes."""
    for folder, _, _ in os.walk(tree, topdown=False):
        Path(folder).rmdir()


def _reason(refused: OSError) -> str:
    return f"{refused.filename or 'the kernel'}: {refused.strerror}"
