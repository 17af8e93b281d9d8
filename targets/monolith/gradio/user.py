"""A user at the Gradio page: the requests of its JavaScript client, the answer by server-sent events.

Facts from the packages gradio 6.31 and gradio_client 2.7. In ``gradio/routes.py``: ``/config``; ``/queue/join`` puts an
event into the queue; ``/queue/data`` has the messages of a session's events; ``/run/predict`` is an event that does not
queue. ``gradio/server_messages.py``: the messages. ``gradio_client/utils.py``, ``apply_diff``: how a list of edits is
applied. The configuration calls the protocol ``sse_v3``.
"""

import json
import secrets
from collections.abc import Iterator
from typing import Any

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor
from loadtests.reading import Reading, SignInError, TurnError

PROTOCOL = "sse_v3"
ANSWER, NEW = "answer", "new"  # names of the app's events


class GradioPage(Page):
    """A page over one keep-alive connection; the conversation lives in the page and is sent along with each message."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._session = ""
        self._events: dict[str, dict[str, Any]] = {}
        self._prefix = ""
        self._chat: list[dict[str, Any]] = []

    def connect(self) -> None:
        """Open the page and read the configuration: which event has which number."""
        page = self._connection.exchange(http.request("GET", f"{self._endpoint.prefix}/", self._headers("text/html")))
        if page.status != 200:
            raise TurnError("http", f"GET /: HTTP {page.status}")
        config = self._call("GET", "/config", None)
        if config["protocol"] != PROTOCOL:
            raise SignInError("application", f"the app speaks {config['protocol']}, this user {PROTOCOL}")
        self._events = {event["api_name"]: event for event in config["dependencies"]}
        self._prefix = config["api_prefix"]
        self._session = secrets.token_hex(6)  # as the page: any text of its own

    def new_conversation(self) -> None:
        """Click "New conversation"."""
        self._chat = self._call("POST", f"{self._prefix}/run/predict", self._event(NEW, []))["data"][0]

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        """Put the message into the queue, then follow its messages until it is completed."""
        event_id = self._call("POST", f"{self._prefix}/queue/join", self._event(ANSWER, [text, self._chat]))["event_id"]
        path = f"{self._prefix}/queue/data?session_hash={self._session}"
        request = http.request("GET", self._endpoint.prefix + path, self._headers("text/event-stream"))
        outputs: list[Any] = []
        completed = False
        for message in messages(self._connection.pieces(request, reading)):
            kind = message["msg"]
            if kind == "unexpected_error":
                raise TurnError("application", message["message"])
            if kind not in ("process_generating", "process_completed") or message["event_id"] != event_id:
                continue
            if not message["success"]:
                raise TurnError("application", str(message["output"].get("error")))
            outputs = updated(outputs, message["output"]["data"], whole=kind == "process_completed")
            reading.saw(said(outputs[1]))
            if kind == "process_completed":
                completed = True
                reading.finish()
        if not completed:
            raise TurnError("truncated", "the stream ended before process_completed")
        self._chat = outputs[1]

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Leave the page."""
        super().close()
        self._connection.close()

    def _event(self, name: str, data: list[Any]) -> dict[str, Any]:
        event = self._events[name]
        trigger = event["targets"][0][0]
        return {
            "data": data,
            "fn_index": event["id"],
            "trigger_id": trigger,
            "session_hash": self._session,
        }

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Host": self._endpoint.host, "Accept": accept}

    def _call(self, method: str, path: str, data: dict[str, Any] | None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        headers = self._headers("application/json")
        if body is not None:
            headers |= {"Content-Type": "application/json", "Origin": self._endpoint.origin}
        answer = self._connection.exchange(http.request(method, self._endpoint.prefix + path, headers, body))
        if answer.status != 200:
            raise TurnError(
                "http", f"{method} {path}: HTTP {answer.status}: {answer.body[:120].decode(errors='replace')}"
            )
        return json.loads(answer.body)


def messages(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the messages of an event stream as soon as each is complete: a line ``data: {…}`` and an empty one."""
    kept = b""
    for piece in pieces:
        *whole, kept = (kept + piece).split(b"\n\n")
        for event in whole:
            yield json.loads(event.removeprefix(b"data: "))


def updated(outputs: list[Any], data: list[Any], *, whole: bool) -> list[Any]:
    """Return the event's outputs after a message: the first and the last bring them whole, those between as edits."""
    if whole or not outputs:
        return data
    return [edited(old, edits) for old, edits in zip(outputs, data, strict=True)]


def edited(value: Any, edits: list[list[Any]]) -> Any:
    """Return a value with edits ``[action, path, new]`` applied (``gradio_client.utils.apply_diff``); it is changed."""
    for action, path, new in edits:
        if not path:
            value = value + new if action == "append" else new
            continue
        *above, last = path
        place = value
        for step in above:
            place = place[step]
        if action == "append":
            place[last] += new
        elif action == "add" and isinstance(place, list):
            place.insert(last, new)
        elif action == "delete":
            del place[last]
        else:
            place[last] = new
    return value


def said(chat: list[dict[str, Any]]) -> str:
    """Return the text of the last message where it is an answer."""
    if not chat or chat[-1]["role"] != "assistant":
        return ""
    content = chat[-1]["content"]
    return content if isinstance(content, str) else "".join(piece.get("text", "") for piece in content)
