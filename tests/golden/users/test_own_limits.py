"""A limit of the load generator's own process is told as such: no turn that it spoils is the server's failure."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden.users.trial import plan, read, run, start
from tests.golden.users.twin import Twin, running

pytestmark = pytest.mark.spread
OPEN_FILES, USERS = 100, 140


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


def test_turns_without_a_file_to_open_are_the_generators(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, users=USERS)
    process = start(load, "sh", "-c", f'ulimit -n {OPEN_FILES} && exec "$@"', "sh")
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    files = read(load)
    lost = [turn for turn in files.turns if turn.outcome == "failed"]
    assert lost
    assert {turn.error_kind for turn in lost} == {"generator"}
    words = rf"the load generator reached a limit of its own: Too many open files \(`ulimit -n` is {OPEN_FILES}\)"
    assert all(re.fullmatch(words, turn.error or "") for turn in lost)


def test_visits_without_a_file_to_open_are_the_generators(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, scenario="visit", users=USERS)
    process = start(load, "sh", "-c", f'ulimit -n {OPEN_FILES} && exec "$@"', "sh")
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    errors = {visit.error for visit in read(load).summary.visits if visit.error}
    assert any(error.startswith("the load generator reached a limit of its own: ") for error in errors)


def test_with_files_enough_none_is(twin: Twin, tmp_path: Path) -> None:
    assert {turn.error_kind for turn in run(plan(tmp_path, twin.url, users=USERS)).turns} <= {None, "unfinished"}
