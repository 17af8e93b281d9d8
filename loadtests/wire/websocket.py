"""WebSocket frames (RFC 6455) as bytes; no sockets here."""

import base64
import hashlib
import os
from collections.abc import Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def new_key() -> str:
    """Return a random Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    """Return the Sec-WebSocket-Accept of a server's answer to this key."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def client_frame(opcode: int, payload: bytes) -> bytes:
    """Return one whole client frame, masked."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    pattern = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")
    return head + mask + masked


class FrameReader:
    """The messages in received bytes; frames may come in any pieces."""

    def __init__(self) -> None:
        self._buffer = b""
        self._fragments: list[bytes] = []
        self._fragments_opcode = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of every message that is complete with these bytes.

        Raises:
            ValueError: a masked or reserved frame: not the protocol, or compression without agreement.
        """
        buffer = self._buffer + data if self._buffer else data
        position = 0
        while (frame := _frame_at(buffer, position)) is not None:
            first, start, end = frame
            position = end
            opcode, payload = first & 0x0F, buffer[start:end]
            if opcode >= CLOSE or (first & 0x80 and opcode != CONTINUATION):
                yield opcode, payload
                continue
            if opcode != CONTINUATION:
                self._fragments, self._fragments_opcode = [], opcode
            self._fragments.append(payload)
            if first & 0x80:
                yield self._fragments_opcode, b"".join(self._fragments)
                self._fragments = []
        self._buffer = buffer[position:]


def _frame_at(buffer: bytes, position: int) -> tuple[int, int, int] | None:
    """Return (first byte, payload start, payload end) of the frame at a position, None while it is incomplete."""
    if len(buffer) < position + 2:
        return None
    first, size = buffer[position], buffer[position + 1]
    if first & 0x70 or size & 0x80:
        raise ValueError(f"unexpected WebSocket frame bits {first:#04x} {size:#04x} from the server")
    start = position + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(buffer) < start + width:
            return None
        size = int.from_bytes(buffer[start : start + width], "big")
        start += width
    end = start + size
    return (first, start, end) if len(buffer) >= end else None
