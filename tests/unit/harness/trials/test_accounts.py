"""Accounts of several generator processes: put together when they fit, and every misfit named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.records import (
    AnswerPlan,
    Distribution,
    GeneratorSummary,
    LoadPlan,
    PhaseTimes,
    TrialKey,
    Turn,
    Visit,
    to_json,
)
from harness.trials import accounts
from harness.trials.plans import workers_for

WINDOW = PhaseTimes(start_s=10.0, end_s=20.0)


def plan(folder: Path, workers: int = 2) -> LoadPlan:
    return LoadPlan(
        scenario="chat",
        protocol="rest",
        instances=("http://127.0.0.1:9",),
        users=4,
        seed=7,
        turns_per_conversation=3,
        message_chars=70,
        think_s=Distribution(median=1.0),
        answer=AnswerPlan(ttft_s=Distribution(median=0.1), itl_s=0.1, tokens=Distribution(median=4)),
        ramp_up_s=0.0,
        warm_up_s=0.0,
        measure_min_s=1.0,
        measure_max_s=1.0,
        measure_turns=1,
        drain_s=1.0,
        output=str(folder),
        stop_file=str(folder / "stop"),
        workers=workers,
    )


def turn(user: int, at_s: float) -> Turn:
    return Turn(
        user=user,
        conversation=0,
        turn=0,
        tag=f"{user:08x}{round(at_s * 10):08x}",
        phase="measure" if WINDOW.start_s <= at_s < WINDOW.end_s else "drain",
        intended_s=at_s,
        sent_s=at_s,
        outcome="ok",
    )


SUMMARY = GeneratorSummary(
    users=2,
    phases={"measure": WINDOW},
    turns_begun=2,
    turns_ended=2,
    turns_written=3,
    live_turn_seconds=1.5,
    cpu_s=0.5,
    stopped_early=False,
    recorder_errors=0,
    sign_in_failures=0,
    locust_version="0",
)


def write(folder: Path, worker: int, turns: list[Turn] | None = None, **changes: object) -> None:
    """What one of two workers leaves behind: two turns inside the window and one after it."""
    own = [turn(worker, 11.0 + worker / 10), turn(worker + 2, 12.0), turn(worker, 21.0)] if turns is None else turns
    summary = replace(SUMMARY, **changes)  # type: ignore[arg-type]  # fields by name, in tests
    (folder / f"generator-{worker}.json").write_text(json.dumps(to_json(summary)))
    (folder / f"turns-{worker}.jsonl").write_text("".join(json.dumps(to_json(one)) + "\n" for one in own))


def test_shares_add_up(tmp_path: Path) -> None:
    write(tmp_path, 0)
    write(tmp_path, 1, cpu_s=0.75, recorder_errors=1, sign_in_failures=2)
    found = accounts.gather(tmp_path, plan(tmp_path))
    assert found.faults == ()
    assert found.summary is not None
    assert (found.summary.users, found.summary.turns_begun, found.summary.turns_written) == (4, 4, 6)
    assert (found.summary.live_turn_seconds, found.summary.cpu_s) == (3.0, 1.25)
    assert (found.summary.recorder_errors, found.summary.sign_in_failures) == (1, 2)
    assert [share.cpu_s for share in found.summary.workers] == [0.5, 0.75]
    assert [one.sent_s for one in found.turns] == sorted(one.sent_s for one in found.turns)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"turns_written": 4}, "worker 1 of 2 wrote 4 turns, its file holds 3"),
        ({"users": 3}, "worker 1 of 2 did not simulate the users that are its share"),
        ({"note": "interrupted"}, "worker 1 of 2 did not end as planned: interrupted"),
        (
            {"phases": {"measure": PhaseTimes(start_s=10.0, end_s=20.5)}},
            "the workers were out of step: they do not agree on the phases",
        ),
        (
            {"turns": [turn(1, 11.0), turn(3, 12.0), replace(turn(1, 20.2), phase="measure")]},
            "worker 1 of 2 was out of step: it heard too late when measuring began or was over",
        ),
        (
            {"turns": [turn(0, 11.0), turn(3, 12.0), turn(1, 21.0)]},
            "worker 1 of 2 did not simulate the users that are its share",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_a_misfit_is_named_and_leaves_no_account(tmp_path: Path, changes: dict[str, object], fault: str) -> None:
    write(tmp_path, 0)
    write(tmp_path, 1, **changes)  # type: ignore[arg-type]  # see above
    found = accounts.gather(tmp_path, plan(tmp_path))
    assert found.faults == (fault,)
    assert found.summary is None
    assert len(found.turns) == 6


def test_a_worker_without_files_is_named_and_the_others_turns_are_kept(tmp_path: Path) -> None:
    write(tmp_path, 0)
    found = accounts.gather(tmp_path, plan(tmp_path))
    assert found.faults == ("worker 1 of 2: it exited before writing generator-1.json",)
    assert found.summary is None
    assert len(found.turns) == 3


def test_one_process_has_files_without_a_number(tmp_path: Path) -> None:
    assert accounts.suffixes(1) == ("",)
    assert accounts.suffixes(3) == ("-0", "-1", "-2")
    assert accounts.gather(tmp_path, plan(tmp_path, workers=1)).summary is None


def test_only_trials_of_load_are_shared_out_and_never_below_one_user_each() -> None:
    def key(scenario: str, level: int) -> TrialKey:
        return TrialKey(target="t", scenario=scenario, level=level, repetition=0, number=1)

    assert workers_for(key("chat", 10), 3) == 3
    assert workers_for(key("chat", 2), 3) == 2
    assert workers_for(key("idle", 150), 3) == 1
    assert workers_for(key("check", 1), 3) == 1
    assert workers_for(replace(key("think", 10), parameter=15), 3) == workers_for(key("soak", 10), 3) == 3


@pytest.mark.parametrize("scenario", ["open", "spike", "visit"])
def test_what_only_one_process_can_account_for_has_one(scenario: str) -> None:
    assert workers_for(TrialKey(target="t", scenario=scenario, level=60, repetition=0, number=1), 3) == 1


def test_accounts_of_visits_are_never_put_together() -> None:
    one = replace(SUMMARY, visits=(Visit(user=0, start_s=0.0),))
    with pytest.raises(BenchError, match="visits"):
        accounts.together([one, one])
