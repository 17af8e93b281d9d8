"""Whole trials of the load generator against servers of known timing: no turn is lost, every count agrees."""

import itertools
import re
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.records import Distribution
from loadtests.schedule.draws import think_s
from tests.golden.users.trial import assert_what_was_sent_is_recorded, live_turn_seconds, plan, read, run, start
from tests.golden.users.twin import SEED, Script, Twin, running

ROUNDING_S = 1e-6
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.spread


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


def test_a_trial_reconciles(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url)
    files = run(load)
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    summary = files.summary
    assert summary.turns_begun == summary.turns_ended == len(measured) >= 4
    assert summary.turns_written == len(files.turns) == len(files.live) == len({turn.tag for turn in files.turns})
    assert (summary.recorder_errors, summary.sign_in_failures, summary.stopped_early) == (0, 0, False)
    assert {turn.outcome for turn in measured} == {"ok"}
    assert_what_was_sent_is_recorded(twin, files.turns)
    assert twin.most_in_flight <= load.users
    assert summary.cpu_s > 0

    window = summary.phases["measure"]
    assert load.measure_min_s <= window.end_s - window.start_s <= load.measure_max_s
    for turn in files.turns:
        inside = window.start_s <= turn.intended_s < window.end_s
        assert (turn.phase == "measure") == inside
        assert turn.sent_s >= turn.intended_s

    live_s = live_turn_seconds(files.turns, window)
    assert summary.live_turn_seconds != live_s  # of another origin: equal to the last bit would be a copy
    assert summary.live_turn_seconds == pytest.approx(live_s, rel=0.05)


def test_the_next_message_comes_one_think_time_after_the_answer(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url)
    by_user = defaultdict(list)
    for turn in run(load).turns:
        by_user[turn.user].append(turn)
    assert set(by_user) == {0, 1, 2, 3}
    for user, turns in by_user.items():
        turns.sort(key=lambda turn: turn.sent_s)
        for before, after in itertools.pairwise(turns):
            pause_s = think_s(load.think_s, SEED, user, after.conversation, after.turn)
            assert before.done_s is not None
            assert after.intended_s == pytest.approx(before.done_s + pause_s, abs=1e-6)
            follows = (before.conversation, before.turn + 1), (before.conversation + 1, 0)
            assert (after.conversation, after.turn) in follows


def test_with_nobody_listening_every_turn_is_a_connection_failure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    files = run(plan(tmp_path, url))
    assert len(files.turns) >= 4
    finished = [turn for turn in files.turns if turn.outcome != "incomplete"]
    assert {(turn.outcome, turn.error_kind) for turn in finished} == {("failed", "connection")}
    assert files.summary.turns_begun == files.summary.turns_ended


def test_an_answer_that_never_ends_is_a_timeout(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(fault="hang", fault_at=3, fault_s=30.0)
    files = run(plan(tmp_path, twin.url, turn_timeout_s=0.5))
    failed = [turn for turn in files.turns if turn.outcome == "failed"]
    assert failed
    for turn in failed:
        assert turn.error_kind == "timeout"
        assert turn.arrival_tokens[-1] == 3
        assert turn.done_s is not None
        assert turn.done_s - turn.sent_s >= 0.5


def test_turns_unfinished_after_the_drain_are_incomplete(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(fault="hang", fault_at=3, fault_s=30.0)
    files = run(plan(tmp_path, twin.url, measure_max_s=1.0, drain_s=0.5))
    assert {(turn.outcome, turn.error_kind, turn.done_s) for turn in files.turns} == {
        ("incomplete", "unfinished", None)
    }
    assert {turn.arrival_tokens[-1] for turn in files.turns} == {3}
    assert sorted(turn.user for turn in files.turns) == [0, 1, 2, 3]


def test_a_session_not_taken_is_counted_and_fails_its_turns(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(fault="401")
    files = run(plan(tmp_path, twin.url))
    assert files.summary.sign_in_failures >= 4
    assert "failed" in {turn.outcome for turn in files.turns}


def test_the_stop_file_ends_the_trial(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, measure_min_s=30.0, measure_max_s=30.0)
    process = start(load)
    deadline_s = time.monotonic() + 20
    while len(twin.sent) < 4 and time.monotonic() < deadline_s:
        time.sleep(0.02)
    Path(load.stop_file).touch()
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 0, printed
    files = read(load)
    assert files.summary.stopped_early
    assert (
        "drain" not in files.summary.phases
        or files.summary.phases["drain"].start_s == files.summary.phases["drain"].end_s
    )
    assert len(files.turns) == len(files.live)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_files(twin: Twin, tmp_path: Path, number: signal.Signals) -> None:
    load = plan(tmp_path, twin.url, measure_min_s=30.0, measure_max_s=30.0)
    process = start(load)
    deadline_s = time.monotonic() + 20
    while len(twin.sent) < 6 and time.monotonic() < deadline_s:
        time.sleep(0.02)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 1, printed
    files = read(load)
    assert files.summary.stopped_early
    assert files.summary.note == f"interrupted by {number.name}"
    assert files.summary.turns_begun == files.summary.turns_ended
    assert len(files.turns) >= 6
    assert printed == ""


def test_the_error_left_out_of_the_log_is_in_locusts_own_words() -> None:
    ours = re.search('ENDED_USER = "(.*)"', (ROOT / "loadtests/locustfile.py").read_text())
    locust = find_spec("locust")
    assert ours
    assert locust
    assert locust.origin
    assert ours[1] in Path(locust.origin).with_name("runners.py").read_text()


def test_idle_opens_sessions_step_by_step(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, scenario="idle", users=0, steps=(0, 3, 7), hold_s=0.3)
    files = run(load)
    assert [step.sessions for step in files.summary.steps] == [0, 3, 7]
    assert all(step.end_s - step.start_s >= 0.3 for step in files.summary.steps)
    assert [turn.outcome for turn in files.turns] == ["ok"] * 27
    assert sorted(turn.user for turn in files.turns) == list(range(27))
    visits = [turn for turn in files.turns if turn.user >= 7]  # twenty who came and left before the first step
    assert all(turn.done_s is not None and turn.done_s <= files.summary.steps[0].start_s for turn in visits)
    for step in files.summary.steps:  # no message in a quiet window
        for turn in files.turns:
            assert turn.done_s is not None
            assert turn.done_s <= step.start_s or turn.sent_s >= step.end_s


OWN_CLASS = """
from loadtests.page import Page

class Own(Page):
    def connect(self): pass
    def new_conversation(self): pass
    def ask(self, text, nonce, reading):
        if self.visitor.number == 1:
            raise RuntimeError("user code broke")
        reading.saw(nonce + " ")
        reading.saw(nonce + " abcd [end]")
        reading.finish()
"""


def test_a_user_class_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "user.py"
    path.write_text(OWN_CLASS)
    load = plan(
        tmp_path / "out", "http://127.0.0.1:9", user_class=f"{path}:Own", think_s=Distribution(median=0.1), users=2
    )
    turns = run(load).turns
    assert {turn.outcome for turn in turns if turn.user == 0} == {"ok"}
    assert {turn.arrival_tokens[-1] for turn in turns if turn.user == 0} == {3}
    assert {turn.error for turn in turns if turn.user == 1} == {"RuntimeError: user code broke"}


def test_a_bad_plan_is_an_error_that_names_it(twin: Twin, tmp_path: Path) -> None:
    process = start(plan(tmp_path, twin.url, protocol="telnet"))
    printed, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "protocol 'telnet': expected one of forms, openai, rest, streamlit" in printed
