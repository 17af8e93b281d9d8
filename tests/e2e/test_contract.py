"""The real targets meet the contract, rate limits and cancelling included, and a campaign's first trial proves it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import profiles, trial
from harness.conformance import check_page, check_rest
from harness.records import TrialKey
from harness.runtimes import MESSAGES_PER_MINUTE
from harness.runtimes.local import LocalRuntime
from tests.e2e.conftest import SEED, Running


def test_django_and_angular_meet_the_contract(started: Callable[[str], Running]) -> None:
    target = started("django+angular")
    log = target.upstream_log
    checks = check_rest(target.base_url, seed=SEED, web=True, rate_limit=MESSAGES_PER_MINUTE, upstream_log=log)
    assert [f"{check.operation}: {check.text}" for check in checks if not check.passed] == []


def test_streamlit_page_meets_the_contract(started: Callable[[str], Running]) -> None:
    checks = check_page(started("streamlit").base_url, "streamlit")
    assert checks
    assert [check.text for check in checks if not check.passed] == []


@pytest.mark.parametrize(("name", "operations"), [("django+angular", 70), ("streamlit", 3)])
def test_the_first_trial_of_a_campaign_tries_every_operation(
    started: Callable[[str], Running], tmp_path: Path, name: str, operations: int
) -> None:
    prepared = started(name).prepared
    runtime = LocalRuntime()
    bench = trial.Bench(run=tmp_path, runtime=runtime, profile=profiles.load("smoke"), tell=lambda *_: None)
    made = trial.run_trial(bench, prepared, TrialKey(target=name, scenario="check", level=1, repetition=0, number=1))
    runtime.close()
    (file,) = tmp_path.glob("trials/*/check/*/checks.json")
    checks = json.loads(file.read_text())["checks"]
    assert len(checks) >= operations
    assert all(check["passed"] for check in checks)
    assert made.verdict.outcome == "pass"
