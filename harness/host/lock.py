"""One campaign at a time on a machine, whoever starts it and whatever its TMPDIR, home or namespaces.

The lock is taken in several places at once, and is somebody else's if it is in one of them. Two campaigns in containers
may share a single one: the network namespace has the socket's name, a common mount has a file.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from harness.errors import BenchError
from harness.host import procfs

#: where every user may make a file; those in memory go with a restart
FOLDERS = tuple(map(Path, ("/run/lock", "/var/lock", "/dev/shm", "/tmp", "/var/tmp")))  # noqa: S108  # a known name is the point
FILE = "chatbench.lock"
SOCKET = "\0chatbench"  # an abstract name: it is in no folder
VARIABLE = "CHATBENCH_LOCKS"  # a folder for the only lock: tests measure nothing that counts
TRIES = 5
NO_PLACE = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ELOOP,
    errno.EISDIR,
    errno.ENOSPC,
)


@contextmanager
def one_campaign() -> Iterator[None]:
    """Hold the machine's lock while the block runs; the kernel releases it when this process ends, however it does.

    Raises:
        BenchError: another campaign holds it, with its process id; or no lock can be taken anywhere.
    """
    named = os.environ.get(VARIABLE)
    with ExitStack() as held:
        taken: set[tuple[int, int]] = set()
        for folder in [Path(named)] if named else FOLDERS:
            _take_file(held, folder / FILE, taken)
        named_too = not named and _take_socket(held)
        if not (taken or named_too):
            raise BenchError(
                f"no lock for this machine can be taken in {', '.join(map(str, FOLDERS))}",
                "make one of these folders writable for this user",
            )
        yield


def _take_file(held: ExitStack, file: Path, taken: set[tuple[int, int]]) -> None:
    """Lock a file, where there may be one, and add it to those taken; raises BenchError where another campaign has."""
    try:
        descriptor = _opened(file)
    except OSError as refused:
        if refused.errno in NO_PLACE:
            return
        raise
    held.callback(os.close, descriptor)
    found = os.fstat(descriptor)
    if (found.st_dev, found.st_ino) in taken:  # /var/lock is /run/lock: a second lock of ours would be refused
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _measuring(os.pread(descriptor, 32, 0).decode(errors="replace").strip()) from None
    taken.add((found.st_dev, found.st_ino))
    with suppress(OSError):  # opened for reading alone, or a full disk: the lock holds without a number
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _opened(file: Path) -> int:
    """Return the open lock file, even that of another user.

    In a folder open to all, the kernel lets nobody create over another user's file (fs.protected_regular).
    """
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    for _ in range(TRIES):
        try:
            return os.open(file, os.O_RDWR | flags)
        except PermissionError:  # it is another user's, who made it for reading: that is enough for a lock
            return os.open(file, os.O_RDONLY | flags)
        except FileNotFoundError:
            pass
        try:
            made = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o666)
        except FileExistsError:
            continue  # another process was faster
        os.fchmod(made, 0o666)  # whatever the umask: the next user's process writes its number
        return made
    raise FileNotFoundError(errno.ENOENT, "it is made and removed all the time", str(file))


def _take_socket(held: ExitStack) -> bool:
    """Return whether the name of the socket could be taken; raises BenchError where another campaign has it."""
    taken = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        taken.bind(SOCKET)
    except OSError as refused:
        if refused.errno == errno.EADDRINUSE:
            raise _measuring("") from None
        return False  # a kernel or a sandbox without such names
    return True


def _measuring(holder: str) -> BenchError:
    """Return the error that names a holder; its number may be an earlier one's, or one of another namespace."""
    known = holder.isdigit() and procfs.process(int(holder)) is not None
    who = f"process {holder}" if known else "a process of another user or container"
    remedy = f"stop it with: kill -INT {holder}" if known else "stop it there"
    return BenchError(
        f"{who} is measuring on this machine; two campaigns would disturb each other", f"wait for it, or {remedy}"
    )
