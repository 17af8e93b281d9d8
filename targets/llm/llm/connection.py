"""HTTP/1.1 on a bare protocol: reads requests, answers them one after the other."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import httptools

from . import routes, wire
from .answering import Answering, Model
from .errors import ApiError

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_WAITING = 16  # pipelined requests read ahead of the answer in progress
LINGER_S = 1.0  # time for a client to read why it was refused, before a reset could discard that
FRAMING = (b"content-length", b"transfer-encoding")


@dataclass(slots=True, kw_only=True)
class Request:
    """A request as read; ``error`` is why it could not be."""

    url: bytes = b""
    method: str = ""
    headers: dict[bytes, bytes] = field(default_factory=dict)  # those that say something of the body
    body: bytearray
    keep_alive: bool = False
    chunked: bool = True
    offers_upgrade: bool = False
    error: ApiError | None = None

    def head(self) -> bytes:
        """Return the head again, without the offer of another protocol."""
        version = "1.1" if self.chunked else "1.0"
        option = b"keep-alive" if self.keep_alive else b"close"
        lines = [f"{self.method} ".encode() + self.url + f" HTTP/{version}".encode(), b"connection: " + option]
        return b"\r\n".join([*lines, *(b"%b: %b" % field for field in self.headers.items()), b"", b""])


class Connection(asyncio.Protocol):
    """One client of the server, whose open connections are in ``connections``."""

    def __init__(self, model: Model, connections: set["Connection"]) -> None:
        self.blocked = False
        self.keep_alive = True
        self.chunked = True
        self._model = model
        self._connections = connections
        self._waiting: deque[Request] = deque()
        self._answering: Answering | None = None
        self._refused = False  # no request can be read any more
        self._request = Request(body=bytearray())
        self._head_bytes: int | None = None  # None outside of a head
        self._completed = False  # a request, in the data that came last
        self._parser = httptools.HttpRequestParser(self)

    # --- the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write: Callable[[bytes], None] = self._transport.write
        # Anything the socket does not take at once pauses the answer, so that a logged time is that of a real write.
        self._transport.set_write_buffer_limits(high=0)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._refused = True
        self._waiting.clear()
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None

    def pause_writing(self) -> None:
        self.blocked = True

    def resume_writing(self) -> None:
        self.blocked = False
        if self._answering is not None:
            self._answering.resume()
        self._advance()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._completed = False
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as failure:
            if not isinstance(failure.__context__, ApiError):
                raise
            self._refuse(failure.__context__)
        except httptools.HttpParserError as failure:
            self._refuse(ApiError(400, f"The request is not valid HTTP: {failure}.", close=True))
        if self._head_bytes is not None and not self._completed:  # else some of the data is of requests before
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self._refused:
                self._refuse(ApiError(431, f"The request's head is longer than {MAX_HEAD_BYTES} bytes.", close=True))
        self._advance()

    def _feed(self, data: bytes) -> None:
        """Parse data; an offer of another protocol (h2c, as Java's client makes) is ignored.

        The parser would leave the body of such a request to that protocol: it gets the request once more without it.
        """
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                self._parser = httptools.HttpRequestParser(self)
                data = self._request.head() + data[offer.args[0] :]
            else:
                return

    # --- the parser's side

    def on_message_begin(self) -> None:
        self._request = Request(body=bytearray())
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in routes.KEPT_HEADERS or name in FRAMING:
            self._request.headers[name] = value
        if name == b"content-length" and int(value) > MAX_BODY_BYTES:
            raise _too_long(f"{int(value)} bytes long")
        if name == b"expect" and value.lower() == b"100-continue" and self._answering is None and not self._waiting:
            self.write(wire.CONTINUE)

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        request = self._request
        request.method = self._parser.get_method().decode()
        request.chunked = self._parser.get_http_version() == "1.1"
        request.keep_alive = self._parser.should_keep_alive() and request.chunked
        request.offers_upgrade = self._parser.should_upgrade()
        if request.method == "CONNECT":
            raise ApiError(400, "This is no proxy: send requests straight to it.", close=True)

    def on_body(self, data: bytes) -> None:
        self._request.body += data
        if len(self._request.body) > MAX_BODY_BYTES:
            raise _too_long("longer")

    def on_message_complete(self) -> None:
        if self._request.offers_upgrade:  # its body is still to come
            return
        self._completed = True
        self._waiting.append(self._request)
        self._advance()

    # --- answers

    def answered(self) -> None:
        """The current answer is complete."""
        self._answering = None
        if not self.keep_alive:
            self.hang_up()
        self._advance()

    def hang_up(self) -> None:
        """Close the connection after what was written; ``connection_lost`` then cancels the answer in progress."""
        self._refused = True
        self._transport.close()

    def abort(self) -> None:
        """Close the connection at once, recording an answer in progress as unfinished."""
        if self._answering is not None:
            self._answering.cancel()
        self._transport.abort()

    def _refuse(self, error: ApiError) -> None:
        self._refused = True
        self._waiting.append(Request(body=bytearray(), error=error))
        self._advance()

    def _advance(self) -> None:
        """Begin answers while there are requests and nothing holds them up; read ahead only so far."""
        while self._waiting and self._answering is None and not self.blocked and not self._transport.is_closing():
            self._begin(self._waiting.popleft())
        if len(self._waiting) >= MAX_WAITING:
            self._transport.pause_reading()
        elif not self._transport.is_closing() and not self._transport.is_reading():
            self._transport.resume_reading()

    def _begin(self, request: Request) -> None:
        self.keep_alive, self.chunked = request.keep_alive, request.chunked
        try:
            if request.error is not None:
                raise request.error
            body = bytes(request.body)
            reply = routes.reply(request.method, request.url, request.headers, body, self, self._model)
        except ApiError as error:
            self.write(
                wire.json_response(
                    error.status,
                    error.body,
                    keep_alive=self.keep_alive,
                    headers=error.headers,
                    body=request.method != "HEAD",
                )
            )
            if error.close:
                self._linger()
                return
        else:
            if isinstance(reply, Answering):
                self._answering = reply
                return
            self.write(reply)
        if not self.keep_alive:
            self.hang_up()

    def _linger(self) -> None:
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_S, self._transport.close)


def _too_long(length: str) -> ApiError:
    return ApiError(413, f"The body is {length}; the limit is {MAX_BODY_BYTES} bytes.", close=True)
