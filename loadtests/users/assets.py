"""A web page at a browser's first visit: its HTML, and the files that the HTML refers to."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from loadtests import http
from loadtests.connection import Connection, Endpoint
from loadtests.page import PageLoad
from loadtests.reading import TurnError

_LINKS = ("stylesheet", "modulepreload", "preload", "icon", "shortcut icon", "manifest")
_REDIRECTS = (301, 302, 303, 307, 308)


class _References(HTMLParser):
    """The addresses of files that a browser fetches for a page by itself, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and values.get("rel", "").lower() in _LINKS:
            self.found.append(values.get("href", ""))
        elif tag in ("script", "img"):
            self.found.append(values.get("src", ""))


def references(html: str) -> list[str]:
    """Return the addresses in a page's HTML, each once."""
    parser = _References()
    parser.feed(html)
    return [address for address in dict.fromkeys(parser.found) if address]


def fetch_page(connection: Connection, at: Endpoint) -> tuple[PageLoad, http.Response]:
    """Return the cost of a page with its files of the same origin, and the page.

    Files come one after the other, compressed where the server offers it, without those that only a script asks for.
    Redirects of the page itself are followed, for example to a sign-in form.

    Raises:
        TurnError: no page, or a missing file; OSError: the connection failed.
    """
    load = PageLoad(requests=0, body_bytes=0)
    address = f"{at.origin}{at.prefix}/"
    for _ in range(5):
        page = _get(connection, at, address, "text/html")
        load = load.plus(page.body)
        if page.status not in _REDIRECTS:
            break
        address = urljoin(address, page.header("location") or "")
    kind = page.header("content-type") or "none"
    if page.status != 200 or not kind.lower().startswith("text/html"):
        raise TurnError("http", f"GET {urlsplit(address).path}: HTTP {page.status}, {kind}")
    for target in dict.fromkeys(urljoin(address, one) for one in references(text_of(page))):
        if not target.startswith(f"{at.origin}/"):
            continue
        file = _get(connection, at, target, "*/*")
        if file.status != 200:
            raise TurnError("http", f"GET {urlsplit(target).path}: HTTP {file.status}")
        load = load.plus(file.body)
    return load, page


def _get(connection: Connection, at: Endpoint, address: str, accept: str) -> http.Response:
    parts = urlsplit(address)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": at.host, "Accept": accept, "Accept-Encoding": "gzip"}
    return connection.exchange(http.request("GET", target, headers))


def text_of(page: http.Response) -> str:
    """Return a page's HTML, unpacked where it came compressed."""
    return page.content.decode("utf-8", errors="replace")
