"""When a running trial need not go on."""

from pathlib import Path
from typing import Any

import pytest

from harness import profiles
from harness.records import LoadPlan
from harness.trials.generator import in_one_piece
from harness.trials.plans import chat_plan, climb_plan
from harness.trials.watching import Live, Worst, verdict_is_certain

QUICK = profiles.load("quick")


def plan(users: int = 410) -> LoadPlan:
    return chat_plan(QUICK, protocol="rest", instances=("http://127.0.0.1:1",), users=users, folder=Path(), seed=1)


def row(sent_s: float = 0.0, **changes: Any) -> dict[str, Any]:
    return {"phase": "measure", "sent_s": sent_s, "ttft_s": 0.31, "stall_s": 0.03, "ok": True} | changes


def certain(live: Live, load: LoadPlan | None = None) -> bool:
    return verdict_is_certain(live, load or plan(), 1000, may_fail=True)


@pytest.mark.parametrize("bad", [{"ttft_s": 0.9}, {"stall_s": 0.4}, {"ok": False, "ttft_s": None, "stall_s": None}])
def test_a_trial_is_certain_to_fail_once_more_than_one_turn_in_twenty_is_beyond(bad: dict[str, Any]) -> None:
    live = Live(worst=Worst.of(QUICK))
    for _ in range(51):  # 5 % of 1,000 turns that fit, and one
        live.add(row(**bad))
    assert not certain(live)
    live.add(row(**bad))
    assert certain(live)


def test_different_flaws_are_not_added_up() -> None:
    live = Live(worst=Worst.of(QUICK))
    for n in range(80):
        live.add(row(**({"ttft_s": 0.9} if n % 2 else {"stall_s": 0.4})))
    assert not certain(live)


def test_turns_before_measure_do_not_count() -> None:
    live = Live(worst=Worst.of(QUICK))
    for _ in range(200):
        live.add(row(phase="warm_up", ok=False))
    assert not certain(live)


def test_a_scenario_that_does_not_end_with_its_verdict_is_never_cut() -> None:
    live = Live(worst=Worst.of(QUICK))
    for _ in range(900):
        live.add(row(ok=False))
    assert certain(live)
    assert not verdict_is_certain(live, plan(), 1000, may_fail=False)


def test_a_whole_window_is_kept() -> None:
    """Late answers of *measure* that come in *drain* cost none of its figures."""
    live = Live(worst=Worst.of(QUICK))
    live.add(row(phase="drain"))
    for _ in range(900):
        live.add(row(ok=False))
    assert not certain(live)


@pytest.mark.parametrize("late", [{"ttft_s": 0.3 + 0.5 + 0.04}, {"stall_s": 0.02 + 0.25 + 0.04}])
def test_what_the_model_itself_is_late_is_no_turn_beyond_the_slo(late: dict[str, float]) -> None:
    """*Added* subtracts its step of 10 ms and its lag, which the client cannot see."""
    live = Live(worst=Worst.of(QUICK))
    for _ in range(900):
        live.add(row(**late))
    assert not certain(live)


def test_slow_first_tokens_are_no_reason_where_turns_make_several_calls_of_the_model() -> None:
    """The client sees no emission: a second call looks like a slow target."""
    live = Live(worst=Worst.of(QUICK))
    for _ in range(900):
        live.add(row(ttft_s=1.4))
    live.calls = 900 + 410  # all users may have a turn under way whose only call has ended
    assert certain(live, plan(users=410))
    live.calls = 2 * 900
    assert not certain(live, plan(users=410))
    for _ in range(52):
        live.add(row(ok=False))
    assert certain(live, plan(users=410))


def test_slow_first_tokens_are_no_reason_where_an_answer_comes_in_one_piece() -> None:
    live = Live(worst=Worst.of(QUICK))
    for _ in range(900):
        live.add(row(ttft_s=1.1))  # as its last token, which the client cannot know
    assert certain(live)
    live.in_one_piece = True
    assert not certain(live)
    for _ in range(52):
        live.add(row(ok=False))
    assert certain(live)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("[1.08,1.08,1.08]", True),
        ("[1.08,1.08]", True),
        ("[0.3,0.32,0.34]", False),
        ("[0.3,1.08]", False),
        ("[0.3]", False),
        ("[]", False),
    ],
)
def test_the_models_log_tells_an_answer_in_one_piece(times: str, expected: bool) -> None:
    line = f'{{"tag":"ab","emit_s":{times},"end_s":1.09,"word":"blue"}}'.encode()
    assert in_one_piece(line) is expected


def climbing(bad_blocks: set[int]) -> Live:
    live = Live(worst=Worst.of(QUICK))
    for n in range(12 * 50):  # ten turns a second for a minute
        live.add(row(sent_s=1000 + n / 10, ttft_s=0.9 if n // 50 in bad_blocks else 0.31))
    return live


def test_a_climb_is_over_with_two_missed_blocks_in_a_row() -> None:
    climb = climb_plan(plan(users=60), 60.0)
    assert not certain(climbing({4, 6, 11}), climb)
    assert certain(climbing({4, 5}), climb)


def test_a_pause_at_the_start_of_a_climb_ends_nothing() -> None:
    assert not certain(climbing({0, 1, 2}), climb_plan(plan(users=60), 60.0))
