"""PostgreSQL as a process of this machine: the cluster of the containers, by the same script and settings."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.environments import POSTGRES_PROGRAMS
from harness.errors import BenchError
from harness.host import launch, unprivileged
from harness.host.watchdog import Watchdog

SETTINGS = Path(__file__).resolve().parents[3] / "compose" / "postgres"
FOLDER = "postgres"  # in a target's seeded data
START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0


class PostgresError(BenchError):
    """PostgreSQL does not start, or not stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """PostgreSQL on the cluster in a folder of its own, to be started."""

    home: Path
    programs: Path
    settings: Path
    password: str

    @property
    def cluster(self) -> Path:
        """Where the data is."""
        return self.home / "cluster"

    def command(self, port: int) -> tuple[str, ...]:
        """Return what starts it at a port of 127.0.0.1; an empty folder becomes a cluster first."""
        options = {"port": port, "hba_file": self.settings / "pg_hba.conf", "unix_socket_directories": ""}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return unprivileged.command(["bash", str(self.settings / "entry"), *words])

    def variables(self) -> dict[str, str]:
        """Return the variables that the command reads."""
        return {
            "PATH": f"{self.programs / POSTGRES_PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "TMPDIR": str(self.home),
            "PGDATA": str(self.cluster),
            "PGSETTINGS": str(self.settings),
            "DB_PASSWORD": self.password,
        }

    def url(self, port: int) -> str:
        """Return the value of DATABASE_URL."""
        return f"postgresql://chat:{self.password}@127.0.0.1:{port}/chat"


def server(programs: Path, home: Path, password: str) -> Server:
    """Return a server on ``home``/cluster, where it will find all that it needs.

    Under root it runs as somebody who may not be able to read the checkout: it gets a copy of programs and settings.
    """
    home.mkdir(exist_ok=True)
    settings = SETTINGS
    if unprivileged.needed():
        programs = Path(
            shutil.copytree(programs, home / "programs", symlinks=True, ignore=shutil.ignore_patterns("include"))
        )
        settings = Path(shutil.copytree(SETTINGS, home / "settings"))
    unprivileged.hand_over(home)
    return Server(home=home, programs=programs, settings=settings, password=password)


def restored(programs: Path, data: Path, scratch: Path, password: str) -> Server:
    """Return a server on the cluster of a copy of seeded data; the cluster moves to a folder of its own.

    ``scratch``: a folder that whoever runs the server can reach.
    """
    home = scratch / FOLDER
    home.mkdir()
    shutil.move(data / FOLDER, home / "cluster")
    return server(programs, home, password)


def fill(programs: Path, password: str, template: Path, log: Path, work: Callable[[str], None]) -> None:
    """Make a cluster in the folder ``template``; ``work`` gets the URL of its empty database and fills it.

    Raises:
        PostgresError: PostgreSQL did not start or did not stop, with the last lines of ``log``.
    """
    with tempfile.TemporaryDirectory(prefix="chatbench-postgres-", dir=unprivileged.temporary_folder()) as scratch:
        made = server(programs, Path(scratch, "postgres"), password)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        with _running(made, port, log):
            work(made.url(port))
            _tidy(programs, made.url(port), log)
        shutil.copytree(made.cluster, template)


def _tidy(programs: Path, url: str, log: Path) -> None:
    """Clean up and take statistics now: PostgreSQL would do it by itself, in the middle of some trials."""
    command = [str(programs / POSTGRES_PROGRAMS / "psql"), url, "--quiet", "--command", "VACUUM (ANALYZE)"]
    silent = {"PGOPTIONS": "-c client_min_messages=error"}  # the catalogues belong to somebody else
    with log.open("ab") as output:
        done = subprocess.run(
            command, env={**os.environ, **silent}, stdout=output, stderr=subprocess.STDOUT, check=False, timeout=120
        )
    if done.returncode:
        raise _failed(f"did not clean up: psql ended with {done.returncode}", log)


@contextmanager
def _running(made: Server, port: int, log: Path) -> Iterator[None]:
    """Run a server while the block does, outside of any trial; a watchdog ends it if the harness dies."""
    log.parent.mkdir(parents=True, exist_ok=True)
    guard = Watchdog()
    with log.open("ab") as output:
        process = subprocess.Popen(
            made.command(port),
            cwd=made.home,
            env=launch.environment(made.variables(), made.home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guard.watch("session", process.pid)
    guard.watch("folder", made.home.parent)
    try:
        await_ready(made, log, process.poll)
        yield
        process.send_signal(signal.SIGINT)  # ends the connections, writes everything, stops
        if process.wait(STOP_LIMIT_S):
            raise _failed(f"ended with {process.returncode} when it was stopped", log)
    except subprocess.TimeoutExpired:
        raise _failed(f"did not stop in {STOP_LIMIT_S:g} s", log) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGQUIT)  # at once, and nothing is left in shared memory
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        guard.close()


def await_ready(made: Server, log: Path, ended: Callable[[], int | None] = lambda: None) -> None:
    """Wait until a started server takes connections: its port listens before that.

    Args:
        ended: Returns the exit code of a server that has ended.

    Raises:
        PostgresError: it did not in ``START_LIMIT_S``, with the last lines of ``log``.
    """
    deadline_s = time.monotonic() + START_LIMIT_S
    while not is_ready(made.cluster):
        if (code := ended()) is not None:
            raise _failed(f"ended with {code} before it was ready", log)
        if time.monotonic() > deadline_s:
            raise _failed(f"was not ready in {START_LIMIT_S:g} s", log)
        time.sleep(0.01)


def is_ready(cluster: Path) -> bool:
    """Return whether the server on a cluster takes connections: the last line of its postmaster.pid says so."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()[7:8] == ["ready   "]
    except FileNotFoundError:
        return False


def _failed(what: str, log: Path) -> PostgresError:
    tail = "".join(f"\n    {line}" for line in launch.last_lines(log)) or "\n    (nothing)"
    return PostgresError(f"PostgreSQL {what}; the end of {log}:{tail}", "see there what it lacks")
