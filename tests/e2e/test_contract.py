"""The real targets meet the contract, rate limits and cancelling included."""

from collections.abc import Callable

from harness.conformance import check_page, check_rest
from harness.stack import MESSAGES_PER_MINUTE
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
