"""The remains of trials whose harness and watchdog were both killed: groups, processes and temporary folders."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from harness.host import cgroups, procfs, scratch, watchdog
from harness.host.cgroups import Hierarchy

NAME = re.compile(r"chatbench-.+-\d+")
REMOVE_S = 1.5
SETTLED_S = 2.0  # a folder younger than this may not be locked yet


def sweep(hierarchy: Hierarchy | None, temporary: Path) -> None:
    """End and remove what is left of trials whose harness has ended, wherever in the machine's groups it is."""
    for tree in groups(hierarchy):
        deadline_s = time.monotonic() + REMOVE_S
        watchdog.kill_everything([tree], (), deadline_s)
        watchdog.remove_group(tree, deadline_s)
    homes = _homes()
    for folder in folders(temporary, homes):
        for pid in homes.get(folder, ()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def groups(hierarchy: Hierarchy | None) -> list[Path]:
    """Return the groups of trials whose harness (the number at the end of their name) has ended.

    A user's sessions and scopes have groups of their own: all below the top are looked at, not only those above ours.
    """
    if hierarchy is None:
        return []
    above = {folder for controller in hierarchy.own for folder in hierarchy.upwards(controller)}
    found = {tree for top in hierarchy.tops.values() for tree in _below(top)}
    return sorted(tree for tree in found if cgroups.is_of_the_dead(tree.name) and _may_end(tree, above))


def folders(temporary: Path, homes: Iterable[Path] = ()) -> list[Path]:
    """Return our temporary folders of trials that no living process holds.

    Those that processes still have for their ``homes`` count wherever they are: the killed run may have had another
    TMPDIR.
    """
    found = sorted({*temporary.glob(f"{scratch.PREFIX}*"), *homes})
    return [folder for folder in found if _is_old(folder) and not scratch.is_held(folder)]


def _is_old(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return found.st_uid == os.geteuid() and time.time() - found.st_ctime > SETTLED_S


def _below(top: Path) -> Iterator[Path]:
    for parent, names, _ in os.walk(top):
        yield from (Path(parent, name) for name in names if NAME.fullmatch(name))
        names[:] = [name for name in names if not NAME.fullmatch(name)]


def _may_end(tree: Path, above: set[Path]) -> bool:
    """Return whether a group is ours to remove: its name's number may mean another process in a container.

    An empty one elsewhere may belong to a container's harness that has just made it.
    """
    pids = watchdog.group_pids(tree)
    if not pids:
        return tree.parent in above
    return os.access(tree, os.W_OK) and {_namespace(pid) for pid in pids} == {_namespace("self")}


def _namespace(pid: int | str) -> str | None:
    try:
        return os.readlink(procfs.PROC / str(pid) / "ns" / "pid")  # noqa: PTH115  # its text is no path
    except OSError:
        return None


def _homes() -> dict[Path, list[int]]:
    """Return the processes whose home is a trial's folder, as ``launch.environment`` sets it, by that folder."""
    found: dict[Path, list[int]] = {}
    for name in filter(str.isdigit, os.listdir(procfs.PROC)):  # noqa: PTH208  # names only
        with suppress(OSError):
            variables = (procfs.PROC / name / "environ").read_bytes().split(b"\0")
            for home in (Path(os.fsdecode(one[5:])) for one in variables if one.startswith(b"HOME=/")):
                if home.name.startswith(scratch.PREFIX):
                    found.setdefault(home, []).append(int(name))
    return found
