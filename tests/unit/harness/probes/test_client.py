"""What probes ask a chatbot by HTTP, wherever below its address it is."""

from http.server import BaseHTTPRequestHandler

import pytest

from harness.probes.client import Client
from tests.serving import serving


class Echo(BaseHTTPRequestHandler):
    """Answers with the path that it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("below", "path", "asked"),
    [
        ("", "/api/health", "/api/health"),
        ("/", "/api/health", "/api/health"),
        ("/chat", "/api/health", "/chat/api/health"),
        ("/chat/", "/", "/chat/"),
        ("/chat", "/chat/static/a.js", "/chat/static/a.js"),  # as the page itself names it
        ("/chat", "/chats", "/chat/chats"),
    ],
)
def test_a_path_is_below_the_chatbots_own(below: str, path: str, asked: str) -> None:
    with serving(Echo) as url:
        assert Client(url + below).request("GET", path).body.decode() == asked
