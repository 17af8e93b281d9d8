"""A trial by several generator processes: the same people as with one, in step, and nobody's turns are lost."""

import os
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from harness.records import LoadPlan, Turn
from harness.trials import accounts
from tests.golden.users.trial import assert_what_was_sent_is_recorded, finish, live_turn_seconds, plan, read_one, start
from tests.golden.users.twin import Twin, running

USERS = 7


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


def by_user(turns: list[Turn]) -> dict[int, list[Turn]]:
    found = defaultdict(list)
    for turn in sorted(turns, key=lambda turn: turn.intended_s):
        found[turn.user].append(turn)
    return dict(found)


def work(turn: Turn) -> tuple[int, int, int, str]:
    return turn.user, turn.conversation, turn.turn, turn.tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A trial that ran to its end, and the server that it was against."""

    load: LoadPlan
    gathered: accounts.Gathered
    twin: Twin


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Ended]:
    """Return the trial by so many processes, run the first time that it is asked for."""

    @cache
    def get(workers: int) -> Ended:
        with running() as server:
            load = plan(tmp_path_factory.mktemp("ended"), server.url, users=USERS, workers=workers)
            finish(load)
        return Ended(load=load, gathered=accounts.gather(Path(load.output), load), twin=server)

    return get


def test_workers_agree_on_when_the_load_has_settled(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, users=USERS, workers=2, warm_up_s=0.8, settle_s=10.0)
    finish(load)
    gathered = accounts.gather(tmp_path, load)
    assert gathered.faults == ()
    assert gathered.summary is not None
    assert gathered.summary.unsettled is None
    phases = gathered.summary.phases
    assert phases["measure"].start_s >= phases["ramp_up"].end_s + 0.7
    assert {turn.phase for turn in gathered.turns} >= {"warm_up", "measure"}


@pytest.fixture
def copied(ended: Callable[[int], Ended], tmp_path: Path) -> LoadPlan:
    """The plan of a trial by two processes whose files are in ``tmp_path``, to be spoilt there."""
    load = ended(2).load
    shutil.copytree(load.output, tmp_path, dirs_exist_ok=True)
    assert accounts.gather(tmp_path, load).faults == ()
    return load


@pytest.mark.parametrize("workers", [2, 3])
def test_the_work_is_that_of_one_process(ended: Callable[[int], Ended], workers: int) -> None:
    alone = by_user(ended(1).gathered.turns)
    gathered = ended(workers).gathered
    assert gathered.faults == ()
    shared = by_user(gathered.turns)
    assert set(shared) == set(alone) == set(range(USERS))
    for user, turns in shared.items():
        both = min(len(turns), len(alone[user]))
        assert both >= 3
        assert [work(turn) for turn in turns[:both]] == [work(turn) for turn in alone[user][:both]]
    start_s = gathered.summary.phases["ramp_up"].start_s if gathered.summary else 0.0
    one_start_s = min(turns[0].intended_s for turns in alone.values()) - min(t[0].intended_s for t in shared.values())
    for user, turns in shared.items():
        assert turns[0].intended_s >= start_s
        assert turns[0].intended_s + one_start_s == pytest.approx(alone[user][0].intended_s, abs=1e-6)


@pytest.mark.parametrize("workers", [2, 3])
def test_their_counts_add_up(ended: Callable[[int], Ended], workers: int) -> None:
    load, gathered, twin = ended(workers).load, ended(workers).gathered, ended(workers).twin
    summary = gathered.summary
    assert gathered.faults == ()
    assert summary is not None
    measured = [turn for turn in gathered.turns if turn.phase == "measure"]
    assert summary.users == USERS
    assert summary.turns_begun == summary.turns_ended == len(measured) >= USERS
    assert summary.turns_written == len(gathered.turns) == len({turn.tag for turn in gathered.turns})
    assert_what_was_sent_is_recorded(twin, gathered.turns)
    assert {turn.outcome for turn in measured} == {"ok"}
    assert twin.most_in_flight <= USERS
    assert [share.users for share in summary.workers] == [len(range(k, USERS, workers)) for k in range(workers)]
    assert sum(share.turns_written for share in summary.workers) == summary.turns_written
    assert all(share.cpu_s > 0 for share in summary.workers)
    window = summary.phases["measure"]
    assert load.measure_min_s <= window.end_s - window.start_s <= load.measure_max_s
    assert summary.live_turn_seconds == pytest.approx(live_turn_seconds(gathered.turns, window), rel=0.05)
    for k in range(workers):
        own = read_one(load, f"-{k}")
        assert {turn.user for turn in own.turns} == set(range(k, USERS, workers))
        assert own.summary.phases == summary.phases
        assert len(own.turns) == len(own.live)


def test_more_workers_than_shares_of_users(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, users=2, workers=3, measure_turns=2)
    finish(load)
    gathered = accounts.gather(tmp_path, load)
    assert gathered.faults == ()
    assert {turn.user for turn in gathered.turns} == {0, 1}


def long_trial(twin: Twin, tmp_path: Path) -> tuple[LoadPlan, "subprocess.Popen[str]"]:
    """Three workers that have begun to speak."""
    load = plan(tmp_path, twin.url, users=USERS, workers=3, measure_min_s=60.0, measure_max_s=60.0)
    process = start(load)
    deadline_s = time.monotonic() + 40
    while len(twin.sent) < 2 * USERS and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert len(twin.sent) >= 2 * USERS
    return load, process


def worker_pids(process: "subprocess.Popen[str]") -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children]


def test_a_killed_worker_ends_the_trial_and_is_named(twin: Twin, tmp_path: Path) -> None:
    load, process = long_trial(twin, tmp_path)
    pids = worker_pids(process)
    assert len(pids) == 3
    os.kill(pids[1], signal.SIGKILL)
    printed, _ = process.communicate(timeout=40)
    assert process.returncode == 1, printed
    gathered = accounts.gather(tmp_path, load)
    assert gathered.summary is None
    assert len(gathered.faults) == 1
    assert "of 3: it exited before writing generator-" in gathered.faults[0]
    assert len(gathered.turns) >= 4  # what the others measured is kept


def test_a_stopped_trial_ends_for_all(twin: Twin, tmp_path: Path) -> None:
    load, process = long_trial(twin, tmp_path)
    Path(load.stop_file).touch()
    printed, _ = process.communicate(timeout=40)
    assert process.returncode == 0, printed
    gathered = accounts.gather(tmp_path, load)
    assert gathered.faults == ()
    assert gathered.summary is not None
    assert gathered.summary.stopped_early
    assert gathered.summary.turns_begun == gathered.summary.turns_ended


def test_a_signal_ends_all_with_their_files(twin: Twin, tmp_path: Path) -> None:
    load, process = long_trial(twin, tmp_path)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=40)
    assert process.returncode == 1, printed
    assert all(read_one(load, f"-{k}").turns for k in range(3))


def test_workers_end_with_their_master(twin: Twin, tmp_path: Path) -> None:
    load, process = long_trial(twin, tmp_path)
    pids = worker_pids(process)
    process.kill()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    deadline_s = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    faults = accounts.gather(tmp_path, load).faults
    assert faults == tuple(f"worker {k} of 3 did not end as planned: the master ended" for k in range(3))


def test_workers_that_have_not_begun_end_with_their_master(twin: Twin, tmp_path: Path) -> None:
    process = start(plan(tmp_path, twin.url, users=USERS, workers=2))
    deadline_s = time.monotonic() + 40
    while len(worker_pids(process)) < 2 and time.monotonic() < deadline_s:
        time.sleep(0.001)
    assert len(worker_pids(process)) == 2
    process.kill()
    process.communicate(timeout=40)  # the end of what they print: nobody is left who could
    assert not twin.sent


def test_a_worker_told_to_end_makes_the_trial_invalid(twin: Twin, tmp_path: Path) -> None:
    load, process = long_trial(twin, tmp_path)
    os.kill(worker_pids(process)[0], signal.SIGTERM)
    process.communicate(timeout=40)
    faults = accounts.gather(tmp_path, load).faults
    assert any("did not end as planned: interrupted by SIGTERM" in fault for fault in faults)


def test_a_bad_plan_is_an_error_that_names_it(twin: Twin, tmp_path: Path) -> None:
    process = start(plan(tmp_path, twin.url, protocol="telnet", workers=2))
    printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "protocol 'telnet': expected one of" in printed
    assert "Traceback" not in printed


def test_a_truncated_file_is_named_and_never_short(copied: LoadPlan, tmp_path: Path) -> None:
    file = tmp_path / "turns-1.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-2]))
    short = accounts.gather(tmp_path, copied)
    assert short.summary is None
    assert short.faults == (f"worker 1 of 2 wrote {len(lines)} turns, its file holds {len(lines) - 2}",)
    file.write_text("".join(lines)[:-20])
    cut = accounts.gather(tmp_path, copied)
    assert cut.summary is None
    assert f"turns-1.jsonl:{len(lines)} cannot be read" in cut.faults[0]
    file.unlink()
    missing = accounts.gather(tmp_path, copied)
    assert missing.summary is None
    assert "turns-1.jsonl was not written" in missing.faults[0]
    assert missing.turns


def test_turns_of_somebody_elses_users_are_named(copied: LoadPlan, tmp_path: Path) -> None:
    a, b = tmp_path / "turns-0.jsonl", tmp_path / "turns-1.jsonl"
    a.write_text(a.read_text() + b.read_text().splitlines(keepends=True)[0])
    faults = accounts.gather(tmp_path, copied).faults
    assert "worker 0 of 2 did not simulate the users that are its share" in faults
