"""Every API works with every web part, and a pair that does not is found out at the step that breaks."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from harness import results
from harness.probes import swap
from harness.probes.browser.journey import Journey
from harness.probes.browser.person import Person
from harness.runtimes.local import LocalRuntime
from tests.e2e.conftest import CATALOGUE, ROOT, SEED, Running, with_pages

pytestmark = pytest.mark.browser

PAIRS = [target.name for target in swap.pairs(CATALOGUE)]
MONOLITHS = [name for name in with_pages() if name not in PAIRS]
TWIN = "django+angular"
#: each API and each front end at least once
SOME = {TWIN, "fastapi+react", "flask+vue", "django+streamlit"}
THROUGH = [pytest.param(one, marks=() if one in {*SOME, *MONOLITHS} else pytest.mark.long) for one in PAIRS + MONOLITHS]


@pytest.mark.spread
@pytest.mark.parametrize("name", THROUGH)
def test_person_gets_through_from_end_to_end(name: str, browser: Browser, tmp_path: Path) -> None:
    runtime = LocalRuntime()
    prepared = runtime.prepare(CATALOGUE.target(name), CATALOGUE, ROOT, SEED, print)
    steps = swap.tried(runtime, prepared, tmp_path / "logs", browser, tmp_path / "failed.png", print)
    runtime.close()
    assert [f"{step.name}: {step.seen}" for step in steps if not step.passed] == []
    assert len(steps) == 11


def test_some_pairs_have_every_part_that_all_have() -> None:
    assert set(PAIRS) >= SOME
    assert {part for one in SOME for part in one.split("+")} == {part for one in PAIRS for part in one.split("+")}


def answer(route: Route, status: int, body: str, kind: str = "application/json") -> None:
    route.fulfill(status=status, body=body, content_type=kind)


def at_once(route: Route) -> None:
    """Hold the whole stream back until it is over."""
    if route.request.method == "POST":
        whole = route.fetch()
        answer(route, whole.status, whole.text(), whole.headers["content-type"])
    else:
        route.continue_()


def forgets_history(route: Route) -> None:
    if route.request.method == "GET":
        answer(route, 200, json.dumps({"count": 0, "next": None, "previous": None, "results": []}))
    else:
        route.continue_()


def without(method: str) -> Callable[[Route], None]:
    """Say that a change was made, and make none."""

    def unchanged(route: Route) -> None:
        if route.request.method == method:
            now = route.fetch(method="GET", post_data="")
            answer(route, 204 if method == "DELETE" else 200, "" if method == "DELETE" else now.text())
        else:
            route.continue_()

    return unchanged


def whenever_it_changes(act: str) -> Callable[[Page], None]:
    """Do this in the page after every change of its elements."""
    script = f"new MutationObserver(() => {{ {act} }}).observe(document, {{subtree: true, childList: true}})"
    return lambda page: page.add_init_script(script)


def exported_as(form: str, text: str) -> Callable[[Page], None]:
    """Lead a link of the export elsewhere."""
    links = f"""document.querySelectorAll('a[href*="format={form}"]')"""
    return whenever_it_changes(f"{links}.forEach(link => {{ link.href = 'data:text/plain,{text}' }})")


def complains(page: Page) -> None:
    page.add_init_script("console.error('something is amiss')")


def throws(page: Page) -> None:
    page.add_init_script("setTimeout(() => { throw new Error('nobody caught this') }, 50)")


def beacon(page: Page) -> None:
    page.context.route("https://beacon.invalid/**", lambda route: route.fulfill(body=""))
    page.add_init_script("fetch('https://beacon.invalid/pixel', {mode: 'no-cors'}).catch(() => {})")
    # the page's own policy would keep the request from leaving
    page.route(page_address, lambda route: without_policy(route))


def without_policy(route: Route) -> None:
    whole = route.fetch()
    headers = {name: value for name, value in whole.headers.items() if name != "content-security-policy"}
    route.fulfill(response=whole, headers=headers)


def page_address(url: str) -> bool:
    return "/api/" not in url and "beacon" not in url


def routed(pattern: str, handler: Callable[[Route], None]) -> Callable[[Page], None]:
    return lambda page: page.route(pattern, handler)


#: what is broken -> how, and the step that has to fail
TWINS: dict[str, tuple[Callable[[Page], None], str]] = {
    "nobody gets in": (routed("**/api/auth/login", lambda route: answer(route, 401, "{}")), "sign in with the form"),
    "answers come whole": (routed("**/messages", at_once), "ask in a new conversation, see the answer grow"),
    "tables are lost": (
        whenever_it_changes("document.querySelectorAll('table').forEach(table => table.remove())"),
        "see Markdown rendered",
    ),
    "history is forgotten": (routed("**/messages*", forgets_history), "reload and find it"),
    "titles stay": (routed("**/api/conversations/*", without("PATCH")), "rename"),
    "JSON is no JSON": (exported_as("json", "no"), "export as JSON"),
    "Markdown is empty": (exported_as("markdown", ""), "export as Markdown"),
    "nothing is deleted": (routed("**/api/conversations/*", without("DELETE")), "delete"),
    "the console complains": (complains, "no error in the console"),
    "a script throws": (throws, "no error in the console"),
    "a beacon is fetched": (beacon, "no request to another origin"),
}


@pytest.mark.parametrize("broken", TWINS)
def test_broken_pair_is_found_out(broken: str, started: Callable[[str], Running], browser: Browser) -> None:
    target = started(TWIN)
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    spoil, step = TWINS[broken]
    person = Person(page, target.base_url, SEED, patience_ms=4_000)
    spoil(page)
    taken = Journey(person).walk()
    context.close()
    failed = [one for one in taken if not one.passed]
    assert step in {one.name for one in failed}, taken
    assert all(one.seen for one in failed)
    if step not in {"no error in the console", "no request to another origin"}:
        assert failed[0].name == step
        assert not {one.name for one in taken[taken.index(failed[0]) + 1 :]} & {"delete"}, "it went on after a failure"


@pytest.mark.spread
def test_evidence_of_a_pair_that_fails_holds_its_steps_and_a_picture(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "Person", partial(Person, patience_ms=4_000))
    runtime = LocalRuntime()
    target = CATALOGUE.target(TWIN)
    prepared = runtime.prepare(target, CATALOGUE, ROOT, SEED, print)

    class WithoutItsPage(LocalRuntime):
        """Serves the API alone."""

        def prepare(self, *_: object) -> object:  # type: ignore[override]  # whatever it is asked for
            from dataclasses import replace

            return replace(prepared, web=tmp_path)

    made = swap.matrix(WithoutItsPage(), browser, [target], CATALOGUE, ROOT, SEED, tmp_path / "run", print)
    runtime.close()
    assert results.read_swap(tmp_path / "run") == made
    (pair,) = made.pairs
    assert (pair.api, pair.web, pair.finding.outcome) == ("django", "angular", "failed")
    assert 1 <= pair.finding.passed < pair.finding.exercised == len(pair.finding.details)
    assert pair.screenshot is not None
    assert (tmp_path / "run" / "swap" / pair.screenshot).read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "run" / "swap" / "logs").rglob("*.log")), "the logs of a pair that fails are kept"
