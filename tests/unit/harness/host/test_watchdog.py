"""The watchdog, with a harness that is really killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.host import watchdog
from harness.host.watchdog import Watchdog

HARNESS = """
import signal, sys, time
from pathlib import Path
from harness.host import cgroups
from harness.host.cgroups import Budget
from harness.runtimes.local import Launch, LocalRuntime

folder = Path(sys.argv[1])
runtime = LocalRuntime(Budget(cpus=1, memory_bytes=128 << 20), cgroups.find if sys.argv[2] == "yes" else lambda: None)
pod = runtime.open_trial("victim", folder)
# deaf to SIGTERM, with a child that is too
script = (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork();"
    "print(os.getpid(), flush=True); time.sleep(600)"
)
for name in ("one", "two"):
    pod.start(
        Launch(
            name=name, role="target", command=(sys.executable, "-I", "-S", "-c", script), cwd=folder, env={},
            log=folder / f"{name}.log", version="1", endpoint=None, ready_url=None,
        )
    )
print(pod._guard.pid, pod.scratch(), *pod._trees, flush=True)
time.sleep(600)
"""


def start_harness(tmp_path: Path, enforced: str) -> "tuple[subprocess.Popen[str], int, list[Path]]":
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path), enforced],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert harness.stdout is not None
    guard, *places = harness.stdout.readline().split()
    return harness, int(guard), [Path(place) for place in places]


def pids_of(tmp_path: Path) -> list[int]:
    pids: list[int] = []
    deadline_s = time.monotonic() + 20
    while len(pids) < 4:
        assert time.monotonic() < deadline_s, f"only {pids} came up"
        time.sleep(0.02)
        pids = [int(line) for log in tmp_path.glob("*.log") for line in log.read_text().splitlines()]
    return pids


def living(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            found.append(pid)
    return found


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("enforced", [pytest.param("yes", marks=pytest.mark.cgroup), "no"])
def test_nothing_outlives_a_killed_harness(tmp_path: Path, enforced: str) -> None:
    harness, guard, places = start_harness(tmp_path, enforced)
    pids = pids_of(tmp_path)
    assert len(places) > (1 if enforced == "yes" else 0)
    assert living([*pids, guard]) == [*pids, guard]
    harness.kill()
    harness.wait()
    assert within(5, lambda: not living([*pids, guard])), f"after 5 s there still are {living([*pids, guard])}"
    assert [place for place in places if place.exists()] == []
    if harness.stdout:
        harness.stdout.close()


def test_after_goodbye_everything_is_left_alone(tmp_path: Path) -> None:
    kept, removed = tmp_path / "kept", tmp_path / "removed"
    kept.mkdir()
    removed.mkdir()
    polite = Watchdog()
    polite.watch("folder", kept)
    polite.close()
    polite.close()
    assert kept.is_dir()

    abandoned = Watchdog()
    abandoned.watch("folder", removed)
    assert abandoned._process.stdin is not None
    abandoned._process.stdin.close()
    assert abandoned._process.wait(20) == 0
    assert (kept.is_dir(), removed.exists()) == (True, False)


def test_the_watchdog_does_not_end_by_the_signals_of_a_terminal() -> None:
    guard = Watchdog()
    guard.watch("folder", "/nonexistent/chatbench")  # answered by nothing: the signals below come after it started
    assert within(
        20, lambda: "SigIgn" in (status := Path(f"/proc/{guard.pid}/status").read_text()) and _ignores(status)
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guard.pid, number)
    time.sleep(0.05)
    assert living([guard.pid]) == [guard.pid]
    guard.close()
    assert living([guard.pid]) == []


def _ignores(status: str) -> bool:
    mask = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")), 16)
    return all(mask >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))


def test_sessions_are_killed_whole() -> None:
    script = "import os, time; os.fork(); print('up', flush=True); time.sleep(600)"
    leader = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", script], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert leader.stdout is not None
    assert [leader.stdout.readline(), leader.stdout.readline()] == ["up\n", "up\n"]
    pids = watchdog.session_pids({leader.pid})
    assert len(pids) == 2
    assert watchdog.kill_everything((), {leader.pid}, time.monotonic() + 10)
    leader.wait(10)
    leader.stdout.close()
    assert living(pids) == []
