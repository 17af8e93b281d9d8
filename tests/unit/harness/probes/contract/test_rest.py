"""The REST checks pass on a right target and name every defect of a wrong one."""

from pathlib import Path

import pytest
import yaml

from harness.probes.claims import Check, Probe, Probes, complete, expect, run
from harness.probes.client import Client
from harness.probes.contract import check_rest
from harness.probes.contract.page import FRONT_END, Page
from harness.probes.contract.rest import rest_probes
from harness.probes.world import OPERATIONS, RestWorld
from tests import ROOT
from tests.doubles.conformance_twin import SEED, Twin, running

PER_MINUTE = 30

#: a defect of the twin -> a part of the claims that must then fail
DEFECTS = {
    "buffers the answer": "tokens arrive while the model speaks",
    "no CSRF": "without the CSRF token",
    "others' conversations leak": "somebody else's: 404",
    "HTML errors": "a malformed body is 400",
    "titled too late": "the message event brings the conversation",
    "no end marker": "streams message, tokens and done in order",
    "wrong roles": "403 for users",
    "no security headers": "carries the security headers",
    "cookies beside a bearer token": "a bearer token acts without CSRF token, alone",
    "deactivated users stay": "deactivating signs out at once",
    "readable session cookie": "signs in with a protected cookie",
    "second page repeats the first": "50 a page; next and previous",
    "no rate limit": "429 with Retry-After",
    "names leak by time": "failures for one name",
    "logout forgets the server": "ends the session on the server",
    "search finds all": "search finds a part of the title",
    "deleting keeps": "then it is gone",
    "admins lock themselves out": "admins cannot change their own role",
    "texts are cleaned": "any text is stored and returned unchanged",
    "another answer": "streams message, tokens and done in order",
    "failure looks like an end": "the model's failure before a token",
    "forgets interrupted answers": "closing the browser ends the request",
    "one NUL passes": "NUL is 400 in every text",
    "speaks to nobody": "closing the browser ends the request",
}
PAGE_DEFECTS = {
    "script missing": "every file it refers to",
    "foreign script": "every file it refers to",
    "inline script": "no inline script",
    "no security headers": "the page carries the security headers",
}


def test_right_target_passes_every_check_and_every_operation_is_exercised(tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    with running(Twin(per_minute=60, log=log)) as base_url:
        checks = check_rest(base_url, seed=SEED, web=True, model_log=log)
    assert [check.text for check in checks if not check.passed] == []
    assert {check.operation for check in checks} == {*OPERATIONS, "errors", "headers", "page"}


@pytest.mark.parametrize("defect", DEFECTS)
def test_defect_is_found(defect: str, tmp_path: Path) -> None:
    log = tmp_path / "model.jsonl"
    probes = [p for p in rest_probes(rate_limit=PER_MINUTE, model_log=log) if DEFECTS[defect] in p.claim]
    assert probes, f"no check claims {DEFECTS[defect]!r}"
    with running(Twin(defect, per_minute=PER_MINUTE, log=log)) as base_url:
        checks = run(probes, RestWorld(base_url, seed=SEED, model_log=log))
    assert [check.text for check in checks if check.passed] == []


@pytest.mark.parametrize("defect", PAGE_DEFECTS)
def test_defect_of_the_page_is_found(defect: str) -> None:
    probes = [p for p in FRONT_END if PAGE_DEFECTS[defect] in p.claim]
    with running(Twin(defect)) as base_url:
        checks = run(probes, Page(base_url))
    assert checks
    assert not any(check.passed for check in checks)


def test_defect_fails_only_what_it_concerns(tmp_path: Path) -> None:
    with running(Twin("no end marker", per_minute=PER_MINUTE)) as base_url:
        checks = check_rest(base_url, seed=SEED, web=False, rate_limit=None)
    failed = {check.operation for check in checks if not check.passed}
    assert failed == {"sendMessage"}
    assert all("[end]" in check.text for check in checks if not check.passed)


def test_target_that_is_not_there_fails_every_check() -> None:
    checks = check_rest("http://127.0.0.1:1", seed=SEED, web=True)
    assert checks
    assert not any(check.passed for check in checks)
    assert "the connection failed" in checks[0].text


def test_operation_without_a_check_is_reported_as_failed() -> None:
    checks = complete([Check(operation="me", passed=True, text="fine")], ["me", "login"])
    assert checks[1:] == [Check(operation="login", passed=False, text="not exercised")]


def test_probe_that_stumbles_over_an_answer_is_a_failed_check() -> None:
    def stumble(world: dict[str, int]) -> None:
        expect(world["absent"] == 1, "never reached")

    (check,) = run([Probe("me", "has a member", stumble)], {})
    assert not check.passed
    assert "unexpected form" in check.text


def test_every_probe_says_what_was_seen() -> None:
    probes: Probes[None] = Probes()

    @probes.proves("me", "two is three")
    def _probe(_: None) -> None:
        expect(False, "two was seen")

    assert run(probes, None) == [Check(operation="me", passed=False, text="two is three: two was seen")]


def test_operations_are_those_of_the_openapi_document() -> None:
    document = yaml.safe_load(ROOT.joinpath("targets/openapi.yaml").read_text(encoding="utf-8"))
    methods = ("get", "post", "put", "patch", "delete")
    described = {
        operation["operationId"]: (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in methods
    }
    assert described == OPERATIONS


def test_every_operation_has_a_probe() -> None:
    assert {probe.operation for probe in rest_probes()} >= set(OPERATIONS)


def test_client_drops_a_cookie_the_server_ends() -> None:
    with running(Twin()) as base_url:
        client = Client(base_url)
        client.request("GET", "/api/auth/me")
        assert set(client.cookies) == {"csrftoken"}
