"""A user of the REST contract's web page: the same requests, the answer by server-sent events."""

from typing import Any
from urllib.parse import quote

import orjson

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, PageLoad, Visitor
from loadtests.reading import SignInError, TurnError
from loadtests.users.assets import fetch_page
from loadtests.wire import sse
from loadtests.wire.raw_reads import RawReads

_DONE_MARK = b"event: done\n"


class RestPage(Page):
    """A page over one keep-alive connection, signed in by cookie."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._cookies = {"sessionid": visitor.session}
        self._messages_path = ""

    def connect(self) -> None:
        """Get the signed-in user (which brings the CSRF token) and list the conversations."""
        answer = self._call("GET", "/api/auth/me")
        if answer.status != 200:
            raise SignInError("http", f"GET /api/auth/me as {self.visitor.username}: HTTP {answer.status}")
        self._list_conversations()

    def open_page(self) -> PageLoad:
        """Return the cost of index.html and its files, fetched without a session."""
        self.close()
        self._cookies = {}
        return fetch_page(self._connection, self._endpoint)[0]

    def sign_in(self, password: str) -> None:
        """Sign in after the page's request for the signed-in user, which brings the CSRF token."""
        self._call("GET", "/api/auth/me")
        answer = self._call("POST", "/api/auth/login", {"username": self.visitor.username, "password": password})
        if answer.status != 200:
            raise SignInError("http", f"POST /api/auth/login as {self.visitor.username}: HTTP {answer.status}")
        self._list_conversations()

    def new_conversation(self) -> None:
        """Create a conversation; its first message is still to come."""
        created = self._expect(self._call("POST", "/api/conversations", {}), 201, "POST /api/conversations")
        self._messages_path = f"/api/conversations/{quote(str(created['id']))}/messages"

    def new_trace(self, sent_s: float) -> RawReads:
        """Return the trace of a turn: its raw reads."""
        return RawReads(sent_s, stream_format="rest")

    def ask(self, text: str, nonce: str, trace: RawReads) -> None:
        """Post the message and keep the raw event stream for parsing after the trial."""
        body = orjson.dumps({"content": text})
        request = self._request("POST", self._messages_path, "text/event-stream", body)
        stream_answer(self._connection, request, trace, nonce, _DONE_MARK)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connection; the conversation stays."""
        super().close()
        self._connection.close()

    def _list_conversations(self) -> None:
        self._expect(self._call("GET", "/api/conversations?page=1"), 200, "GET /api/conversations")

    def _request(self, method: str, path: str, accept: str, body: bytes | None) -> bytes:
        headers = {"Host": self._endpoint.host, "Accept": accept}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if method != "GET":
            headers["Origin"] = self._endpoint.origin
            headers["X-CSRFToken"] = self._cookies.get("csrftoken", "")
            headers["Content-Type"] = "application/json"
        return http.request(method, self._endpoint.prefix + path, headers, body)

    def _call(self, method: str, path: str, data: dict[str, Any] | None = None) -> http.Response:
        body = None if data is None else orjson.dumps(data)
        response = self._connection.exchange(self._request(method, path, "application/json", body))
        for name, value in response.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key.strip()] = rest.partition(";")[0]
        return response

    @staticmethod
    def _expect(response: http.Response, status: int, what: str) -> Any:
        if response.status != status:
            raise TurnError("http", f"{what}: HTTP {response.status}: {sse.problem(response.content)}")
        return orjson.loads(response.content)


def stream_answer(connection: Connection, request: bytes, trace: RawReads, nonce: str, done_mark: bytes) -> None:
    """Send a request whose answer is an event stream; keep its reads and check only status and type.

    Raises:
        TurnError: another status than 200 (kind ``http``), or another body than an event stream.
        OSError: the connection failed.
    """
    connection.stream(request, trace, nonce.encode(), done_mark)
    over_s = trace.times[-1]
    if trace.done_s is None:
        trace.done_s = over_s
    trace.ready_s = trace.done_s
    head = http.decode(trace.parts[0]) or http.decode(b"".join(trace.parts))
    if head is None:
        raise TurnError("http", "the response has no head")
    if not head.keeps_open:
        connection.close()
    if head.status != 200:
        whole = http.decode(b"".join(trace.parts), closed=True)
        detail = sse.problem(whole.content) if whole else ""
        raise TurnError("http", f"HTTP {head.status}: {detail}")
    content_type = head.header("content-type") or "none"
    if not content_type.lower().startswith("text/event-stream"):
        raise TurnError("application", f"the answer is {content_type}, expected text/event-stream")
