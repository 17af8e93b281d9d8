"""The real targets meet the contract, rate limits and cancelling included."""

from collections.abc import Callable

import pytest

from harness.conformance import check_page, check_rest
from tests.e2e.conftest import SEED, Running, Start

PER_MINUTE = 60


@pytest.fixture(scope="module")
def limited_django(start: Start) -> Running:
    """The modular target with its rate limit where people have it."""
    return start("django+angular", {"RATE_LIMIT_PER_MINUTE": str(PER_MINUTE)})


def test_django_and_angular_meet_the_contract(limited_django: Running) -> None:
    checks = check_rest(
        limited_django.base_url,
        seed=SEED,
        web=True,
        rate_limit=PER_MINUTE,
        upstream_log=limited_django.upstream_log,
    )
    assert [f"{check.operation}: {check.text}" for check in checks if not check.passed] == []


def test_streamlit_page_meets_the_contract(started: Callable[[str], Running]) -> None:
    checks = check_page(started("streamlit").base_url, "streamlit")
    assert checks
    assert [check.text for check in checks if not check.passed] == []
