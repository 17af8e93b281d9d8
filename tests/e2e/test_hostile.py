"""What people and models say is text: none of it runs, and none of it makes the browser ask elsewhere."""

import pytest
from playwright.sync_api import Browser

from harness.audit.probing import Seen
from harness.audit.security import hostile
from tests.e2e.conftest import SEED, Running
from tests.e2e.hostile_twin import running

pytestmark = pytest.mark.browser

PICTURES = ("image-beacon", "image-reference", "link-nested", "table-cell")
FEW = ("script", "image-onerror", "iframe-srcdoc", "link-case", "image-html", "css-style", "base")


OTHERS = "requests of the page itself to elsewhere"


def _broken(seen: Seen) -> list[str]:
    return [one.line for one in seen.tries if not one.passed]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a handful of payloads."""
    chosen = {name: text for name, text in hostile.payloads().items() if name in FEW}
    monkeypatch.setattr(hostile, "payloads", lambda: chosen)


def test_hostile_answers_neither_run_nor_fetch_nor_break_the_page(target: Running, browser: Browser) -> None:
    seen = hostile.answers(browser, target.base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) > 50


def test_pictures_that_come_token_by_token_fetch_nothing(
    target: Running, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = {name: text for name, text in hostile.payloads().items() if name in PICTURES}
    monkeypatch.setattr(hostile, "payloads", lambda: pictures)
    monkeypatch.setattr(hostile, "ITL_S", 0.06)  # each token is shown by itself, and so is each part of an address
    seen = hostile.answers(browser, target.base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) == len(PICTURES) + 2


def test_hostile_titles_and_messages_neither_run_nor_fetch(target: Running, browser: Browser) -> None:
    by_page = target.prepared.target.protocol != "rest"
    way = hostile.titles_by_page if by_page else hostile.titles_by_api
    seen = way(browser, target.base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) > (5 if by_page else 50)


@pytest.mark.usefixtures("few")
def test_box_that_no_payload_disabled_is_no_finding(browser: Browser) -> None:
    with running(careful=True, stuck=True) as base_url:
        seen = hostile.answers(browser, base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) == len(FEW) + 2


def test_careful_page_holds(browser: Browser) -> None:
    with running(careful=True) as base_url:
        seen = hostile.answers(browser, base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) == len(hostile.payloads()) + 2


@pytest.mark.usefixtures("few")
def test_careless_page_is_found_out(browser: Browser) -> None:
    with running() as base_url:
        seen = hostile.answers(browser, base_url, seed=SEED)
    broken = _broken(seen)
    for ran in ("image-onerror", "iframe-srcdoc"):
        assert any(line.startswith(f"BROKEN {ran} in an answer: ran") for line in broken), broken
    assert any(line.startswith("BROKEN link-case in an answer: a click ran it") for line in broken), broken
    for fetched in ("image-html", "css-style"):
        assert any(f"{fetched} in an answer: asked for https://beacon.invalid/{fetched}" in line for line in broken), (
            broken
        )
    assert any("page afterwards" in line for line in broken), "the page was hidden"


@pytest.mark.usefixtures("few")
def test_what_only_the_policy_stops_is_told_apart(browser: Browser) -> None:
    with running(policy=True) as base_url:
        seen = hostile.answers(browser, base_url, seed=SEED)
    lines = [one.line for one in seen.tries]
    for name in ("image-onerror", "image-html", "link-case"):
        [line] = [one for one in lines if f"{name} in an answer" in one]
        assert "stopped by the page's policy" in line, lines
    assert " 0 of " in f" {seen.text}"
    assert [line for line in _broken(seen) if "in an answer" in line] == []


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("policy", [False, True])
def test_half_an_address_is_a_request_unless_the_policy_stops_it(browser: Browser, policy: bool) -> None:
    with running(policy=policy, cut=True) as base_url:
        seen = hostile.answers(browser, base_url, seed=SEED)
    [line] = [one.line for one in seen.tries if OTHERS in one.line]
    if policy:
        assert line == f"{OTHERS}: none"
    else:
        assert line.startswith(f"BROKEN {OTHERS}: https://beacon/"), line
