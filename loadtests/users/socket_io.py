"""A user of a page that talks Socket.IO over a WebSocket; a class of one's own says which events it sends and awaits.

docs/user-class.md has an example.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from loadtests.connection import Connection, endpoint
from loadtests.page import Page, Visitor, sleep_until
from loadtests.reading import Reading, SignInError, TurnError
from loadtests.users.websocket import WebSocket
from loadtests.wire import socket_io
from loadtests.wire.socket_io import Packet, PacketReader

_OPENING_S = 10.0  # from the handshake to the server's consent


class SocketIOPage(Page):
    """A page over one WebSocket, without the polling that some pages begin with.

    ``requests`` is a connection for what the page asks for by HTTP, such as a sign-in.
    """

    socket_path = "/socket.io/"
    namespace = "/"

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self.endpoint = endpoint(visitor.base_url)
        self.requests = Connection(self.endpoint)
        self._connection = Connection(self.endpoint)
        self._socket = WebSocket(self._connection)
        self._packets = PacketReader()
        self._came: deque[Packet] = deque()  # and nobody has looked at them yet
        self._number = 0  # of the last event that wanted an acknowledgement

    def open_socket(
        self,
        auth: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> None:
        """Open the WebSocket and join the namespace.

        Args:
            auth: what the page's client is given as ``auth``.
            headers: of the handshake, such as ``Cookie``.
            query: of the handshake's address.

        Raises:
            SignInError: the server refuses ``auth``; TurnError, OSError: it does not open.
        """
        words = urlencode({"EIO": "4", "transport": "websocket", **(query or {})})
        self._packets = PacketReader()
        self._came.clear()
        self._socket.open(f"{self.endpoint.prefix}{self.socket_path}?{words}", headers or {})
        self._await(lambda packet: packet.engine == socket_io.OPEN)
        self._socket.send(socket_io.packet(socket_io.CONNECT, auth, namespace=self.namespace))
        answer = self._await(lambda packet: packet.kind in (socket_io.CONNECT, socket_io.CONNECT_ERROR))
        if answer.kind == socket_io.CONNECT_ERROR:
            raise SignInError("application", f"Socket.IO: the server refused the connection: {answer.data}"[:200])

    def emit(self, event: str, *values: Any) -> None:
        """Send an event."""
        self._socket.send(socket_io.packet(socket_io.EVENT, [event, *values], namespace=self.namespace))

    def call(self, event: str, *values: Any, timeout_s: float = _OPENING_S) -> list[Any]:
        """Send an event and return what the server acknowledges it with; other events meanwhile are dropped.

        Raises:
            TurnError: no acknowledgement in time, or the connection was closed; OSError: it failed.
        """
        self._number += 1
        number, data = self._number, [event, *values]
        self._socket.send(socket_io.packet(socket_io.EVENT, data, namespace=self.namespace, number=number))
        answer = self._await(lambda packet: packet.kind == socket_io.ACK and packet.number == number, timeout_s)
        return list(answer.data or ())

    def events(self, reading: Reading | None = None, timeout_s: float | None = None) -> Iterator[tuple[str, list[Any]]]:
        """Yield the name and the values of each event as it comes; pings are answered.

        Args:
            reading: the answer for which the bytes are counted.
            timeout_s: end after this time; without it the turn's own limit holds.

        Raises:
            TurnError: the server closed the connection; OSError: it failed.
        """
        for packet in self._received(reading, timeout_s):
            if packet.kind == socket_io.EVENT and packet.data:
                name, *values = packet.data
                yield str(name), values

    def idle(self, until_s: float) -> bool:
        """Answer pings until ``until_s``; a connection that the server closes is opened again for the next message."""
        try:
            for _ in self.events(timeout_s=until_s - time.monotonic()):
                pass
        except (OSError, TurnError):
            self.close()
        sleep_until(until_s)
        return False

    def abort(self) -> None:
        """Cut the connections."""
        self._connection.abort()
        self.requests.abort()

    def close(self) -> None:
        """Leave the page."""
        super().close()
        self._connection.close()
        self.requests.close()

    def _received(self, reading: Reading | None, timeout_s: float | None) -> Iterator[Packet]:
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            while self._came:
                packet = self._came.popleft()
                if packet.engine == socket_io.PING:
                    self._socket.send(socket_io.PONG)
                elif packet.engine == socket_io.CLOSE or packet.kind == socket_io.DISCONNECT:
                    raise TurnError("connection", "the server ended the Socket.IO connection")
                elif packet.kind is None or packet.namespace == self.namespace:
                    yield packet
            left_s = None if until_s is None else until_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                return
            read = (self._packets.feed(*one) for one in self._socket.receive(reading, left_s))
            self._came.extend(packet for packet in read if packet is not None)

    def _await(self, wanted: Callable[[Packet], bool], timeout_s: float = _OPENING_S) -> Packet:
        for packet in self._received(None, timeout_s):
            if wanted(packet):
                return packet
        raise TurnError("connection", f"Socket.IO: the server did not answer within {timeout_s:g} s")
