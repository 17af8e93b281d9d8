"""Proves that a running target meets the contract (``targets/CONTRACT.md``, ``targets/openapi.yaml``).

Every check is a real exchange over loopback; what could not be exercised is reported as failed, never as passed.
"""

from collections.abc import Iterable
from pathlib import Path

from harness.conformance.forms import check_forms
from harness.conformance.model import check_model
from harness.conformance.page import check_page
from harness.conformance.probes import Check
from harness.conformance.rest import check_rest
from harness.conformance.spoken import CONTRACT, check_spoken

__all__ = ["Check", "check", "check_forms", "check_model", "check_page", "check_rest"]


def check(
    base_url: str,
    protocol: str,
    *,
    seed: int,
    features: Iterable[str],
    web: bool,
    rate_limit: int | None,
    upstream_log: Path | None,
) -> list[Check]:
    """Try what there is to try for a protocol: every operation, a page, or nothing; arguments as ``check_rest``.

    Of a REST chatbot whose ``features`` are not all of the contract's, what the load needs is tried.
    """
    if protocol == "rest":
        if not set(features) >= CONTRACT:
            return check_spoken(base_url, seed=seed, features=frozenset(features))
        return check_rest(base_url, seed=seed, web=web, rate_limit=rate_limit, upstream_log=upstream_log)
    if protocol == "forms":
        return check_forms(base_url, seed=seed)
    if protocol == "openai":
        return check_model(base_url, seed=seed)
    return check_page(base_url, protocol) if protocol == "streamlit" else []
