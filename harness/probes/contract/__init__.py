"""Proves that a running target meets the contract (``targets/CONTRACT.md``, ``targets/openapi.yaml``).

Every check is a real exchange over loopback; what could not be exercised is reported as failed, never as passed.
"""

from harness.probes.claims import Check
from harness.probes.contract.components import check_components
from harness.probes.contract.forms import check_forms
from harness.probes.contract.model import check_model
from harness.probes.contract.page import check_page
from harness.probes.contract.partial import CONTRACT, check_spoken
from harness.probes.contract.rest import check_rest
from harness.probes.subject import Place, Subject, tried_in
from harness.records import from_json

__all__ = ["Check", "check", "check_forms", "check_in", "check_model", "check_page", "check_rest"]


def check(subject: Subject) -> list[Check]:
    """Try what there is to try for a protocol: every operation, a page, or nothing.

    A page with a server of its own has its API elsewhere: the operations are tried there, at ``api_url``. Of a REST
    chatbot whose ``features`` are not all of the contract's, what the load needs is tried.
    """
    seed, checks = subject.seed, list[Check]()
    if subject.protocol == "rest" or subject.api_url:
        where, features = subject.program_url, frozenset(subject.features)
        if features >= CONTRACT:
            limit = subject.rate_limit
            checks += check_rest(where, seed=seed, web=subject.web, rate_limit=limit, model_log=subject.log)
        else:
            checks += check_spoken(where, seed=seed, features=features)
    if subject.protocol == "forms":
        checks += check_forms(subject.base_url, seed=seed)
    if subject.protocol == "openai":
        checks += check_model(subject.base_url, seed=seed)
    if subject.protocol == "streamlit":
        checks += check_page(subject.base_url, subject.protocol)
        checks += check_components(subject.base_url, seed=seed, site=subject.streamlit_site)
    return checks


def check_in(place: Place, subject: Subject) -> list[Check]:
    """Check a target from where it can be reached; BenchError where that could not be carried through."""
    return [from_json(Check, one) for one in tried_in(place, "checking the contract", "contract", subject)]
