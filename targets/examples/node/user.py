"""A user at the page of the Node server: one request a message, the answer as lines of JSON."""

import json

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor
from loadtests.reading import Reading, TurnError


class NodePage(Page):
    """A page over one keep-alive connection; the conversation lives in the page and is sent along."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._messages: list[dict[str, str]] = []

    def connect(self) -> None:
        """Open the page."""
        answer = self._connection.exchange(self._request("GET", "/", b""))
        if answer.status != 200:
            raise TurnError("http", f"GET /: HTTP {answer.status}")

    def new_conversation(self) -> None:
        """Forget what was said."""
        self._messages = []

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        """Send the conversation and follow the answer to the line that ends it."""
        self._messages.append({"role": "user", "content": text})
        request = self._request("POST", "/chat", json.dumps({"messages": self._messages}).encode())
        said, kept = "", b""
        for piece in self._connection.pieces(request, reading):
            *lines, kept = (kept + piece).split(b"\n")
            for event in map(json.loads, lines):
                if "error" in event:
                    raise TurnError("application", event["error"])
                if event.get("done"):
                    reading.finish()
                said += event.get("text", "")
            reading.saw(said)
        self._messages.append({"role": "assistant", "content": said})

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Leave the page."""
        super().close()
        self._connection.close()

    def _request(self, method: str, path: str, body: bytes) -> bytes:
        headers = {"Host": self._endpoint.host, "Content-Type": "application/json"}
        return http.request(method, self._endpoint.prefix + path, headers, body or None)
