"""A WebSocket as a browser opens it: handshake, whole messages, pings answered, the server's words at its end."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from loadtests import http
from loadtests.connection import Connection
from loadtests.reading import Reading, TurnError
from loadtests.wire.websocket import (
    BINARY,
    CLOSE,
    OFFERED,
    PING,
    PONG,
    TEXT,
    FrameReader,
    accept_of,
    client_frame,
    closing_words,
    new_key,
)

_READ_BYTES = 65536
_LEAST_S = 0.001  # a time-out of 0 would mean another kind of socket


class WebSocket:
    """A WebSocket on a connection, which belongs to it from ``open`` until ``close``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._frames = FrameReader()
        self._early = b""  # came with the answer to the handshake
        self._closed: str | None = None  # the server's words
        self.read_s = 0.0  # time of the last read

    def open(self, target: str, headers: Mapping[str, str], protocols: Sequence[str] = ()) -> None:
        """Open it at this path; ``Host`` and ``Origin`` are added to the headers.

        Raises:
            TurnError: the server refuses the handshake, or answers it wrongly.
            OSError: the connection failed.
        """
        key, at = new_key(), self._connection.endpoint
        wanted = {
            "Host": at.host,
            "Origin": at.origin,
            **headers,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Extensions": OFFERED,
        }
        if protocols:
            wanted["Sec-WebSocket-Protocol"] = ", ".join(protocols)
        answer = self._connection.exchange(http.request("GET", target, wanted))
        if answer.status != 101:
            raise TurnError("http", f"WebSocket handshake: HTTP {answer.status}")
        if answer.header("sec-websocket-accept") != accept_of(key):
            raise TurnError("connection", "WebSocket handshake: wrong Sec-WebSocket-Accept")
        self._frames = FrameReader(answer.header("sec-websocket-extensions") or "")
        self._early, self._closed = answer.body, None

    def send(self, payload: bytes | str) -> None:
        """Send a message: text as text, bytes as binary."""
        opcode, content = (TEXT, payload.encode()) if isinstance(payload, str) else (BINARY, payload)
        if self._connection.sock is None:
            raise TurnError("connection", "the WebSocket is closed")
        self._connection.sock.sendall(client_frame(opcode, content))

    def receive(self, reading: Reading | None = None, timeout_s: float | None = None) -> list[tuple[int, bytes]]:
        """Return (opcode, payload) of the messages that are complete with the next read; pings are answered.

        Args:
            reading: the answer for which the bytes are counted.
            timeout_s: wait no longer; then there may be no message.

        Raises:
            TurnError: the server closed it, with its code and reason (kind ``connection``).
            OSError: the connection failed.
        """
        if self._closed is not None or self._connection.sock is None:
            raise self._end()
        data = self._read(timeout_s)
        if data is None:
            return []
        if reading is not None:
            reading.wire_bytes += len(data)
        messages = [one for one in self._frames.feed(data) if not self._is_control(*one)]
        if not data:
            self._closed = "without a closing frame"
        if self._closed is not None and not messages:
            raise self._end()
        return messages

    def close(self) -> None:
        """Close the connection; a later ``open`` opens another one."""
        self._connection.close()

    def _read(self, timeout_s: float | None) -> bytes | None:
        """Return the bytes of the next read, b"" at the end; None where the time is over."""
        early, self._early = self._early, b""
        sock = self._connection.sock
        if early or sock is None:
            self.read_s = time.monotonic()
            return early
        if timeout_s is None:
            data = sock.recv(_READ_BYTES)
        else:
            sock.settimeout(max(_LEAST_S, timeout_s))
            try:
                data = sock.recv(_READ_BYTES)
            except TimeoutError:
                return None
            finally:
                sock.settimeout(None)
        self.read_s = time.monotonic()
        return data

    def _is_control(self, opcode: int, payload: bytes) -> bool:
        """Return whether a message is the protocol's own; answer it."""
        sock = self._connection.sock
        if opcode == CLOSE and self._closed is None:
            self._closed = closing_words(payload)
        if opcode in (PING, CLOSE) and sock is not None:
            with suppress(OSError):  # a connection that failed says so at the next read
                sock.sendall(client_frame(PONG if opcode == PING else CLOSE, payload))
        return opcode not in (TEXT, BINARY)

    def _end(self) -> TurnError:
        self._connection.close()
        words = f" ({self._closed})" if self._closed else ""
        return TurnError("connection", f"the server closed the WebSocket{words}")
