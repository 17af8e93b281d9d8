"""A user of the language model without an application between (protocol ``openai``): the limit for every target."""

import os
from typing import Any

import orjson

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor
from loadtests.reading import SignInError, TurnError
from loadtests.users.rest import stream_answer
from loadtests.wire import sse
from loadtests.wire.raw_reads import RawReads

STAND_IN = "stand-in"
NO_LIST = (404, 405, 501)  # the answers of an endpoint that lists no models
_DONE_MARK = b"data: [DONE]"


class OpenAIPage(Page):
    """A chat at an OpenAI-compatible endpoint; ``LLM_API_KEY`` and ``LLM_MODEL`` are taken from the environment.

    Without a name it is the first model that the endpoint lists.
    """

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._prefix = self._endpoint.prefix or "/v1"
        self._messages: list[dict[str, str]] = []
        self._headers = {"Host": self._endpoint.host, "Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key := os.environ.get("LLM_API_KEY"):
            self._headers["Authorization"] = f"Bearer {key}"
        self._model = os.environ.get("LLM_MODEL", "")

    def connect(self) -> None:
        """List the models, which shows that the endpoint answers and takes the key; some endpoints have no list."""
        path = f"{self._prefix}/models"
        answer = self._connection.exchange(http.request("GET", path, self._headers))
        if answer.status not in (200, *NO_LIST):
            raise SignInError("http", f"GET {path}: HTTP {answer.status}: {sse.problem(answer.body)}")
        listed = _listed(answer.body) if answer.status == 200 else []
        self._model = self._model or next((str(one["id"]) for one in listed if one.get("id")), STAND_IN)

    def new_conversation(self) -> None:
        """Forget the messages so far."""
        self._messages = []

    def new_trace(self, sent_s: float) -> RawReads:
        """Return the trace of a turn: its raw reads."""
        return RawReads(sent_s, stream_format="openai")

    def ask(self, text: str, nonce: str, trace: RawReads) -> None:
        """Send the messages so far and stream the completion.

        An answer with the message's nonce is not sent back: one fewer parse. Other models insist that roles take turns.
        """
        self._messages.append({"role": "user", "content": text})
        body = orjson.dumps({"model": self._model, "messages": self._messages, "stream": True})
        headers = self._headers | {"Accept": "text/event-stream"}
        request = http.request("POST", f"{self._prefix}/chat/completions", headers, body)
        try:
            stream_answer(self._connection, request, trace, nonce, _DONE_MARK)
        finally:
            if trace.first_s is None:  # no nonce came
                self._remember(trace)

    def _remember(self, trace: RawReads) -> None:
        """Keep the answer for the next request; a message without one is forgotten."""
        try:
            said = trace.growth().text
        except (TurnError, ValueError, KeyError, TypeError, AttributeError):
            said = ""
        if said:
            self._messages.append({"role": "assistant", "content": said})
        else:
            self._messages.pop()

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connection."""
        super().close()
        self._connection.close()


def _listed(body: bytes) -> list[dict[str, Any]]:
    """Return the models of a list, whatever the list looks like; none where it is none."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return []
    models = found.get("data") if isinstance(found, dict) else found
    return [one for one in models if isinstance(one, dict)] if isinstance(models, list) else []
