"""The folders for trials' temporary data: on a disk, and held by a lock that tells the living from leftovers."""

import fcntl
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.host import procfs

PREFIX = "chatbench-trial-"
USUAL, ON_DISK = Path("/tmp"), Path("/var/tmp")  # noqa: S108  # mkdtemp makes a folder of its own inside
MEMORY_TYPES = ("tmpfs", "ramfs")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFolder:
    """A temporary folder and the open file that holds its lock."""

    path: Path
    descriptor: int

    def release(self) -> None:
        """Give the lock up."""
        os.close(self.descriptor)


def base() -> Path:
    """Return the folder in which trials' data is kept: on a disk, unless TMPDIR names a folder in memory.

    What a target writes to a file system in memory counts as its own memory.
    """
    usual = Path(tempfile.gettempdir())
    if usual != USUAL or not in_memory(usual):
        return usual
    on_disk = ON_DISK.is_dir() and os.access(ON_DISK, os.W_OK | os.X_OK) and not in_memory(ON_DISK)
    return ON_DISK if on_disk else usual


def in_memory(folder: Path, proc: Path = procfs.PROC) -> bool:
    """Return whether the files of a folder are kept in memory; a file system that cannot be told is on a disk."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in procfs.read(proc / "self" / "mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2:3] == [number]:
            return after.split(" ", 1)[0] in MEMORY_TYPES
    return False


def notes(*folders: Path) -> tuple[str, ...]:
    """Return a note for each folder in memory that a target writes to."""
    return tuple(
        f"{folder} is in memory: what the target writes there counts as its memory (set TMPDIR to a disk)"
        for folder in dict.fromkeys(folders)
        if in_memory(folder)
    )


def make(name: str, parent: Path) -> HeldFolder:
    """Make a temporary folder, held until ``release`` or the end of this process."""
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-", dir=parent))
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return HeldFolder(path=path, descriptor=descriptor)


def is_held(folder: Path) -> bool:
    """Return whether a living process holds a folder, in whatever namespace it lives; one that is gone counts."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True  # gone meanwhile, or not ours to look into
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
