"""Each protection by a header holds where it is set well, and is named where it is missing or opens the page."""

import http.client

import pytest

from harness.probes.client import Answer
from harness.probes.security.header_policy import judge
from harness.probes.security.tally import Tally
from tests.doubles.conformance_twin.wire import HEADERS

#: what is sent instead -> the protection that has to be named
WEAK = {
    ("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'"): "script-src",
    ("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-eval'"): "script-src",
    ("Content-Security-Policy", "script-src https:; object-src 'none'; img-src 'self'"): "script-src",
    ("Content-Security-Policy", "script-src 'self'; img-src 'self'"): "object-src",
    ("Content-Security-Policy", "default-src 'self'; object-src *"): "object-src",
    ("Content-Security-Policy", "script-src 'self'; object-src 'none'"): "img-src",
    ("Content-Security-Policy", "default-src 'self'; img-src 'self' https:"): "img-src",
    ("Content-Security-Policy", "default-src 'self'; img-src cdn.example"): "img-src",
    ("X-Frame-Options", "ALLOWALL"): "framing",
    ("X-Content-Type-Options", "sniff"): "content types",
    ("Referrer-Policy", "unsafe-url"): "Referrer-Policy",
    ("Cross-Origin-Opener-Policy", "unsafe-none"): "COOP",
}


def _broken(headers: dict[str, str]) -> list[str]:
    message = http.client.HTTPMessage()
    for name, value in headers.items():
        message[name] = value
    tally = Tally()
    judge(tally, "the page", Answer(request="GET /", status=200, headers=message, body=b""))
    assert len(tally.tries) == 7
    return [one.line for one in tally.tries if not one.passed]


def test_headers_as_they_should_be_hold() -> None:
    assert _broken(HEADERS) == []


def test_without_headers_every_protection_is_named() -> None:
    assert len(_broken({})) == 7


@pytest.mark.parametrize("name", HEADERS)
def test_missing_header_is_named(name: str) -> None:
    framing = {"Content-Security-Policy": "default-src 'self'"} if name == "X-Frame-Options" else {}  # either will do
    assert _broken({other: value for other, value in (HEADERS | framing).items() if other != name}) != []


@pytest.mark.parametrize(("header", "what"), WEAK.items(), ids=lambda one: "=".join(one) if len(one) == 2 else None)
def test_header_that_opens_the_page_is_named(header: tuple[str, str], what: str) -> None:
    name, value = header
    policy = {"Content-Security-Policy": "default-src 'self'"}  # frames are left to the header of their own
    [line] = _broken(HEADERS | policy | {name: value})
    assert what in line
