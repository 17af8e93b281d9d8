"""Targets started once per session, browsers, and the table of delays at the end."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from harness import serve, targets
from harness.records import AnswerPlan, Distribution
from harness.runtimes.local import LocalRuntime
from harness.runtimes.local.stack import LocalPrepared
from tests.conftest import BROWSERS
from tests.e2e.chatting import FRONT_ENDS, Person

ROOT = Path(__file__).resolve().parents[2]
SEED = 42
ANSWER = AnswerPlan(ttft_s=Distribution(median=0.3), itl_s=0.04, tokens=Distribution(median=20))
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--no-first-run",
)
DELAYS = pytest.StashKey[list[str]]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started target."""

    name: str
    base_url: str
    upstream_log: Path
    prepared: LocalPrepared


@pytest.fixture(scope="package")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Running]]:
    """Return a target by name: started the first time it is asked for, kept until the session's end."""
    catalogue = targets.discover(ROOT / "targets")
    known: dict[str, Running] = {}
    with ExitStack() as open_targets:
        runtime = LocalRuntime()
        open_targets.callback(runtime.close)

        def get(name: str) -> Running:
            if name not in known:
                prepared = runtime.prepare(catalogue.target(name), catalogue, ROOT, SEED, print)
                served = serve.serving(runtime, prepared, ANSWER, tmp_path_factory.mktemp("served"))
                stacked = open_targets.enter_context(served).stack
                known[name] = Running(
                    name=name, base_url=stacked.instances[0], upstream_log=stacked.upstream_log, prepared=prepared
                )
            return known[name]

        yield get


@pytest.fixture(params=list(FRONT_ENDS))
def target(request: pytest.FixtureRequest, started: Callable[[str], Running]) -> Running:
    """Each target that has a page."""
    return started(request.param)


@pytest.fixture(scope="package")
def open_browser() -> Iterator[Callable[[int], Browser]]:
    """Return a function that gives the headless Chromium of this number, started the first time."""
    executable = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        opened: dict[int, Browser] = {}

        def get(number: int) -> Browser:
            if number not in opened:
                opened[number] = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
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
    yield Person(context.new_page(), FRONT_ENDS[target.name], target.base_url, SEED)
    context.close()


@pytest.fixture
def note_delay(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a line for the table printed at the end of the session."""
    return request.config.stash.setdefault(DELAYS, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how late tokens reached the protocol-level user, the browser's network events and the page."""
    lines = config.stash.get(DELAYS, [])
    if lines:
        terminalreporter.section("delays after the model's emission, medians in ms")
        for line in lines:
            terminalreporter.write_line(line)
