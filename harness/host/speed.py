"""A fixed piece of work, timed: how fast this machine is at this moment.

Four kinds, because a chatbot does all of them: Python code, JSON, commits to SQLite, round trips over loopback. Counts
and contents never change, so that the seconds of two moments can be compared. It runs in a process of its own: what the
harness has in memory slows nothing, and a machine too slow for it costs a bounded time.

The seconds are CPU time. Programs that compete for the CPUs have rules of their own (foreign CPU, steal). Beside four
to ten busy processes on two CPUs the clock on the wall gave speeds of 0.3 to 1.0, and CPU time of 0.75 to 1.0.
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from statistics import median

from harness.records import FixedWork

ROUNDS = 9  # a kind's seconds are the median over them: one interruption changes nothing
LIMIT_S = 10.0  # for all of it, the start of its process included
TICKS = 1000  # of the clock that a round takes at least: a clock's error stays below 0.1 %
LOOPS, DOCUMENTS, COMMITS, ROUND_TRIPS = 80_000, 150, 1_500, 2_000
DOCUMENT = {
    "messages": [{"id": n, "role": "user", "text": f"message {n} of a conversation", "score": n / 7} for n in range(40)]
}
PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL")  # as every target of this repository opens its own

Clock = Callable[[], float]


def measured(folder: Path, cpus: Iterable[int]) -> FixedWork:
    """Return the fixed work as done just now on these CPUs; its database is made in ``folder`` and removed.

    It raises nothing: where the work cannot be done or timed, the record says why.
    """
    command = [sys.executable, "-m", __name__, str(folder), ",".join(map(str, cpus))]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return FixedWork(seconds={}, missing=f"the fixed work took more than {LIMIT_S:g} s")
    except OSError as error:
        return FixedWork(seconds={}, missing=f"the fixed work did not start: {error}")
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return FixedWork(seconds={}, missing=f"the fixed work failed: {said[0]}")
    return judged(json.loads(done.stdout), time.get_clock_info("process_time").resolution)


def judged(rounds: Mapping[str, Sequence[float]], resolution_s: float) -> FixedWork:
    """Return the record of timed rounds, in seconds by kind of work; pure.

    Args:
        rounds: The seconds of each round.
        resolution_s: Of the clock that timed them.
    """
    coarse = [kind for kind, seconds in rounds.items() if min(seconds) < TICKS * resolution_s]
    if coarse:
        text = f"the clock's step of {resolution_s:g} s is too coarse for the fixed work ({coarse[0]})"
        return FixedWork(seconds={}, missing=text)
    return FixedWork(seconds={kind: median(seconds) for kind, seconds in rounds.items()})


def timed(
    kinds: Mapping[str, Callable[[], object]], clock: Clock = time.process_time, count: int = ROUNDS
) -> dict[str, list[float]]:
    """Return the seconds of each round by kind; rounds of different kinds take turns."""
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(count):
        for kind, work in kinds.items():
            begun = clock()
            work()
            seconds[kind].append(clock() - begun)
    return seconds


def interpret(loops: int = LOOPS) -> int:
    """Run Python code: integers, a list, a dictionary; return a number that depends on all of it."""
    total, recent, counts = 0, [0] * 64, dict.fromkeys(range(64), 0)
    for n in range(loops):
        place = (n * 7919) & 63
        recent[place] = total & 1023
        counts[place] += recent[(place + 1) & 63]
        total += 1 + (counts[place] & 7)
    return total


def translate(documents: int = DOCUMENTS) -> int:
    """Write and read JSON; return the number of characters written."""
    characters = 0
    for _ in range(documents):
        text = json.dumps(DOCUMENT)
        characters += len(text)
        json.loads(text)
    return characters


def commit(connection: sqlite3.Connection, commits: int = COMMITS) -> int:
    """Insert a row in a transaction of its own, so many times, and remove them all; return how many there were."""
    for n in range(commits):
        with connection:
            connection.execute("INSERT INTO work (text) VALUES (?)", (f"message {n} of a conversation",))
    (rows,) = connection.execute("SELECT count(*) FROM work").fetchone()
    with connection:
        connection.execute("DELETE FROM work")
    return int(rows)


def exchange(near: socket.socket, far: socket.socket, trips: int = ROUND_TRIPS) -> int:
    """Send 64 bytes there and back over a connection, so many times; return the bytes that came back."""
    message, returned = b"x" * 64, 0
    for _ in range(trips):
        near.sendall(message)
        far.sendall(_whole(far, len(message)))
        returned += len(_whole(near, len(message)))
    return returned


def _whole(connection: socket.socket, size: int) -> bytes:
    got = connection.recv(size)
    while len(got) < size:
        got += connection.recv(size - len(got))
    return got


def run(folder: Path) -> dict[str, list[float]]:
    """Do all kinds of work and return their rounds' seconds; the first round of each is not timed."""
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".speed-") as place,
        closing(sqlite3.connect(Path(place) / "work.sqlite3", isolation_level="IMMEDIATE")) as connection,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=LIMIT_S) as near,
        server.accept()[0] as far,
    ):
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE work (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kinds: dict[str, Callable[[], object]] = {
            "interpreter": interpret,
            "json": translate,
            "sqlite": lambda: commit(connection),
            "loopback": lambda: exchange(near, far),
        }
        timed(kinds, count=1)  # files, caches and the interpreter's own preparations
        return timed(kinds)


def main(words: Sequence[str]) -> None:
    """Keep to the CPUs named, where the kernel allows it, and print the rounds' seconds as JSON."""
    folder, cpus = words
    with suppress(OSError):  # a control group may hold this process to others
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    print(json.dumps(run(Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
