"""Pages that are not ours are tried by what they offer, in seconds, and nothing is put into their mouths."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Browser

from harness.probes import audit
from harness.probes.probe import NotMeasuredError
from harness.probes.security.pages import answers
from harness.probes.subject import Subject
from tests.e2e.conftest import SEED
from tests.serving import serving

pytestmark = pytest.mark.browser

WITHIN_S = 60.0  # "a minute", on a busy machine too
PAGE = """<!doctype html><title>A chatbot</title><main></main><textarea aria-label="Your question"></textarea>
<script>
document.querySelector('textarea').addEventListener('keydown', event => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  const said = document.createElement('p');
  said.textContent = 'You said: ' + event.target.value.length + ' characters';
  document.querySelector('main').append(said);
  event.target.value = '';
});
</script>"""
EMPTY = "<!doctype html><title>Nothing</title><p>Press a button first.</p>"


@contextmanager
def served(page: str) -> Iterator[str]:
    """Serve a page whose chatbot never says what the model said."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.encode()
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with serving(Handler) as base_url:
        yield base_url


@pytest.mark.parametrize("several", [False, True], ids=["one conversation", "several"])
def test_a_page_that_shows_no_payload_is_left_at_the_first(browser: Browser, several: bool) -> None:
    begun_s = time.monotonic()
    with served(PAGE) as base_url, pytest.raises(NotMeasuredError) as caught:
        answers.answers(browser, base_url, seed=SEED, several=several)
    assert time.monotonic() - begun_s < WITHIN_S + 30 * several  # its missing button is waited for, too
    assert "payloads came to be shown" in str(caught.value)


def test_a_page_without_a_text_box_says_so(browser: Browser) -> None:
    with served(EMPTY) as base_url, pytest.raises(NotMeasuredError, match="shows no text box to type messages into"):
        answers.answers(browser, base_url, seed=SEED, several=False)


def test_an_audit_tries_only_what_is_stated_and_ends_within_a_minute() -> None:
    begun_s = time.monotonic()
    with served(PAGE) as base_url:
        subject = Subject(
            target="./mybot",
            base_url=base_url,
            protocol="streamlit",
            web=False,
            features=("streaming", "markdown"),
            seed=SEED,
            rate_limit=60,
        )
        found = {one.name: one for one in audit.audit(subject)}
    assert time.monotonic() - begun_s < WITHIN_S
    assert found["scripted-tasks"].outcome == "not measured"
    assert found["scripted-tasks"].text == ("the target does not state that it offers sign-in, conversations, export")
    assert "does not state that it offers sign-in" in found["roles-operations"].text
    assert found["hostile-titles"].text == "the target does not state that it offers conversations"
    assert found["operations-documented"].exercised == 3
    assert all(one.value is None for one in found.values())
