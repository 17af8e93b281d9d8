"""What a trial's verdict makes of the contract's operations and of a budget that was not there."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import profiles, results
from harness.analysis.facts import Facts
from harness.analysis.speed import REFERENCE_S
from harness.analysis.validity import Validity
from harness.analysis.verdict import invalid_budget
from harness.errors import BenchError
from harness.probes.contract import Check
from harness.records import FixedWork, GeneratorSummary, MachineSpeed, ResourceSample, StepTimes, TrialKey, Verdict
from harness.results import turn_table
from harness.targets import discover
from harness.trials.assess import _idle_verdict, with_contract
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial
from tests import ROOT
from tests.doubles.runtime import FakePod, FakeRuntime

TRACEBACK = """auditing ended with 1:
    Traceback (most recent call last):
    ModuleNotFoundError: No module named 'absent'"""
PASS = Verdict(outcome="pass")
GOOD = Check(operation="login", passed=True, text="the password signs in")
BAD = Check(operation="logout", passed=False, text="the session goes on")


def test_operations_that_were_tried_and_worked_leave_the_verdict_alone() -> None:
    assert with_contract(PASS, [GOOD], expected=True) == PASS


@pytest.mark.parametrize(
    ("checks", "said"), [([GOOD, BAD], "logout: the session goes on"), ([], "no operation of the contract was tried")]
)
def test_a_broken_operation_and_an_untried_contract_fail(checks: list[Check], said: str) -> None:
    verdict = with_contract(PASS, checks, expected=True)
    assert verdict.outcome == "fail"
    assert [(reason.code, reason.text) for reason in verdict.reasons] == [("check.contract", said)]


def test_a_protocol_without_operations_needs_none() -> None:
    assert with_contract(PASS, [], expected=False) == PASS


def test_without_the_stated_budget_a_trial_is_invalid() -> None:
    verdict = invalid_budget("memory is held to 2.00 GiB, not 4.00")
    assert verdict.outcome == "invalid"
    assert verdict.reasons[0].code == "invalid.budget"
    assert "2.00 GiB" in verdict.reasons[0].text


STEPS = tuple(StepTimes(sessions=n, start_s=10.0 + n, end_s=14.0 + n) for n in (0, 5, 10))
QUIET = Facts(spare_cpus=True, budget_cores=2, stopped_early=False)
HELD = GeneratorSummary(
    users=10,
    phases={},
    steps=STEPS,
    turns_begun=0,
    turns_ended=0,
    turns_written=0,
    live_turn_seconds=0.0,
    cpu_s=0.1,
    stopped_early=False,
    recorder_errors=0,
    sign_in_failures=0,
    locust_version="0",
)


def idle(
    facts: Facts = QUIET, *, foreign_cores: float | None = 0.02, steal_cores: float = 0.0, reached: int = 3
) -> Verdict:
    """Judge an idle trial on two CPUs with so much foreign CPU and CPU steal."""
    resources = turn_table.resources_frame(
        ResourceSample(
            t_s=float(t),
            component="app",
            role="target",
            cpu_s=0.0,
            host_busy_s=0.1 * t,
            host_idle_s=1.9 * t,
            host_steal_s=steal_cores * t,
            foreign_cpu_s=None if foreign_cores is None else foreign_cores * t,
        )
        for t in range(30)
    )
    return _idle_verdict(facts, replace(HELD, steps=STEPS[:reached]), (0, 5, 10), resources, Validity())


def test_an_idle_trial_that_nothing_disturbed_passes() -> None:
    assert idle() == Verdict(outcome="pass")
    assert idle(foreign_cores=0.098, steal_cores=0.098).outcome == "pass"


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (idle(foreign_cores=0.102), "invalid.foreign_cpu"),
        (idle(steal_cores=0.102), "invalid.steal"),
        (idle(foreign_cores=None), "invalid.absent"),
        (idle(replace(QUIET, recorder_errors=1)), "invalid.recorder"),
        (idle(replace(QUIET, foreign_nonces=1)), "invalid.foreign_nonce"),
        (idle(replace(QUIET, sign_in_failures=1)), "invalid.sessions"),
        (idle(reached=2), "invalid.sessions"),
        (idle(replace(QUIET, model_exits=("llm ended by itself with 1",))), "invalid.model"),
    ],
)
def test_an_idle_trial_that_was_disturbed_is_invalid(verdict: Verdict, code: str) -> None:
    assert verdict.outcome == "invalid"
    assert [reason.code for reason in verdict.reasons] == [code]


def test_an_idle_trial_whose_target_died_fails_whatever_else_was_wrong() -> None:
    verdict = idle(replace(QUIET, target_exits=("app ended by itself with 1",), recorder_errors=1))
    assert (verdict.outcome, [reason.code for reason in verdict.reasons]) == ("fail", ["target.exit"])


class StumblingRuntime(FakeRuntime):
    """Opens pods in which nothing can be run."""

    def open_trial(self, name: str, folder: Path) -> FakePod:
        pod = FakePod(name, folder)

        def inside(purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
            raise BenchError(TRACEBACK, "this is a fault of chatbench")

        pod.inside = inside  # type: ignore[method-assign]
        return pod


class CrampedRuntime(FakeRuntime):
    """Opens pods in which the kernel kills a process of the target below its own memory limit."""

    def open_trial(self, name: str, folder: Path) -> FakePod:
        pod = FakePod(name, folder)
        pod.oom_kills = lambda: 1  # type: ignore[method-assign]
        return pod


def test_an_audit_whose_target_the_machine_had_no_memory_for_is_invalid(tmp_path: Path) -> None:
    runtime = CrampedRuntime()
    catalogue = discover(ROOT / "targets")
    prepared = runtime.prepare(catalogue.target("streamlit"), catalogue, ROOT, 42, print)
    context = TrialContext(run=tmp_path, runtime=runtime, profile=profiles.load("smoke"), tell=lambda *_: None)
    key = TrialKey(target="streamlit", scenario="audit", number=1, level=0, repetition=0)
    trial = run_trial(context, prepared, key)
    assert trial.verdict.outcome == "invalid"
    assert [reason.code for reason in trial.verdict.reasons] == ["invalid.machine_memory"]


def test_an_audit_that_stumbles_is_an_invalid_trial_with_its_reason(tmp_path: Path) -> None:
    runtime = StumblingRuntime()
    catalogue = discover(ROOT / "targets")
    prepared = runtime.prepare(catalogue.target("streamlit"), catalogue, ROOT, 42, print)
    context = TrialContext(run=tmp_path, runtime=runtime, profile=profiles.load("smoke"), tell=lambda *_: None)
    made = run_trial(context, prepared, TrialKey(target="streamlit", scenario="audit", level=1, repetition=0, number=2))
    assert made.verdict.outcome == "invalid"
    (reason,) = made.verdict.reasons
    assert reason.code == "invalid.audit"
    assert reason.text == "auditing ended with 1: ModuleNotFoundError: No module named 'absent'"
    ((folder, again),) = results.read_trials(tmp_path)
    assert (again, results.read_audit(folder)) == (made, ())


@pytest.mark.parametrize(("scenario", "times"), [("chat", 2), ("check", 0), ("idle", 0), ("audit", 0)])
def test_the_machine_is_timed_before_and_after_a_trial_under_load(tmp_path: Path, scenario: str, times: int) -> None:
    runtime = FakeRuntime()
    catalogue = discover(ROOT / "targets")
    prepared = runtime.prepare(catalogue.target("streamlit"), catalogue, ROOT, 42, print)
    done: list[FixedWork] = []

    def timed(folder: Path, cpus: Iterable[int]) -> FixedWork:
        assert (folder / "trial.json").exists() is False
        assert (folder / results.TURNS).exists() is bool(done)
        assert len(list(cpus)) == 2
        done.append(FixedWork(seconds={k: s * (1 + 3 * len(done)) for k, s in REFERENCE_S.items()}))
        return done[-1]

    profile = profiles.load("smoke")
    context = TrialContext(run=tmp_path, runtime=runtime, profile=profile, tell=lambda *_: None, fixed_work=timed)
    key = TrialKey(target="streamlit", scenario=scenario, level=2, repetition=0, number=1)
    made = run_trial(context, prepared, key)
    assert len(done) == times
    if not times:
        assert made.speed is None
        assert "machine_speed" not in made.figures
        return
    assert made.speed == MachineSpeed(before=done[0], after=done[1])
    assert made.figures["machine_speed"] == pytest.approx(0.5)
    assert results.read_trials(tmp_path)[0][1] == made
