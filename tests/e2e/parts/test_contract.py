"""The real targets meet the contract, rate limits and cancelling included, and a campaign's first trial proves it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import profiles, targets
from harness.probes.contract import check_page, check_rest
from harness.records import TrialKey
from harness.runtimes.local import LocalRuntime
from harness.runtimes.protocol import MESSAGES_PER_MINUTE
from harness.trials import trial
from harness.trials.context import TrialContext
from tests.e2e.conftest import ROOT, SEED, Running

CATALOGUE = targets.discover(ROOT / "targets")
#: every API and each of its variants at least once, each with a front end to serve
REST = [name for name in CATALOGUE.covering() if "+" in name and CATALOGUE.target(name).protocol == "rest"]
CHECKS = 76


def test_every_api_is_among_those_checked() -> None:
    apis = CATALOGUE.of_kind("api")
    started = {name.partition("+")[0] for name in REST}
    assert started == {api.name for api in apis} | {f"{api.name}:{name}" for api in apis for name in api.variants}
    assert {"django", "fastapi", "flask", "django:plain", "django:sqlite", "django:no-redis"} <= started


@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.long if ":" in one else ()) for one in REST])
def test_an_api_and_the_front_end_it_serves_meet_the_contract(started: Callable[[str], Running], name: str) -> None:
    target = started(name)
    log = target.model_log
    checks = check_rest(target.base_url, seed=SEED, web=True, rate_limit=MESSAGES_PER_MINUTE, model_log=log)
    assert [f"{check.operation}: {check.text}" for check in checks if not check.passed] == []
    assert len(checks) >= CHECKS, "some of what used to be tried is not"


@pytest.mark.parametrize("name", ["streamlit", "streamlit:plain"])
def test_streamlit_page_meets_the_contract(started: Callable[[str], Running], name: str) -> None:
    checks = check_page(started(name).base_url, "streamlit")
    assert checks
    assert [check.text for check in checks if not check.passed] == []


@pytest.mark.parametrize(("name", "operations"), [("django+angular", 70), ("streamlit", 3)])
def test_the_first_trial_of_a_campaign_tries_every_operation(
    started: Callable[[str], Running], tmp_path: Path, name: str, operations: int
) -> None:
    prepared = started(name).prepared
    runtime = LocalRuntime()
    context = TrialContext(run=tmp_path, runtime=runtime, profile=profiles.load("smoke"), tell=lambda *_: None)
    made = trial.run_trial(context, prepared, TrialKey(target=name, scenario="check", level=1, repetition=0, number=1))
    runtime.close()
    (file,) = tmp_path.glob("trials/*/check/*/checks.json")
    checks = json.loads(file.read_text())["checks"]
    assert len(checks) >= operations
    assert all(check["passed"] for check in checks)
    assert made.verdict.outcome == "pass"
