"""The report in a browser: alone, served with its folder, and served under a policy that allows nothing inline."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from reports import build
from tests.doubles import results_run

pytestmark = pytest.mark.browser

POLICY = "default-src 'none'; img-src 'self'; style-src 'self'"
BRAND = "rgb(143, 208, 245)"  # of the style, nobody's default
SEEN = """
() => [...document.querySelectorAll('.plot')].map(plot => [...plot.querySelectorAll('img')]
  .filter(one => one.offsetWidth > 0 && one.complete && one.naturalWidth > 0).length)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report with plots."""
    folder = results_run.write_run(tmp_path_factory.mktemp("run"), results_run.SMALL)
    build.build(folder)
    return folder / "report"


@contextmanager
def served(folder: Path, policy: str) -> Iterator[str]:
    """Serve a folder under a policy and give its address."""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            if policy:
                self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def looked_at(browser: Browser, url: str) -> tuple[str, list[int]]:
    """Return the colour of the brand, and how many pictures are seen of each plot."""
    page = browser.new_page()
    try:
        page.goto(url, wait_until="load")
        colour = page.locator(".brand").evaluate("one => getComputedStyle(one).color")
        return colour, page.evaluate(SEEN)
    finally:
        page.close()


@pytest.mark.parametrize("policy", ["", POLICY], ids=["plain", "strict"])
def test_a_served_report_has_its_style_and_each_plot_once(browser: Browser, report: Path, policy: str) -> None:
    with served(report, policy) as url:
        colour, plots = looked_at(browser, f"{url}/report.html")
    assert colour == BRAND
    assert plots == [1] * len(list((report / "figures").glob("*.svg")))


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in its folder"])
def test_a_report_opened_as_a_file_has_its_style_and_each_plot_once(
    browser: Browser, report: Path, tmp_path: Path, alone: bool
) -> None:
    page = report / "report.html"
    if alone:
        (tmp_path / "sent.html").write_bytes(page.read_bytes())
        page = tmp_path / "sent.html"
    colour, plots = looked_at(browser, page.as_uri())
    assert colour == BRAND
    assert plots == [1] * len(list((report / "figures").glob("*.svg")))
