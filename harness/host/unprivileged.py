"""Programs that refuse to run as root: under root they run as nobody."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.host import scratch

NOBODY = 65534  # the user without rights, under this number on every common distribution
# Once it is somebody else it may not be able to read the interpreter's own files: it imports nothing from then on.
_BECOME = f"""
import os, sys
try:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
    os.execv(sys.argv[1], sys.argv[1:])
except OSError as refused:
    sys.exit("not started as user {NOBODY}: %s" % refused)
"""


def needed() -> bool:
    """Return whether this process is root."""
    return os.geteuid() == 0


def command(words: Sequence[str]) -> tuple[str, ...]:
    """Return a command that runs ``words`` as a user other than root."""
    program = shutil.which(words[0]) or words[0]
    return (sys.executable, "-I", "-S", "-c", _BECOME, program, *words[1:]) if needed() else tuple(words)


def temporary_folder() -> str:
    """Return a folder for temporary files that the user of ``command`` can reach.

    It is the one for trials' data, unless a folder on the way to it is closed to others.
    """
    usual = str(scratch.base())
    if not needed():
        return usual
    return next((folder for folder in (usual, "/var/tmp", "/tmp") if _open_to_others(Path(folder))), usual)  # noqa: S108  # mkdtemp makes a folder of its own inside


def _open_to_others(folder: Path) -> bool:
    return all(step.is_dir() and step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def hand_over(folder: Path) -> None:
    """Give a folder with all in it to the user of ``command``, and open the way to it; without root it stays."""
    if not needed():
        return
    folder.parent.chmod(folder.parent.stat().st_mode | 0o011)
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(parent, name), NOBODY, NOBODY, follow_symlinks=False)
