"""WebSocket frames (RFC 6455) as bytes, compressed ones too (RFC 7692); no sockets here."""

import base64
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OFFERED = "permessage-deflate; client_max_window_bits"  # as browsers do; a client may still send plain messages
_COMPRESSED, _RESERVED = 0x40, 0x70
_BLOCK_END = b"\x00\x00\xff\xff"  # which every compressed message is sent without
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


def closing_words(payload: bytes) -> str:
    """Return the code and the reason of a closing frame in words."""
    if len(payload) < 2:
        return "without a code"
    reason = payload[2:].decode("utf-8", "replace")
    return f"code {int.from_bytes(payload[:2], 'big')}" + (f": {reason}" if reason else "")


class FrameReader:
    """The messages in received bytes; frames may come in any pieces.

    ``extensions`` is the server's header Sec-WebSocket-Extensions: its answer to ``OFFERED``.
    """

    def __init__(self, extensions: str = "") -> None:
        """Raise ValueError for an extension that was not offered."""
        name, *parameters = [word.strip().lower() for word in extensions.split(";")]
        if name not in ("", "permessage-deflate"):
            raise ValueError(f"the server chose the WebSocket extension {extensions!r}, which was not offered")
        self._reserved = _RESERVED & ~_COMPRESSED if name else _RESERVED
        self._each_alone = "server_no_context_takeover" in parameters
        self._decompress: Callable[[bytes], bytes] = _decompressor() if name else bytes
        self._buffer = b""
        self._fragments: list[bytes] = []
        self._first = 0  # first byte of the first fragment

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of every message that is complete with these bytes.

        Raises:
            ValueError: a masked or reserved frame: not the protocol, or compression without agreement.
        """
        buffer = self._buffer + data if self._buffer else data
        position = 0
        while (frame := _frame_at(buffer, position, self._reserved)) is not None:
            first, start, end = frame
            position = end
            opcode, payload = first & 0x0F, buffer[start:end]
            if opcode >= CLOSE:
                yield opcode, payload
                continue
            if opcode != CONTINUATION:
                self._fragments, self._first = [], first
            self._fragments.append(payload)
            if first & 0x80:
                yield self._first & 0x0F, self._message()
                self._fragments = []
        self._buffer = buffer[position:]

    def _message(self) -> bytes:
        whole = self._fragments[0] if len(self._fragments) == 1 else b"".join(self._fragments)
        if not self._first & _COMPRESSED:
            return whole
        try:
            plain = self._decompress(whole + _BLOCK_END)
        except zlib.error as problem:
            raise ValueError(f"a WebSocket message cannot be decompressed: {problem}") from None
        if self._each_alone:
            self._decompress = _decompressor()
        return plain


def _decompressor() -> Callable[[bytes], bytes]:
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress


def _frame_at(buffer: bytes, position: int, reserved: int) -> tuple[int, int, int] | None:
    """Return (first byte, payload start, payload end) of the frame at a position, None while it is incomplete."""
    if len(buffer) < position + 2:
        return None
    first, size = buffer[position], buffer[position + 1]
    if first & reserved or size & 0x80:
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
