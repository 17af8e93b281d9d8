"""The start of a program inside its control groups, in its own session, with a minimal environment and a log."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.errors import BenchError
from harness.host import watchdog
from harness.host.outer import OPEN_FILES

END_S = 3.0  # from killing what a program left to giving it up

# Runs in the child before the program: raises soft limits, which are a shell's habit, joins the groups, sets the
# affinity (in that order: joining a version 1 CPU set resets it), waits until the harness has noted the process, then
# becomes the program. Between fork and exec a function of the harness would not be safe beside threads.
_ENTER = """
import os, resource, sys
groups, cpus, files, program = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
try:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_NPROC, resource.RLIMIT_CPU):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (hard, hard))
    for group in filter(None, groups.split("\\n")):
        with open(group + "/cgroup.procs", "w") as kernel:
            kernel.write(str(os.getpid()))
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    if os.read(0, 1) != b"g":
        sys.exit(125)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.execvpe(program[0], program, os.environ)
except OSError as refused:
    sys.exit("not started: %s" % refused)
"""


def start(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    groups: Sequence[Path],
    cpus: Sequence[int],
    noted: Callable[[int], None],
) -> "subprocess.Popen[bytes]":
    """Return a process that runs ``command`` in ``groups`` on ``cpus``; ``noted`` gets its id before it runs.

    Raises:
        BenchError: the folder or the interpreter that starts it is missing.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    launcher = [sys.executable, "-I", "-S", "-c", _ENTER, "\n".join(map(str, groups)), ",".join(map(str, cpus))]
    launcher.append(str(OPEN_FILES))
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*launcher, *command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as refused:
        raise BenchError(
            f"{command[0]} could not be started in {cwd}: {refused.strerror}", "check that the command exists"
        ) from refused
    noted(process.pid)
    if process.stdin is not None:
        try:
            process.stdin.write(b"g")
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already; its log and return code show the reason
    return process


def run_to_end(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: IO[bytes], timeout_s: float
) -> int:
    """Return the exit code of a program that is run to its end; however that comes, nothing it started outlives it.

    Raises:
        subprocess.TimeoutExpired: it did not end in its time.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(timeout_s)
        finally:
            watchdog.kill_everything((), (process.pid,), time.monotonic() + END_S)


def environment(given: Mapping[str, str], private_folder: Path) -> dict[str, str]:
    """Return the few variables of a target: paths, language, its own home and the given ones.

    The user's secrets and personal configuration (``~/.streamlit`` and the like) stay outside.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(private_folder),
        "TMPDIR": str(private_folder),
        "LANG": "C.UTF-8",
        **given,
    }


def last_lines(log: Path, count: int = 15) -> list[str]:
    """Return the end of a log file without control characters, empty without a file."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64 * 1024))
        text = file.read().decode(errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    return ["".join(c for c in line if c.isprintable() or c == "\t")[:500] for line in lines[-count:]]
