"""The page of a virtual user: your own requests go here."""

import json

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor
from loadtests.reading import Reading, TurnError


class OwnPage(Page):
    """A page of this chatbot; one connection, one conversation at a time."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._conversation = ""

    def connect(self) -> None:
        """Open the page. If users sign in, do it here; ``self.visitor`` names the account."""
        answer = self._connection.exchange(http.request("GET", "/", {"Host": self._endpoint.host}))
        if answer.status != 200:
            raise TurnError("http", f"GET /: HTTP {answer.status}")

    def new_conversation(self) -> None:
        """Start an empty conversation; the next message belongs to it."""
        answer = self._connection.exchange(self._post("/conversations", {}))
        if answer.status != 201:
            raise TurnError("http", f"POST /conversations: HTTP {answer.status}")
        self._conversation = json.loads(answer.body)["id"]

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        """Send a message and report the answer so far with every piece."""
        request, said = self._post(f"/conversations/{self._conversation}", {"text": text}), b""
        for piece in self._connection.pieces(request, reading):
            said += piece
            reading.saw(said.decode(errors="ignore"))
        reading.finish()  # only at the protocol's end: here the response is complete

    def abort(self) -> None:
        """Cut the turn under way; called when an answer is overdue."""
        self._connection.abort()

    def close(self) -> None:
        """Leave the page."""
        super().close()
        self._connection.close()

    def _post(self, path: str, data: dict[str, str]) -> bytes:
        headers = {"Host": self._endpoint.host, "Content-Type": "application/json"}
        return http.request("POST", path, headers, json.dumps(data).encode())
