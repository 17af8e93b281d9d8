"""What the model says is text: none of it runs, and none of it makes the browser ask elsewhere."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from harness.browser.person import MESSAGES, Person
from harness.browser.watching import Watch

pytestmark = pytest.mark.browser

ACTIVE = (
    "script, iframe, object, embed, form, style, [onerror], [onload], [ontoggle], [onfocus], a[href^='javascript:' i]"
)
CARELESS = b"""<!doctype html><body><script>
document.body.innerHTML = '<img src="x" onerror="window.hostile = 1"><img src="https://beacon.invalid/pixel.png">';
alert('here')</script>"""


def test_hostile_answer_neither_runs_nor_leaks_nor_breaks_the_page(person: Person) -> None:
    person.arrive_signed_in("user0007")
    person.new_conversation()
    hostile = person.message("Be hostile.", payload="hostile", tokens=420, ttft_s=0, itl_s=0.002)
    person.say(hostile)
    person.watch.shown(hostile.nonce)
    _expect_harmless(person, hostile.nonce)
    person.reload()
    _expect_harmless(person, hostile.nonce)
    after = person.message("And now something kind.", tokens=4, ttft_s=0, itl_s=0)
    person.say(after)
    person.answer(after)


def _expect_harmless(person: Person, nonce: str) -> None:
    answer = person.page.locator(MESSAGES).filter(has_text=nonce).filter(has_text="[end]").last
    answer.wait_for()
    assert "beacon" in (answer.text_content() or ""), "the hostile text is not shown at all"
    assert answer.locator(ACTIVE).count() == 0
    person.page.wait_for_timeout(500)  # handlers and beacons would come after the text
    assert person.page.evaluate("window.hostile") is None
    assert person.watch.dialogs == []
    assert person.watch.foreign_requests() == []


@pytest.fixture
def careless_page() -> Iterator[str]:
    """A page that puts its model's output into the document as it comes."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(CARELESS)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_careless_page_is_found_out(browser: Browser, careless_page: str) -> None:
    page = browser.new_page()
    watch = Watch(page)
    page.goto(careless_page)
    page.wait_for_function("window.hostile")
    page.wait_for_timeout(300)
    assert watch.dialogs == ["here"]
    assert watch.foreign_requests() == ["https://beacon.invalid/pixel.png"]
    page.close()
