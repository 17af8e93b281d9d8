"""The fixed work: the same every time, in a process of its own, with a reason where it cannot be timed."""

import json
import os
import socket
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from harness.analysis.speed import REFERENCE_S
from harness.host import speed


def test_every_kind_of_work_gives_the_same_result_every_time() -> None:
    assert speed.interpret(5000) == speed.interpret(5000) != speed.interpret(4999)
    assert speed.translate(3) == 3 * len(json.dumps(speed.DOCUMENT))


def test_commits_leave_an_empty_table() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE work (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        assert [speed.commit(connection, 5), speed.commit(connection, 7)] == [5, 7]


def test_every_byte_comes_back() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert speed.exchange(near, far, 10) == 640


def test_rounds_take_turns_and_are_timed_one_by_one() -> None:
    ticks = count()
    done: list[str] = []
    kinds = {name: lambda name=name: done.append(name) for name in ("a", "b")}
    assert speed.timed(kinds, lambda: float(next(ticks)), 3) == {"a": [1.0] * 3, "b": [1.0] * 3}
    assert done == ["a", "b"] * 3


def test_seconds_are_medians_over_rounds() -> None:
    assert speed.judged({"a": [0.1, 9.0, 0.2]}, 1e-9).seconds == {"a": 0.2}


def test_a_coarse_clock_leaves_the_figure_out_with_its_reason() -> None:
    found = speed.judged({"a": [0.1, 0.2], "b": [0.1, 0.01]}, 0.001)
    assert (found.seconds, found.missing) == ({}, "the clock's step of 0.001 s is too coarse for the fixed work (a)")


def test_it_is_done_on_the_cpus_named_and_leaves_nothing(tmp_path: Path) -> None:
    found = speed.measured(tmp_path, sorted(os.sched_getaffinity(0))[:1])
    assert found.missing is None
    assert set(found.seconds) == set(REFERENCE_S)
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert list(tmp_path.iterdir()) == []


def test_work_that_fails_or_takes_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = speed.measured(tmp_path / "absent", [0])
    assert lost.seconds == {}
    assert lost.missing is not None
    assert lost.missing.startswith("the fixed work failed: FileNotFoundError")
    monkeypatch.setattr(speed, "LIMIT_S", 0.001)
    assert speed.measured(tmp_path, [0]).missing == "the fixed work took more than 0.001 s"
