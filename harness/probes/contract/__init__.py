"""Proves that a running target meets the contract (``targets/CONTRACT.md``, ``targets/openapi.yaml``).

Every check is a real exchange over loopback; what could not be exercised is reported as failed, never as passed.
"""

from collections.abc import Iterable
from pathlib import Path

from harness.probes.claims import Check
from harness.probes.contract.forms import check_forms
from harness.probes.contract.model import check_model
from harness.probes.contract.page import check_page
from harness.probes.contract.partial import CONTRACT, check_spoken
from harness.probes.contract.rest import check_rest

__all__ = ["Check", "check", "check_forms", "check_model", "check_page", "check_rest"]


def check(
    base_url: str,
    protocol: str,
    *,
    api_url: str | None = None,
    seed: int,
    features: Iterable[str],
    web: bool,
    rate_limit: int | None,
    model_log: Path | None,
) -> list[Check]:
    """Try what there is to try for a protocol: every operation, a page, or nothing; other arguments as ``check_rest``.

    A page with a server of its own has its API elsewhere: the operations are tried there, at ``api_url``. Of a REST
    chatbot whose ``features`` are not all of the contract's, what the load needs is tried.
    """
    checks: list[Check] = []
    if protocol == "rest" or api_url:
        where = api_url or base_url
        if set(features) >= CONTRACT:
            checks += check_rest(where, seed=seed, web=web, rate_limit=rate_limit, model_log=model_log)
        else:
            checks += check_spoken(where, seed=seed, features=frozenset(features))
    if protocol == "forms":
        checks += check_forms(base_url, seed=seed)
    if protocol == "openai":
        checks += check_model(base_url, seed=seed)
    return checks + (check_page(base_url, protocol) if protocol == "streamlit" else [])
