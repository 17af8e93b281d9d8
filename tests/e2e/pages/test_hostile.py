"""What people and models say is text: none of it runs, and none of it makes the browser ask elsewhere.

The targets of ``AUDITED`` are tried in their audits, see ``test_audit``.
"""

import re

import pytest
from playwright.sync_api import Browser

from harness.probes.probe import NotMeasuredError, Seen
from harness.probes.security.pages import answers, tabs, titles
from tests.e2e.conftest import AUDITED, SEED, Running, with_pages
from tests.e2e.pages import titles_twin
from tests.e2e.pages.hostile_twin import running

pytestmark = pytest.mark.browser

PICTURES = ("image-beacon", "image-reference", "link-nested", "table-cell")
FEW = ("script", "image-onerror", "iframe-srcdoc", "link-case", "image-html", "css-style", "base")
TITLED = ("script", "image-onerror", "iframe-srcdoc", "link-case", "image-html", "svg-use")  # leave the page usable
OTHERS = "requests of the page itself to elsewhere"


def _broken(seen: Seen) -> list[str]:
    return [one.line for one in seen.tries if not one.passed]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a handful of payloads."""
    chosen = {name: text for name, text in answers.payloads().items() if name in FEW}
    monkeypatch.setattr(answers, "payloads", lambda: chosen)


@pytest.fixture
def titled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a handful of payloads in titles."""
    chosen = {name: text for name, text in titles.payloads().items() if name in TITLED}
    monkeypatch.setattr(titles, "payloads", lambda: chosen)


#: the audit of the monolith tries the same display of Streamlit's
REST = [
    pytest.param(name, marks=pytest.mark.long if "streamlit" in name else ())
    for name in with_pages()
    if name not in AUDITED
]


@pytest.mark.parametrize("target", REST, indirect=True)
def test_hostile_answers_neither_run_nor_fetch_nor_break_the_page(target: Running, browser: Browser) -> None:
    seen = answers.answers(browser, target.base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) > 50


@pytest.mark.parametrize("target", AUDITED, indirect=True)
def test_pictures_that_come_token_by_token_fetch_nothing(
    target: Running, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = {name: text for name, text in answers.payloads().items() if name in PICTURES}
    monkeypatch.setattr(answers, "payloads", lambda: pictures)
    monkeypatch.setattr(answers, "ITL_S", 0.06)  # each token is shown by itself, and so is each part of an address
    seen = answers.answers(browser, target.base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) == len(PICTURES) + 2


def _titles(base_url: str, browser: Browser, *, api_url: str | None) -> Seen:
    if api_url is not None:
        return titles.by_api(browser, base_url, api_url, seed=SEED)
    return titles.by_page(browser, base_url, seed=SEED, renames=True)


def _counted(seen: Seen) -> tuple[int, int, int]:
    """Return how many payloads were shown in titles, as headings, in messages."""
    told = r"(\d+) of \d+ were shown in titles, (\d+) of these as a heading too; (\d+) in messages"
    found = re.search(told, seen.text)
    assert found is not None, seen.text
    return int(found[1]), int(found[2]), int(found[3])


@pytest.mark.usefixtures("titled")
@pytest.mark.parametrize("target", [name for name in with_pages(editions=False) if name not in AUDITED], indirect=True)
def test_hostile_titles_and_messages_neither_run_nor_fetch(target: Running, browser: Browser) -> None:
    rest = target.prepared.target.protocol == "rest"
    api_url = target.base_url if rest else target.api_url
    seen = _titles(target.base_url, browser, api_url=api_url)
    assert _broken(seen) == []
    in_titles, headings, in_messages = _counted(seen)
    if api_url is not None:
        assert (in_titles, in_messages) == (len(titles.payloads()),) * 2, seen.text
    assert in_titles > 2, seen.text
    assert headings > 2, seen.text
    assert sum(" in a title" in one.line for one in seen.tries) == in_titles


@pytest.mark.usefixtures("titled")
@pytest.mark.parametrize("by_api", [False, True], ids=["by the page", "by the API"])
def test_page_careful_with_titles_holds(browser: Browser, by_api: bool) -> None:
    with titles_twin.running("careful") as base_url:
        seen = _titles(base_url, browser, api_url=base_url if by_api else None)
    assert _broken(seen) == []
    in_titles, headings, in_messages = _counted(seen)
    assert (in_titles, in_messages) == (6, 6 if by_api else 2), seen.text
    assert headings > 2, seen.text


@pytest.mark.usefixtures("titled")
@pytest.mark.parametrize("by_api", [False, True], ids=["by the page", "by the API"])
def test_page_careless_with_titles_is_found_out(browser: Browser, by_api: bool) -> None:
    with titles_twin.running("careless") as base_url:
        seen = _titles(base_url, browser, api_url=base_url if by_api else None)
    broken = _broken(seen)
    for ran in ("image-onerror", "iframe-srcdoc"):
        assert any(line.startswith(f"FAILED {ran} in a title") and ": ran" in line for line in broken), broken
    for fetched in ("image-html", "svg-use"):
        told = f"asked for https://beacon.invalid/{fetched}"
        assert any(line.startswith(f"FAILED {fetched} in a title") and told in line for line in broken), broken
    assert any("link-case in a title" in line and "a click ran it" in line for line in broken), broken


@pytest.mark.usefixtures("titled")
@pytest.mark.parametrize("by_api", [False, True], ids=["by the page", "by the API"])
def test_what_the_page_does_not_show_is_not_held_harmless(browser: Browser, by_api: bool) -> None:
    with titles_twin.running("blind") as base_url, pytest.raises(NotMeasuredError, match="none of 6 payloads"):
        _titles(base_url, browser, api_url=base_url if by_api else None)


@pytest.mark.usefixtures("few")
def test_box_that_no_payload_disabled_is_no_finding(browser: Browser) -> None:
    with running(careful=True, stuck=True) as base_url:
        seen = answers.answers(browser, base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) == len(FEW) + 2


@pytest.mark.usefixtures("few")
def test_careful_page_holds(browser: Browser) -> None:
    with running(careful=True) as base_url:
        seen = answers.answers(browser, base_url, seed=SEED)
    assert _broken(seen) == []
    assert len(seen.tries) == len(answers.payloads()) + 2


@pytest.mark.usefixtures("few")
def test_careless_page_is_found_out(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabs, "RELOAD_MS", 4_000)
    monkeypatch.setattr(tabs, "PATIENCE_MS", 4_000)  # what covers the page is waited for in every tab
    with running() as base_url:
        seen = answers.answers(browser, base_url, seed=SEED)
    broken = _broken(seen)
    for ran in ("image-onerror", "iframe-srcdoc"):
        assert any(line.startswith(f"FAILED {ran} in an answer: ran") for line in broken), broken
    assert any(line.startswith("FAILED link-case in an answer: a click ran it") for line in broken), broken
    for fetched in ("image-html", "css-style"):
        assert any(f"{fetched} in an answer: asked for https://beacon.invalid/{fetched}" in line for line in broken), (
            broken
        )
    assert any("page afterwards" in line for line in broken), "the page was hidden"


@pytest.mark.usefixtures("few")
def test_what_only_the_policy_stops_is_told_apart(browser: Browser) -> None:
    with running(policy=True) as base_url:
        seen = answers.answers(browser, base_url, seed=SEED)
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
        seen = answers.answers(browser, base_url, seed=SEED)
    [line] = [one.line for one in seen.tries if OTHERS in one.line]
    if policy:
        assert line == f"{OTHERS}: none"
    else:
        assert line.startswith(f"FAILED {OTHERS}: https://beacon/"), line
