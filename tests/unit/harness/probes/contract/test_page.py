"""The checks of Streamlit's page pass on a right server and name the defects of wrong ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from harness.errors import UsageError
from harness.probes.contract import check_page
from tests.serving import serving

INDEX = b'<link rel="shortcut icon" href="./favicon.png"><script type="module" src="./static/js/index.js"></script>'


class _Handler(BaseHTTPRequestHandler):
    defect, prefix = "", ""

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        path = self.path.removeprefix(self.prefix)
        if not self.path.startswith(f"{self.prefix}/"):
            self.send_error(404)
            return
        if path == "/_stcore/stream":
            own = self.headers["Origin"] == f"http://{self.headers['Host']}"
            refused = not own and self.defect != "any origin"
            self.send_response_only(403 if refused or self.defect == "no socket" else 101)
            self.end_headers()
            return
        healthy = b"no" if self.defect == "not healthy" else b"ok"
        pages = {"/": INDEX, "/_stcore/health": healthy, "/favicon.png": b"png", "/static/js/index.js": b"1"}
        if self.defect == "script missing":
            del pages["/static/js/index.js"]
        found = path in pages
        self.send_response(200)  # unknown paths get the page, as Streamlit answers them
        self.send_header("Content-Type", "text/html" if path == "/" or not found else "text/plain")
        self.end_headers()
        self.wfile.write(pages.get(path, INDEX))


@contextmanager
def _page(defect: str, prefix: str = "") -> Iterator[str]:
    with serving(type("Handler", (_Handler,), {"defect": defect, "prefix": prefix})) as base_url:
        yield base_url + prefix


@pytest.mark.parametrize("prefix", ["", "/chat", "/a/b"])
def test_right_page_passes(prefix: str) -> None:
    with _page("", prefix) as base_url:
        checks = check_page(base_url, "streamlit")
    assert [check.text for check in checks if not check.passed] == []
    assert len(checks) == 3


def test_a_socket_that_opens_for_other_origins_is_no_matter_of_the_contract() -> None:
    with _page("any origin") as base_url:
        assert all(check.passed for check in check_page(base_url, "streamlit"))


@pytest.mark.parametrize(
    ("defect", "seen"),
    [
        ("no socket", "with its own Origin the upgrade answered 403"),
        ("not healthy", "it answered 200 b'no'"),
        ("script missing", "index.js came as a page"),
    ],
)
def test_defect_is_found(defect: str, seen: str) -> None:
    with _page(defect) as base_url:
        failed = [check for check in check_page(base_url, "streamlit") if not check.passed]
    assert len(failed) == 1
    assert seen in failed[0].text


def test_protocol_without_a_page_is_refused() -> None:
    with pytest.raises(UsageError, match="openai"):
        check_page("http://127.0.0.1:1", "openai")
