"""A user at the page of ``clai web``: the requests of Vercel's AI SDK, the answer by server-sent events.

Facts from the package pydantic-ai-slim: ``ui/_web/api.py`` has the paths, ``ui/vercel_ai`` the messages. An answer is
``text-delta`` …, then ``finish``; the stream ends with ``[DONE]``.
"""

import json
import uuid
from typing import Any

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor
from loadtests.reading import Reading, TurnError


class ClaiPage(Page):
    """A page over one keep-alive connection; the conversation lives in the page and is sent along."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._conversation = ""
        self._messages: list[dict[str, Any]] = []
        self._model = ""

    def connect(self) -> None:
        """Open the page and read which models there are: it takes the first."""
        for path in ("/", "/api/configure"):
            answer = self._connection.exchange(self._request("GET", path, None))
            if answer.status != 200:
                raise TurnError("http", f"GET {path}: HTTP {answer.status}")
        self._model = json.loads(answer.body)["models"][0]["id"]

    def new_conversation(self) -> None:
        """Begin an empty conversation, under an id that the page makes up."""
        self._conversation, self._messages = uuid.uuid4().hex, []

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        """Send the conversation and follow the stream to its end."""
        self._messages.append(message("user", text))
        body = {
            "trigger": "submit-message",
            "id": self._conversation,
            "messages": self._messages,
            "model": self._model,
            "builtinTools": [],
        }
        said, kept = "", b""
        for piece in self._connection.pieces(self._request("POST", "/api/chat", body), reading):
            *lines, kept = (kept + piece).split(b"\n")
            for line in (line for line in lines if line.startswith(b"data:")):
                if (data := line.removeprefix(b"data:").strip()) == b"[DONE]":
                    reading.finish()
                    continue
                event = json.loads(data)
                if event["type"] == "error":
                    raise TurnError("application", event["errorText"])
                if event["type"] == "text-delta":
                    said += event["delta"]
            reading.saw(said)
        self._messages.append(message("assistant", said))

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Leave the page."""
        super().close()
        self._connection.close()

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        headers = {"Host": self._endpoint.host, "Accept": "*/*"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Origin": self._endpoint.origin}
        content = None if body is None else json.dumps(body).encode()
        return http.request(method, self._endpoint.prefix + path, headers, content)


def message(role: str, text: str) -> dict[str, Any]:
    """Return a message as the AI SDK keeps it."""
    return {"id": uuid.uuid4().hex, "role": role, "parts": [{"type": "text", "text": text}]}
