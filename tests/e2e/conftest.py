"""Targets started once per session, browsers, and who uses them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from harness import targets
from harness.probes.browser import chromium
from harness.probes.browser.person import PATIENCE_MS, Person
from harness.records import AnswerPlan, Distribution
from harness.runtimes import serving
from harness.runtimes.local import LocalRuntime
from harness.runtimes.local.stack import LocalPrepared
from tests import ROOT
from tests.conftest import DELAY

SEED = 42
AUDITED = ("django+angular", "streamlit", "django-templates")  # one of each protocol
ANSWER = AnswerPlan(ttft_s=Distribution(median=0.3), itl_s=0.04, tokens=Distribution(median=20))
CATALOGUE = targets.discover(ROOT / "targets")
expect.set_options(timeout=PATIENCE_MS)  # a busy machine takes its time


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started target."""

    name: str
    base_url: str
    model_log: Path
    prepared: LocalPrepared
    api_url: str | None = None  # where programs go, if not to the page


@pytest.fixture(scope="package")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Running]]:
    """Return a target by name: started the first time it is asked for, kept until the session's end."""
    known: dict[str, Running] = {}
    with ExitStack() as open_targets:
        runtime = LocalRuntime()
        open_targets.callback(runtime.close)

        def get(name: str) -> Running:
            if name not in known:
                prepared = runtime.prepare(CATALOGUE.target(name), CATALOGUE, ROOT, SEED, print)
                served = serving.serving(runtime, prepared, ANSWER, tmp_path_factory.mktemp("served"))
                stacked = open_targets.enter_context(served).stack
                known[name] = Running(
                    name=name,
                    base_url=stacked.instances[0],
                    api_url=stacked.api_url,
                    model_log=stacked.model_log,
                    prepared=prepared,
                )
            return known[name]

        yield get


def with_pages(*features: str, editions: bool = True) -> list[str]:
    """Return the targets whose pages people use, each front end once: monoliths, and web parts with an API.

    Only those that have the features; the APIs take turns, so that each is behind a page.
    """
    apis = cycle(part.name for part in CATALOGUE.of_kind("api"))
    monoliths = CATALOGUE.of_kind("monolith")
    names = [part.name for part in monoliths]
    names += [f"{part.name}:{edition}" for part in monoliths if editions for edition in part.editions]
    names += [f"{next(apis)}+{part.name}" for part in CATALOGUE.of_kind("web")]
    wanted = {"sign-in", *features}
    return [name for name in names if wanted <= set(CATALOGUE.target(name).parts[-1].features)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a started target on one worker; try once more what a browser failed: a busy machine starves it.

    A browser test that failed once is named at the end.
    """
    for item in items:
        if not item.path.is_relative_to(ROOT / "tests" / "e2e"):
            continue
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        names = getattr(getattr(item, "callspec", None), "params", {})
        if "started" in getattr(item, "fixturenames", ()) and (name := names.get("target", names.get("name"))):
            item.add_marker(pytest.mark.xdist_group(name))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for every front end that has the features it is marked with."""
    chosen = any("target" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    ours = {"target", "started"} <= set(metafunc.fixturenames)  # a module may have a target of its own
    if ours and not chosen:
        features = [one for mark in metafunc.definition.iter_markers("features") for one in mark.args]
        editions = metafunc.definition.get_closest_marker("editions") is not None
        metafunc.parametrize("target", with_pages(*features, editions=editions), indirect=True)


@pytest.fixture
def target(request: pytest.FixtureRequest, started: Callable[[str], Running]) -> Running:
    """A target that has a page."""
    return started(request.param)


@pytest.fixture(scope="package")
def open_browser() -> Iterator[Callable[[int], Browser]]:
    """Return a function that gives the headless Chromium of this number, started the first time."""
    with sync_playwright() as playwright:
        opened: dict[int, Browser] = {}

        def get(number: int) -> Browser:
            if number not in opened:
                opened[number] = chromium.start(playwright)
            return opened[number]

        yield get
        for browser in opened.values():
            browser.close()


@pytest.fixture(scope="package")
def browser(open_browser: Callable[[int], Browser]) -> Browser:
    """One Chromium for all tests that need no more."""
    return open_browser(0)


@pytest.fixture
def person(target: Running, browser: Browser) -> Iterator[Person]:
    """Somebody with an empty tab, not signed in."""
    context = browser.new_context()
    yield Person(context.new_page(), target.base_url, SEED)
    context.close()


@pytest.fixture
def note_delay(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a line for the table printed at the end of the session."""
    return lambda line: request.node.user_properties.append((DELAY, line))
