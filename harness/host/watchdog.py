"""A process that stops a trial's processes when the harness itself dies, even by kill -9.

A process of its own in a session of its own: it reads lines from a pipe whose other end only the harness holds. When
the pipe closes without ``bye``, everything it was told about is killed and removed. It runs as
``python -I -S watchdog.py`` and imports the standard library alone; the functions that kill serve the harness too.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

Kind = Literal["cgroup", "session", "folder", "command"]

CLEAN_UP_S = 4.0  # leaves one of the promised five seconds to notice
COMMAND_LIMIT_S = 9.0


class Watchdog:
    """The harness's side: the list of things to stop, sent to the watchdog process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            text=True,
        )

    @property
    def pid(self) -> int:
        """The id of the watchdog's process, whose CPU time is the harness's own."""
        return self._process.pid

    def watch(self, kind: Kind, name: str | int | Path) -> None:
        """Register a thing to stop and remove if the harness dies."""
        self._tell(f"{kind}\t{name}\n")

    def watch_command(self, command: Sequence[str]) -> None:
        """Register a command to run if the harness dies, after everything else was killed."""
        self._tell(f"command\t{json.dumps(list(command))}\n")

    def close(self) -> None:
        """End the watchdog without stopping anything."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        with suppress(BrokenPipeError):
            self._tell("bye\n")
            self._process.stdin.close()
        self._process.wait(timeout=CLEAN_UP_S)

    def _tell(self, line: str) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the watchdog was started without a pipe")
        self._process.stdin.write(line)
        self._process.stdin.flush()


def kill_everything(cgroups: Iterable[Path], sessions: Iterable[int], deadline_s: float) -> bool:
    """Return whether all processes of groups and sessions are dead, after killing them until a deadline."""
    cgroups, sessions = list(cgroups), set(sessions)
    while True:
        left = [pid for group in cgroups for pid in group_pids(group)] + (session_pids(sessions) if sessions else [])
        if not left:
            return True
        if time.monotonic() > deadline_s:
            return False
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def group_pids(group: Path) -> list[int]:
    """Return the processes of a group and of the groups below it."""
    pids: list[int] = []
    for folder, _, _ in os.walk(group):
        with suppress(FileNotFoundError, OSError):
            pids += [int(pid) for pid in Path(folder, "cgroup.procs").read_text().split()]
    return pids


def session_pids(sessions: set[int]) -> list[int]:
    """Return the living processes of sessions, without zombies."""
    pids: list[int] = []
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208  # names only
        with suppress(OSError):
            state, _, _, session = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[:4]
            if int(session) in sessions and state not in "ZX":
                pids.append(int(name))
    return pids


def remove_group(group: Path, deadline_s: float) -> bool:
    """Return whether a group and those below it are removed, waiting until the kernel releases ended processes."""
    while group.is_dir():
        with suppress(OSError):
            for folder, _, _ in os.walk(group, topdown=False):
                Path(folder).rmdir()
        if group.is_dir():
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.02)
    return True


def main() -> None:
    """Listen until the pipe closes; clean up unless the harness said goodbye."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the pipe, moments later at most
    watched: dict[str, list[str]] = {"cgroup": [], "session": [], "folder": [], "command": []}
    for line in sys.stdin:
        if line == "bye\n":
            return
        kind, name = line.rstrip("\n").split("\t", 1)
        watched[kind].append(name)
    deadline_s = time.monotonic() + CLEAN_UP_S
    groups = [Path(name) for name in watched["cgroup"]]
    kill_everything(groups, (int(name) for name in watched["session"]), deadline_s)
    for command in watched["command"]:
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(json.loads(command), check=False, timeout=COMMAND_LIMIT_S, stdin=subprocess.DEVNULL)
    for group in groups:
        remove_group(group, max(deadline_s, time.monotonic() + 1))
    for name in watched["folder"]:
        shutil.rmtree(name, ignore_errors=True)


if __name__ == "__main__":
    main()
