"""What a killed harness and its killed watchdog left is found wherever it is, and nothing of the living is touched."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.host import leftovers, scratch
from harness.host.cgroups import Hierarchy

ENDED_PID = 4194999  # above the kernel's largest process id


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The number of a process that does nothing."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]) as process:
        yield process.pid
        process.kill()


def group(folder: Path, *pids: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return folder


def hierarchy(top: Path) -> Hierarchy:
    own = top / "user.slice" / "session-2.scope"
    own.mkdir(parents=True, exist_ok=True)
    return Hierarchy(version=2, own={"memory": own, "cpuset": own}, tops={"memory": top, "cpuset": top})


def test_groups_in_another_scope_are_found(tmp_path: Path, sleeper: int) -> None:
    elsewhere = tmp_path / "user.slice" / "run-u7.scope"
    left = group(elsewhere / f"chatbench-trial-1-{ENDED_PID}")
    group(left / "target" / "app", sleeper)
    group(elsewhere / f"chatbench-trial-2-{os.getpid()}", sleeper)
    assert leftovers.groups(hierarchy(tmp_path)) == [left]


def test_groups_above_our_own_are_found_even_where_they_are_empty(tmp_path: Path) -> None:
    found = hierarchy(tmp_path)
    left = group(found.own["memory"] / f"chatbench-x-{ENDED_PID}")
    group(found.own["memory"] / "chatbench-x-1")
    assert leftovers.groups(found) == [left]


def test_an_empty_group_elsewhere_may_be_a_containers_and_stays(tmp_path: Path) -> None:
    group(tmp_path / "docker" / "4f00" / f"chatbench-x-{ENDED_PID}")
    assert leftovers.groups(hierarchy(tmp_path)) == []


def test_a_group_whose_processes_count_otherwise_stays(
    tmp_path: Path, sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    group(tmp_path / "docker" / "4f00" / f"chatbench-x-{ENDED_PID}", sleeper)
    monkeypatch.setattr(leftovers, "_namespace", lambda pid: f"pid:[{pid}]")
    assert leftovers.groups(hierarchy(tmp_path)) == []


def test_no_control_groups_have_no_leftovers() -> None:
    assert leftovers.groups(None) == []


def test_a_folder_that_nobody_holds_goes_with_the_processes_started_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "SETTLED_S", -1.0)
    living, dead = scratch.make("living", tmp_path), scratch.make("dead", tmp_path)
    other = tmp_path / "chatbench-check-1"
    other.mkdir()
    words = [sys.executable, "-I", "-S", "-c", "print(flush=True); import time; time.sleep(600)"]
    env = {"HOME": str(dead.path)}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is the program by now: its variables are its own
        dead.release()
        leftovers.sweep(None, tmp_path)
        assert process.wait(10) == -9
    assert sorted(tmp_path.iterdir()) == sorted([living.path, other])
    living.release()


def test_a_process_that_was_left_is_found_below_another_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "SETTLED_S", -1.0)
    (tmp_path / "then").mkdir()
    living, dead = (scratch.make(name, tmp_path / "then") for name in ("living", "dead"))
    words = [sys.executable, "-I", "-S", "-c", "print(flush=True); import time; time.sleep(600)"]
    started = [subprocess.Popen(words, env={"HOME": str(one.path)}, stdout=subprocess.PIPE) for one in (living, dead)]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    dead.release()
    leftovers.sweep(None, tmp_path)
    assert started[1].wait(10) == -9
    assert started[0].poll() is None
    assert [living.path.exists(), dead.path.exists()] == [True, False]
    for process in started:
        with process:
            process.kill()
    living.release()


def test_a_folder_made_this_moment_stays(tmp_path: Path) -> None:
    made = scratch.make("new", tmp_path)
    made.release()
    assert leftovers.folders(tmp_path) == []
    assert time.time() - made.path.stat().st_ctime < leftovers.SETTLED_S
