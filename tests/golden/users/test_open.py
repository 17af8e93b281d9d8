"""Open arrivals over real sockets: they never wait, whatever the server does, and every count agrees."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.schedule.draws import arrival_gap_s, arrival_tag
from tests.golden.users.trial import live_turn_seconds, plan, run
from tests.golden.users.twin import SEED, Script, Twin, running

pytestmark = pytest.mark.spread


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


def test_turns_arrive_as_the_seed_says_and_reconcile(twin: Twin, tmp_path: Path) -> None:
    load = plan(tmp_path, twin.url, users=40, arrivals_per_s=20.0, measure_min_s=1.5, warm_up_s=0.5)
    files = run(load)
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    summary = files.summary
    assert summary.arrivals is not None
    assert (summary.arrivals.per_s, summary.arrivals.without_user) == (20.0, 0)
    assert summary.turns_begun == summary.turns_ended == len(measured) >= 10
    assert summary.turns_written == len(files.turns) == len({turn.tag for turn in files.turns})
    assert {turn.outcome for turn in measured} == {"ok"}

    arrived = sorted(files.turns, key=lambda turn: turn.intended_s)
    assert [turn.tag for turn in arrived] == [arrival_tag(SEED, n) for n in range(len(arrived))]
    gaps = [after.intended_s - before.intended_s for before, after in itertools.pairwise(arrived)]
    assert gaps == pytest.approx([arrival_gap_s(SEED, n, 20.0) for n in range(1, len(arrived))], abs=1e-6)

    window = summary.phases["measure"]
    assert summary.live_turn_seconds == pytest.approx(live_turn_seconds(files.turns, window), rel=0.05)
    assert len({turn.user for turn in files.turns}) <= summary.users <= 40
    for _, turns in itertools.groupby(sorted(files.turns, key=lambda t: (t.user, t.sent_s)), key=lambda t: t.user):
        for before, after in itertools.pairwise(turns):  # a user has one turn at a time
            assert before.done_s is not None
            assert after.sent_s >= before.done_s or after.intended_s < before.done_s


def test_a_server_that_hangs_does_not_slow_the_arrivals(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(fault="hang", fault_at=0, fault_s=30.0)
    load = plan(tmp_path, twin.url, users=100, arrivals_per_s=20.0, measure_min_s=1.5, measure_max_s=1.5, drain_s=0.3)
    files = run(load)
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    window = files.summary.phases["measure"]
    due_s, wanted = window.start_s - load.warm_up_s, 0
    for n in itertools.count():  # all that were due, worked out without the generator
        due_s += arrival_gap_s(SEED, n, 20.0)
        if due_s >= window.end_s:
            break
        wanted += due_s >= window.start_s
    assert len(measured) == files.summary.turns_begun == files.summary.turns_ended == wanted
    assert {turn.outcome for turn in measured} == {"incomplete"}
    assert files.summary.users > 20  # a closed workload's users would all have waited for their first answer


def test_too_few_users_are_counted_and_their_arrivals_are_not_lost(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(ttft_s=0.5)
    load = plan(tmp_path, twin.url, users=2, arrivals_per_s=20.0, measure_min_s=1.0, measure_max_s=1.0, drain_s=0.5)
    files = run(load)
    assert files.summary.users == 2
    assert files.summary.arrivals is not None
    assert files.summary.arrivals.without_user > 0
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    assert files.summary.turns_begun == files.summary.turns_ended == len(measured) >= 5
    never_met = [turn for turn in measured if turn.user >= 2]
    assert never_met
    assert {turn.outcome for turn in never_met} == {"incomplete"}


def test_a_late_message_counts_from_its_arrival(twin: Twin, tmp_path: Path) -> None:
    twin.script = Script(ttft_s=0.4, tokens=2)
    load = plan(tmp_path, twin.url, users=1, arrivals_per_s=5.0, measure_min_s=2.0, measure_max_s=2.0)
    turns = [turn for turn in run(load).turns if turn.outcome == "ok"]
    for before, after in itertools.pairwise(sorted(turns, key=lambda turn: turn.intended_s)):
        assert before.done_s is not None
        assert after.first_s is not None
        if after.intended_s < before.done_s:
            assert after.sent_s == after.intended_s  # the person waited from then on
            assert after.first_s - after.intended_s >= before.done_s - after.intended_s + 0.4
