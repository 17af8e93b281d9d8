"""What spoils a trial is judged again from samples: a verdict that says otherwise is named with its rule."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness import results
from harness.analysis import chat_figures, verdict
from harness.analysis.resource_figures import idle_figures
from harness.records import GeneratorSummary, Slo, Verdict, WorkerShare
from reports import build
from reports.verify import validity, verify
from tests.doubles import results_run

CHAT, IDLE = "trials/streamlit/chat/002-10-0", "trials/streamlit/idle/003-150-0"
MODEL = replace(results_run.STREAMLIT, capacity=12, levels=((10, 0),), cpu_s_per_turn=0.1)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = results_run.write_run(tmp_path_factory.mktemp("original") / "run", (MODEL,))
    build.build(folder, formats=("json",))
    return folder


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "run")


Edit = Callable[[pd.DataFrame], pd.DataFrame]


def same(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def consistent(
    run: Path,
    place: str,
    *,
    turns: Edit = same,
    resources: Edit = same,
    summary: Callable[[GeneratorSummary], GeneratorSummary] = lambda one: one,
    limits: dict[str, Any] | None = None,
    judged: Verdict | None = None,
) -> None:
    """Change a trial's samples and bring hashes, figures and report in line; the verdict stays what it was."""
    path = run / place
    trial = next(one for folder, one in results.read_trials(run) if folder == path)
    assert trial.summary is not None
    for name, edit in ((results.TURNS, turns), (results.RESOURCES, resources)):
        edit(pd.read_parquet(path / name)).to_parquet(path / name, index=False)
        trial.files[name] = results.sha256(path / name)
    account = summary(trial.summary)
    rows, readings = results.read_turns(path), results.read_resources(path)
    account = replace(account, turns_written=len(rows))
    if trial.key.scenario == "idle":
        found = idle_figures(readings, account.steps)
    else:
        found = chat_figures.chat_figures(rows, readings, account, Slo(), results.read_calls(path))
    changed = replace(
        trial,
        figures=found,
        summary=account,
        limits=replace(trial.limits, **limits or {}),
        verdict=judged or trial.verdict,
    )
    results.write_trial(path, changed)
    build.build(run, formats=("json",))


def verdicts(run: Path) -> list[tuple[str, str]]:
    return [(f.place, f.text) for f in verify(run) if f.figure == "verdict"]


def column(name: str, change: Callable[[Any], Any]) -> Edit:
    return lambda frame: frame.assign(**{name: change(frame[name])})


def late_messages(frame: pd.DataFrame) -> pd.DataFrame:
    late = frame.assign(intended_s=frame["intended_s"] - 0.1)
    return late.assign(schedule_delay_s=late["sent_s"] - late["intended_s"])


def foreign_nonce(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(error_kind=["foreign_nonce", *frame["error_kind"][1:]])


def unmatched(frame: pd.DataFrame) -> pd.DataFrame:
    row = frame.index[frame["phase"] == "measure"][0]
    frame.loc[row, "model_request_s"] = None
    return frame


def early(frame: pd.DataFrame) -> pd.DataFrame:
    row = frame.index[frame["phase"] == "measure"][0]
    frame.loc[row, "model_request_s"] += 1.0
    return frame


def share(cpu_s: float) -> WorkerShare:
    return WorkerShare(users=5, turns_begun=0, turns_ended=0, turns_written=0, cpu_s=cpu_s)


PROVOKED: dict[str, dict[str, Any]] = {
    "foreign_cpu": {"resources": column("foreign_cpu_s", lambda v: v * 204)},
    "steal": {"resources": column("host_steal_s", lambda v: v + 1.0 * pd.RangeIndex(len(v)) / 6)},
    "throttled": {"resources": column("throttled_s", lambda v: 1.0 * pd.RangeIndex(len(v)))},
    "generator_limits": {"turns": lambda frame: frame.assign(error_kind=["generator", *frame["error_kind"][1:]])},
    "recorder": {"summary": lambda one: replace(one, recorder_errors=3)},
    "sign_in": {"summary": lambda one: replace(one, sign_in_failures=9)},
    "foreign_nonce": {"turns": foreign_nonce},
    "unmatched": {"turns": unmatched},
    "early": {"turns": early},
    "little": {"summary": lambda one: replace(one, live_turn_seconds=one.live_turn_seconds * 1.1)},
    "lost_turns": {"summary": lambda one: replace(one, turns_begun=one.turns_begun + 1)},
    "stopped": {"summary": lambda one: replace(one, stopped_early=True)},
    "generator_busy": {"summary": lambda one: replace(one, cpu_s=0.9 * results_run.MEASURE_S)},
    "schedule_delay": {"turns": late_messages},
    "model_lag": {"turns": column("model_lag_s", lambda v: v + 0.02)},
    "offered": {"turns": late_messages, "limits": {"spare_cpus": False}},
    "budget": {"limits": {"shortfall": "memory is held to 2 GiB"}},
    "absent": {"resources": column("foreign_cpu_s", lambda v: None)},
}


def test_an_untouched_trial_that_passed_is_left_alone(run: Path) -> None:
    consistent(run, CHAT)
    assert [str(f) for f in verify(run)] == []
    assert json.loads((run / CHAT / "trial.json").read_text())["verdict"]["outcome"] == "pass"


@pytest.mark.parametrize("rule", PROVOKED)
def test_a_pass_that_should_be_invalid_names_its_trial_and_rule(run: Path, rule: str) -> None:
    consistent(run, CHAT, **PROVOKED[rule])
    found = verdicts(run)
    assert any(p == f"{CHAT}/trial.json" and t.startswith(f"pass, but should be invalid ({rule})") for p, t in found)


def test_what_the_reviewer_hid_all_at_once_is_found_rule_by_rule(run: Path) -> None:
    foreign, steal = PROVOKED["foreign_cpu"]["resources"], PROVOKED["steal"]["resources"]
    consistent(
        run,
        CHAT,
        resources=lambda frame: foreign(steal(frame)),
        summary=lambda one: replace(one, recorder_errors=3, sign_in_failures=9),
    )
    named = {text.partition("(")[2].partition(")")[0] for _, text in verdicts(run)}
    assert named == {"foreign_cpu", "steal", "recorder", "sign_in"}


@pytest.mark.parametrize("rule", ["foreign_cpu", "steal", "recorder", "foreign_nonce"])
def test_an_idle_trial_that_was_disturbed_is_named(run: Path, rule: str) -> None:
    if rule == "foreign_nonce":
        chat = results.read_turns(run / CHAT)
        consistent(run, IDLE, turns=lambda frame: foreign_nonce(chat))
    else:
        consistent(run, IDLE, **PROVOKED[rule])
    assert [t for p, t in verdicts(run) if p == f"{IDLE}/trial.json" and f"({rule})" in t]


@pytest.mark.parametrize("rule", sorted({*PROVOKED, "few_turns", "limits", "unsteady", "users"}))
def test_an_invalid_trial_whose_rule_was_not_broken_is_named(run: Path, rule: str) -> None:
    reason = verdict.Reason(code=f"invalid.{rule}", text="it is said", value=1.0)
    consistent(run, CHAT, judged=Verdict(outcome="invalid", reasons=(reason,)))
    assert [t for p, t in verdicts(run) if p == f"{CHAT}/trial.json" and f"({rule})" in t]


def test_an_invalid_trial_with_a_broken_rule_is_left_alone_unless_its_number_is_another(run: Path) -> None:
    broken = PROVOKED["foreign_cpu"]
    consistent(run, CHAT, **broken)
    value = json.loads((run / CHAT / "trial.json").read_text())["figures"]["foreign_cpu_ratio"]
    reason = verdict.Reason(code="invalid.foreign_cpu", text="other programs", value=value)
    consistent(run, CHAT, judged=Verdict(outcome="invalid", reasons=(reason,)))
    assert verdicts(run) == []
    consistent(run, CHAT, judged=Verdict(outcome="invalid", reasons=(replace(reason, value=0.06),)))
    assert "says 0.06" in verdicts(run)[0][1]


def test_an_account_of_the_generator_that_says_more_is_named(run: Path) -> None:
    summary = json.loads((run / CHAT / "trial.json").read_text())["summary"]
    results.write_json(run / CHAT / "generator.json", summary)
    assert verify(run) == []
    results.write_json(run / CHAT / "generator.json", summary | {"sign_in_failures": 9})
    assert [(f.place, f.figure) for f in verify(run)] == [(f"{CHAT}/generator.json", "sign_in_failures")]


ACCOUNT = validity.Account(
    scenario="chat",
    spare_cpus=True,
    cores=2,
    no_app=False,
    stopped_early=False,
    turns_needed=40,
    recorder_errors=0,
    sign_in_failures=0,
    foreign_nonces=0,
    shortfall=False,
)
GOOD: dict[str, float | None] = dict.fromkeys((*validity.NEEDED, "foreign_cpu_ratio", "steal_ratio"), 0.0)
GOOD |= {"turns": 40.0, "target_cores": 1.0}
PASS: dict[str, Any] = {"outcome": "pass", "reasons": []}


@pytest.mark.parametrize(
    ("kept", "broken", "rule"),
    [
        ({"foreign_cpu_ratio": 0.05}, {"foreign_cpu_ratio": 0.051}, "foreign_cpu"),
        ({"steal_ratio": 0.05}, {"steal_ratio": 0.051}, "steal"),
        ({"throttled_s": 0.5}, {"throttled_s": 0.51}, "throttled"),
        (
            {"little_error_ratio": 0.5, "little_error_s_per_turn": 0.005},
            {"little_error_ratio": 0.011, "little_error_s_per_turn": 0.0051},
            "little",
        ),
        ({"turns": 40.0}, {"turns": 39.0}, "few_turns"),
        ({"arrivals_without_user": 0.0}, {"arrivals_without_user": 1.0}, "users"),
        ({"generator_cores": 0.8}, {"generator_cores": 0.81}, "generator_busy"),
        ({"generator_cores": 1.4, "generator_0_cores": 0.7}, {"generator_1_cores": 0.81}, "generator_busy"),
        ({"schedule_delay_p95_s": 0.01}, {"schedule_delay_p95_s": 0.011}, "schedule_delay"),
        ({"model_lag_p99_s": 0.005}, {"model_lag_p99_s": 0.006}, "model_lag"),
        ({"model_lag_p99_s": 0.9, "target_cores": 1.8}, {"model_lag_p99_s": 0.9}, "model_lag"),
        (
            {"turn_half_difference_ratio": -0.2, "turn_half_error_ratio": 0.07},
            {"turn_half_difference_ratio": -0.11, "turn_half_error_ratio": 0.01},
            "unsteady",
        ),
        ({"live_half_difference_ratio": 0.1}, {"live_half_difference_ratio": 0.11}, "unsteady"),
    ],
)
def test_each_limit_has_two_sides(kept: dict[str, float | None], broken: dict[str, float | None], rule: str) -> None:
    assert list(validity.check(PASS, GOOD | kept, ACCOUNT, missed=False)) == []
    (found,) = validity.check(PASS, GOOD | broken, ACCOUNT, missed=False)
    assert found.startswith(f"pass, but should be invalid ({rule})")


def test_a_fail_may_break_what_only_a_pass_has_to_keep_and_a_death_explains_itself() -> None:
    drifting, refused = GOOD | {"turn_half_difference_ratio": 0.5}, replace(ACCOUNT, sign_in_failures=3)
    fail: dict[str, Any] = {"outcome": "fail", "reasons": [], "contended": False}
    assert list(validity.check(fail, drifting, refused, missed=True)) == []
    assert list(validity.check(fail, drifting | {"steal_ratio": 0.9}, refused, missed=True)) != []
    died = fail | {"reasons": [{"code": "target.exit", "text": "app ended", "value": None}]}
    assert list(validity.check(died, drifting | {"steal_ratio": 0.9}, refused, missed=True)) == []


@pytest.mark.parametrize(("name", "enough"), [("open_files", 500), ("tasks", 200), ("ports", 400)])
def test_a_fail_where_limits_were_too_narrow_for_its_users_is_named(name: str, enough: int) -> None:
    for allowed, narrow in ((enough, False), (enough - 1, True), (None, False)):
        trial = {"key": {"level": 100}, "summary": None, "limits": {name: allowed}}
        assert validity._narrow(trial) == narrow
    fail: dict[str, Any] = {"outcome": "fail", "reasons": [], "contended": False}
    under = replace(ACCOUNT, narrow=True)
    assert "(limits)" in next(validity.check(fail, GOOD, under, missed=True))
    assert list(validity.check(PASS, GOOD, under, missed=False)) == []
    killed = fail | {"reasons": [{"code": "target.oom", "text": "1 kill", "value": 1.0}]}
    assert list(validity.check(killed, GOOD, under, missed=True)) == []


def test_a_trial_that_the_machine_had_no_memory_for_explains_itself() -> None:
    reason = {"code": "invalid.machine_memory", "text": "1 kill below the own limit", "value": 1.0}
    killed = {"outcome": "invalid", "reasons": [reason]}
    assert list(validity.check(killed, GOOD, ACCOUNT, missed=True)) == []


def test_a_fail_for_want_of_answers_has_to_be_one() -> None:
    few, hung = GOOD | {"turns": 0.0}, replace(ACCOUNT, waited_s=30.0)
    reason = {"code": "target.unanswered", "text": "no answer came within 30 s", "value": 30.0}
    fail: dict[str, Any] = {"outcome": "fail", "reasons": [reason], "contended": False}
    assert list(validity.check(fail, few, hung, missed=False)) == []
    found = " ".join(validity.check(fail, few, ACCOUNT, missed=False))
    assert "does not follow" in found
    assert "(few_turns)" in found
    short = {"outcome": "invalid", "reasons": [{"code": "invalid.few_turns", "text": "0 turns", "value": 0.0}]}
    assert list(validity.check(short, few, ACCOUNT, missed=False)) == []
    assert "(few_turns)" in next(validity.check(short, few, hung, missed=False))


@pytest.mark.parametrize(
    ("busy", "spare_cpus", "contended"), [(0.901, False, True), (0.9, False, False), (0.99, True, False)]
)
def test_a_fail_says_whether_the_machine_may_have_failed(busy: float, spare_cpus: bool, contended: bool) -> None:
    account = replace(ACCOUNT, spare_cpus=spare_cpus)
    for said in (True, False):
        verdict = {"outcome": "fail", "reasons": [], "contended": said}
        found = list(
            validity.check(verdict, GOOD | {"host_busy_ratio": busy, "offered_ratio": 1.0}, account, missed=True)
        )
        assert [text.split(",")[0] for text in found] == ([] if said == contended else [f"contended is {said}"])


def test_a_fail_hidden_as_unsteady_is_named() -> None:
    reason = {"code": "invalid.unsteady", "text": "it drifts", "value": 0.5}
    hidden = {"outcome": "invalid", "reasons": [reason]}
    drifting = GOOD | {"turn_half_difference_ratio": 0.5}
    assert "missed the SLO" in next(validity.check(hidden, drifting, ACCOUNT, missed=True))
    assert list(validity.check(hidden, drifting, ACCOUNT, missed=False)) == []


def test_without_an_application_the_tools_limit_spoils_a_pass_and_no_fail() -> None:
    no_app, busy = replace(ACCOUNT, no_app=True), GOOD | {"generator_cores": 0.9, "target_cores": None}
    assert "(generator_busy)" in next(validity.check(PASS, busy, no_app, missed=False))
    fail = {
        "outcome": "fail",
        "contended": False,
        "reasons": [{"code": "target.generator_busy", "text": "", "value": 0.9}],
    }
    assert list(validity.check(fail, busy, no_app, missed=False)) == []


@pytest.mark.parametrize(
    ("outcome", "codes", "said"),
    [
        ("pass", [], "nothing was measured"),
        ("fail", [], "nothing died"),
        ("fail", ["target.exit"], None),
        ("invalid", [], "without a reason"),
        ("invalid", ["invalid.generator"], None),
        ("fail", ["target.unsettled"], "as not settled, but the generator's account says None"),
    ],
)
def test_a_trial_without_figures_has_to_say_why(outcome: str, codes: list[str], said: str | None) -> None:
    trial = {"verdict": {"outcome": outcome, "reasons": [{"code": code} for code in codes]}}
    found = list(validity.unmeasured(trial))
    assert (said in found[0]) if said else found == []
