"""The page people open: it and what it refers to load; for Streamlit also health and who may open its socket."""

import base64
import re
import secrets
import socket
import urllib.parse
from dataclasses import dataclass
from html.parser import HTMLParser

from harness.errors import UsageError
from harness.probes.claims import Check, Probes, expect, run
from harness.probes.client import TIMEOUT_S, Answer, Client
from harness.probes.contract.refusals import expect_security_headers

STREAMLIT: "Probes[Page]" = Probes()
FRONT_END: "Probes[Page]" = Probes()
HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.(js|css|woff2)$")


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be opened at this address."""

    base_url: str

    def get(self, path: str) -> Answer:
        """Ask for a path as a browser opening it would."""
        return Client(self.base_url).request("GET", path, headers={"Accept": "text/html,*/*"})


def check_page(base_url: str, protocol: str) -> list[Check]:
    """Prove that a target's page loads; ``protocol`` is ``streamlit`` or ``rest``.

    Raises:
        UsageError: a protocol that has no page.
    """
    probes = {"streamlit": STREAMLIT, "rest": FRONT_END}.get(protocol)
    if probes is None:
        raise UsageError(f"no page is known for the protocol {protocol!r}", "pages: rest, streamlit")
    return run(probes, Page(base_url))


class _References(HTMLParser):
    """The scripts, styles and icons a page asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and not values.get("src"):
            self.inline_scripts += 1
        reference = values.get("src") if tag in ("script", "img") else values.get("href") if tag == "link" else None
        if reference and not reference.startswith("data:"):
            self.found.append(reference)


def inline_scripts(page: Answer) -> int:
    """Return how many scripts stand in a page itself."""
    parser = _References()
    parser.feed(page.body.decode())
    return parser.inline_scripts


def _references(page: Answer) -> list[str]:
    parser = _References()
    parser.feed(page.body.decode())
    return parser.found


def expect_assets(page: Page, index: Answer) -> list[Answer]:
    """Return the answers to what a page refers to; raises RefutedError where one is foreign, missing or empty."""
    references = _references(index)
    expect(any(".js" in name for name in references), "the page refers to no script")
    answers = []
    for name in dict.fromkeys(references):
        url = urllib.parse.urlsplit(urllib.parse.urljoin(page.base_url + "/", name))
        expect(
            url.netloc == urllib.parse.urlsplit(page.base_url).netloc, f"the page refers to a foreign address: {name}"
        )
        answer = page.get(url.path)
        expect(
            answer.status == 200 and bool(answer.body), f"{name} answered {answer.status} with {len(answer.body)} bytes"
        )
        html = answer.media_type == "text/html"
        expect(not html, f"{name} came as a page, not as a file of its own")
        answers.append(answer)
    return answers


def index_of(page: Page) -> Answer:
    """Return the page at ``/``; raises RefutedError where there is none."""
    index = page.get("/")
    expect(index.status == 200 and index.media_type == "text/html", f"/ answered {index.status} {index.media_type!r}")
    return index


@STREAMLIT.proves("page", "the page and every file it refers to load from this server")
def _streamlit_assets(page: Page) -> None:
    expect_assets(page, index_of(page))


@STREAMLIT.proves("page", "/_stcore/health says ok")
def _streamlit_health(page: Page) -> None:
    answer = page.get("/_stcore/health")
    expect(answer.status == 200 and answer.body.strip() == b"ok", f"it answered {answer.status} {answer.body[:40]!r}")


@STREAMLIT.proves(
    "page", "the WebSocket opens for the page itself and is refused for a foreign Origin, of another host"
)
def _streamlit_origin(page: Page) -> None:
    own = upgrade_status(page.base_url, page.base_url)
    expect(own == 101, f"with its own Origin the upgrade answered {own}, not 101")
    foreign = upgrade_status(page.base_url, "https://attacker.example")
    expect(foreign == 403, f"with a foreign Origin the upgrade answered {foreign}, not 403")


def upgrade_status(base_url: str, origin: str) -> int:
    """Return the status a WebSocket upgrade of Streamlit's stream gets with this Origin."""
    url = urllib.parse.urlsplit(base_url)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    request = (
        f"GET {url.path}/_stcore/stream HTTP/1.1\r\nHost: {url.netloc}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: streamlit\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port or 80), timeout=TIMEOUT_S) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as stream:
            words = stream.readline().split()
    return int(words[1]) if len(words) > 1 else 0


@FRONT_END.proves(
    "page", "the page and every file it refers to load; hashed files are cacheable for ever, the page is not"
)
def _front_end_assets(page: Page) -> None:
    index = index_of(page)
    expect("no-cache" in index.header("Cache-Control"), f"Cache-Control of / is {index.header('Cache-Control')!r}")
    for answer in expect_assets(page, index):
        if HASHED.search(answer.request):
            caching = answer.header("Cache-Control")
            expect(
                "immutable" in caching and "max-age=31536000" in caching,
                f"{answer.request}: Cache-Control is {caching!r}",
            )


@FRONT_END.proves("page", "an address inside the application gets the page, a path below /api does not")
def _front_end_fallback(page: Page) -> None:
    expect(page.get("/conversations/deep/link").body == index_of(page).body, "a deep link does not get the page")
    page.get("/api/nothing-here").problem(404)
    expect(
        page.get("/../../etc/passwd").body == index_of(page).body or page.get("/../../etc/passwd").status >= 400,
        "a path leads out",
    )


@FRONT_END.proves("headers", "the page carries the security headers and no inline script")
def _front_end_headers(page: Page) -> None:
    index = index_of(page)
    expect_security_headers(index)
    inline = inline_scripts(index)
    expect(inline == 0, f"the page has {inline} inline scripts, which its policy forbids")
