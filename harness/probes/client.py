"""A browser's or a program's side of HTTP, reduced to what proving needs: cookies, CSRF token, JSON, event streams."""

import http.client
import json
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from harness.probes.claims import RefutedError, expect

TIMEOUT_S = 15.0
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete response."""

    request: str  # "GET /path", for messages
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, "" where it is absent."""
        return str(self.headers.get(name, ""))

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.header("Content-Type").split(";")[0].strip().lower()

    def json(self, status: int = 200) -> Any:
        """Return the JSON body of an answer that must have this status; raises RefutedError where it is another."""
        expect(self.status == status, f"{self.request} answered {self.status}, not {status}: {self._excerpt()}")
        expect(self.media_type == "application/json", f"{self.request} answered JSON as {self.media_type!r}")
        try:
            return json.loads(self.body)
        except ValueError:
            raise RefutedError(f"{self.request} answered no JSON: {self._excerpt()}") from None

    def problem(self, status: int) -> dict[str, Any]:
        """Return the problem document (RFC 9457) of a refusal with this status; raises RefutedError otherwise."""
        expect(self.status == status, f"{self.request} answered {self.status}, not {status}: {self._excerpt()}")
        expect(
            self.media_type == "application/problem+json",
            f"{self.request} refused with {self.media_type!r}, not application/problem+json",
        )
        return expect_problem(json.loads(self.body), status, self.request)

    def _excerpt(self) -> str:
        return repr(self.body[:160].decode(errors="replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event and when its last byte was read, in seconds on the monotonic clock."""

    name: str
    data: Any
    arrival_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An open response: its head, and its events as they come."""

    answer: Answer  # the body of a refusal, b"" for a stream
    events: Iterator[Event]


def expect_problem(document: Any, status: int, where: str) -> dict[str, Any]:
    """Return a problem document after checking its members; raises RefutedError."""
    expect(isinstance(document, dict), f"{where}: the problem document is {document!r}")
    for key, kind in (("type", str), ("title", str), ("status", int), ("detail", str)):
        value = document.get(key)
        expect(isinstance(value, kind), f"{where}: {key} of the problem document is {value!r}")
    expect(
        document["status"] == status, f"{where}: the problem document says status {document['status']}, not {status}"
    )
    return dict(document)


class Client:
    """One browser (session cookie, CSRF cookie) or one program (bearer token)."""

    def __init__(self, base_url: str, *, session: str | None = None, bearer: str | None = None) -> None:
        url = urllib.parse.urlsplit(base_url)
        self.host, self.port, self.prefix = url.hostname or "127.0.0.1", url.port or 80, url.path.rstrip("/")
        self.cookies: dict[str, str] = {} if session is None else {"sessionid": session}
        self.bearer = bearer

    def request(
        self, method: str, path: str, body: object = None, *, csrf: bool = True, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request and read its whole answer; ``body`` is sent as JSON, bytes as they are, None not at all.

        ``path`` is below the path of the base URL; one that begins with that, as redirects have it, is taken as it is.
        """
        with self._sent(method, path, body, csrf=csrf, headers=headers) as response:
            return self._answer(method, path, response, response.read())

    @contextmanager
    def stream(self, path: str, body: object) -> Iterator[Stream]:
        """POST and give the events while they come; leaving the block closes the connection at once."""
        headers = {"Accept": "text/event-stream"}
        with self._sent("POST", path, body, csrf=True, headers=headers) as response:
            streaming = response.status == 200
            answer = self._answer("POST", path, response, b"" if streaming else response.read())
            yield Stream(answer=answer, events=_events(response))

    @contextmanager
    def _sent(
        self, method: str, path: str, body: object, *, csrf: bool, headers: dict[str, str] | None
    ) -> Iterator[http.client.HTTPResponse]:
        if csrf and method not in SAFE_METHODS and self.bearer is None and "csrftoken" not in self.cookies:
            self.request("GET", "/api/auth/me")
        sent = {"Accept": "application/json", **self._credentials(method, csrf)}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, self._target(path), body=content, headers=sent | (headers or {}))
            response = connection.getresponse()
            with response:  # left early, only this closes the socket
                self._keep_cookies(response.headers)
                yield response
        finally:
            connection.close()

    def _target(self, path: str) -> str:
        return path if path == self.prefix or path.startswith(f"{self.prefix}/") else self.prefix + path

    def _credentials(self, method: str, csrf: bool) -> dict[str, str]:
        found = {}
        if self.bearer is not None:
            found["Authorization"] = f"Bearer {self.bearer}"
        if self.cookies:
            found["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if csrf and method not in SAFE_METHODS and "csrftoken" in self.cookies:
            found["X-CSRFToken"] = self.cookies["csrftoken"]
        return found

    def _keep_cookies(self, headers: http.client.HTTPMessage) -> None:
        for line in headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)

    @staticmethod
    def _answer(method: str, path: str, response: http.client.HTTPResponse, body: bytes) -> Answer:
        return Answer(request=f"{method} {path}", status=response.status, headers=response.headers, body=body)


def _events(response: http.client.HTTPResponse) -> Iterator[Event]:
    """Read server-sent events as the HTML standard defines them; ends with the response."""
    name, data = "message", list[str]()
    while line := response.readline():
        text = line.decode().rstrip("\r\n")
        if not text:
            if data:
                yield Event(name=name, data=json.loads("\n".join(data)), arrival_s=time.monotonic())
            name, data = "message", []
            continue
        key, _, value = text.partition(":")
        if key == "event":
            name = value.removeprefix(" ")
        elif key == "data":
            data.append(value.removeprefix(" "))
