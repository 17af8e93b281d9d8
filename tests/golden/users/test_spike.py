"""A spike over real sockets: further users come within a second, leave together, and every turn is accounted for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.records import SpikePlan
from tests.golden.users.trial import plan, run
from tests.golden.users.twin import Twin, running

pytestmark = pytest.mark.spread


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


def test_further_users_come_and_leave_while_the_others_go_on(twin: Twin, tmp_path: Path) -> None:
    spike = SpikePlan(users=9, after_s=1.0, hold_s=2.0)
    files = run(plan(tmp_path, twin.url, users=3, spike=spike, measure_min_s=5.0, measure_max_s=5.0))
    times, window = files.summary.spike, files.summary.phases["measure"]
    assert times is not None
    assert times.start_s == pytest.approx(window.start_s + 1.0)
    assert times.end_s == pytest.approx(times.start_s + 2.0)
    assert files.summary.users == 12
    further = [turn for turn in files.turns if turn.user >= 3]
    assert {turn.user for turn in further} == set(range(3, 12))
    assert all(times.start_s < turn.intended_s < times.end_s for turn in further)
    assert {turn.outcome for turn in further} == {"ok"}
    own = [turn.intended_s for turn in files.turns if turn.user < 3]
    assert min(own) < times.start_s
    assert max(own) > times.end_s
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    assert files.summary.turns_begun == files.summary.turns_ended == len(measured)
    assert twin.most_in_flight <= 12
