"""Socket.IO 5 over Engine.IO 4 as WebSocket messages; no sockets here.

Source: the pages "engine.io protocol", revision 4, and "socket.io protocol", revision 5, of the Socket.IO project.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from loadtests.wire.websocket import BINARY

#: first character of an Engine.IO message
OPEN, CLOSE, PING, PONG, MESSAGE = "0", "1", "2", "3", "4"
#: first character of a Socket.IO packet, which is the rest of an Engine.IO message
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = "0", "1", "2", "3", "4", "5", "6"
_PLAIN = {BINARY_EVENT: EVENT, BINARY_ACK: ACK}
_PACKET = re.compile(r"([0-6])(?:(\d+)-)?(?:(/[^,]*),?)?(\d+)?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A message of the server: of Engine.IO where ``kind`` is None, else of Socket.IO."""

    engine: str  # OPEN, PING, MESSAGE …
    kind: str | None = None  # CONNECT, EVENT …; binary ones as plain ones
    namespace: str = "/"
    number: int | None = None  # of an event that wants an acknowledgement, or of what is acknowledged
    data: Any = None


class PacketReader:
    """The packets in WebSocket messages; an event with binary parts is complete with the last of them."""

    def __init__(self) -> None:
        self._waiting: Packet | None = None
        self._parts: list[bytes] = []
        self._missing = 0

    def feed(self, opcode: int, payload: bytes) -> Packet | None:
        """Return the packet that is complete with this message, None while parts of it are to come.

        Raises:
            ValueError: the message is not of the protocol.
        """
        if opcode == BINARY:
            return self._take_part(payload)
        text = payload.decode()
        if text[:1] != MESSAGE:
            return Packet(engine=text[:1], data=json.loads(text[1:]) if text[:1] == OPEN else None)
        match = _PACKET.fullmatch(text, 1)
        if match is None:
            raise ValueError(f"not a Socket.IO packet: {text[:40]!r}")
        kind, parts, namespace, number, data = match.groups()
        packet = Packet(
            engine=MESSAGE,
            kind=_PLAIN.get(kind, kind),
            namespace=namespace or "/",
            number=None if number is None else int(number),
            data=json.loads(data) if data else None,
        )
        self._missing = int(parts or 0)
        if not self._missing:
            return packet
        self._waiting, self._parts = packet, []
        return None

    def _take_part(self, payload: bytes) -> Packet | None:
        if self._waiting is None:
            raise ValueError("a binary Socket.IO message that belongs to no event")
        self._parts.append(payload)
        if len(self._parts) < self._missing:
            return None
        packet, self._waiting = self._waiting, None
        return replace(packet, data=_with_parts(packet.data, self._parts))


def packet(kind: str, data: Any = None, *, namespace: str = "/", number: int | None = None) -> str:
    """Return the text of a packet to send."""
    place = "" if namespace == "/" else f"{namespace},"
    body = "" if data is None else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"{MESSAGE}{kind}{place}{'' if number is None else number}{body}"


def _with_parts(value: Any, parts: list[bytes]) -> Any:
    """Return a value with its binary parts in their places."""
    if isinstance(value, dict):
        if value.get("_placeholder"):
            return parts[value["num"]]
        return {key: _with_parts(one, parts) for key, one in value.items()}
    return [_with_parts(one, parts) for one in value] if isinstance(value, list) else value
