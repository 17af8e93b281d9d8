"""A user of the language model without an application between (protocol ``openai``): the limit for every target."""

import os

import orjson

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor
from loadtests.reading import SignInError
from loadtests.users.rest import stream_answer
from loadtests.wire import sse
from loadtests.wire.raw_reads import RawReads

_DONE_MARK = b"data: [DONE]"


class OpenAIPage(Page):
    """A chat at an OpenAI-compatible endpoint; ``LLM_API_KEY`` and ``LLM_MODEL`` are taken from the environment."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._prefix = self._endpoint.prefix or "/v1"
        self._messages: list[dict[str, str]] = []
        self._headers = {"Host": self._endpoint.host, "Content-Type": "application/json"}
        if key := os.environ.get("LLM_API_KEY"):
            self._headers["Authorization"] = f"Bearer {key}"
        self._model = os.environ.get("LLM_MODEL", "stand-in")

    def connect(self) -> None:
        """List the models, which shows that the endpoint answers and takes the key."""
        answer = self._connection.exchange(http.request("GET", f"{self._prefix}/models", self._headers))
        if answer.status != 200:
            raise SignInError("http", f"GET {self._prefix}/models: HTTP {answer.status}: {sse.problem(answer.body)}")

    def new_conversation(self) -> None:
        """Forget the messages so far."""
        self._messages = []

    def new_trace(self, sent_s: float) -> RawReads:
        """Return the trace of a turn: its raw reads."""
        return RawReads(sent_s, stream_format="openai")

    def ask(self, text: str, nonce: str, trace: RawReads) -> None:
        """Send the user's messages so far and stream the completion (answers are not sent back: one fewer parse)."""
        self._messages.append({"role": "user", "content": text})
        body = orjson.dumps({"model": self._model, "messages": self._messages, "stream": True})
        headers = self._headers | {"Accept": "text/event-stream"}
        request = http.request("POST", f"{self._prefix}/chat/completions", headers, body)
        stream_answer(self._connection, request, trace, nonce, _DONE_MARK)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connection."""
        super().close()
        self._connection.close()
