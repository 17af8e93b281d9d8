"""A line that notes what passes to the target: HTTP requests, and the messages of a Streamlit page's WebSocket.

The same instrument for a browser and for a virtual user, so that what it notes of the two can be compared.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle

from tests.e2e.pages.line import Line

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket", re.IGNORECASE)
#: what a browser offers for its WebSocket; taken away, its messages pass uncompressed
_COMPRESSION = re.compile(rb"\r\nsec-websocket-extensions: [^\r]*", re.IGNORECASE)
_CONTROL = 0x8  # from this opcode on a frame belongs to no message

#: fields of Streamlit's messages by their numbers in streamlit/proto: BackMsg, ClientState, WidgetState
_RERUN = 11
_CLIENT_STATE = {1: "query", 3: "page", 4: "page name", 5: "fragment", 8: "context"}
_WIDGET = {2: "click", 3: "flag", 6: "text", 8: "choices", 14: "old chat message", 15: "chat message"}
_WIDGET_STATES, _WIDGET_ID = 2, 1


#: how often each has passed: (method, path template), or ("WebSocket", kind of message)
Requests = Counter[tuple[str, str]]


class Recorder(Line):
    """A line with ``requests``."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.requests = Requests()

    def outward(self) -> Callable[[bytes], bytes]:
        """Return the notes of a new connection."""
        return Connection(self.requests).passing


class Connection:
    """One connection's bytes on their way to the target."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._buffer, self._body_left = b"", 0
        self._frames: _Frames | None = None  # once it is a WebSocket

    def passing(self, piece: bytes) -> bytes:
        """Note what is complete with this piece; return what goes on to the target."""
        self._buffer += piece
        out = b""
        while self._buffer and (taken := self._taken()):
            out += taken
        return out

    def _taken(self) -> bytes:
        """Take from the buffer what can go on; nothing while a request's head is incomplete."""
        if self._frames is not None:
            taken, self._buffer = self._buffer, b""
            for message in self._frames.feed(taken):
                self._requests["WebSocket", kind_of(message)] += 1
            return taken
        if self._body_left:
            taken, self._buffer = self._buffer[: self._body_left], self._buffer[self._body_left :]
            self._body_left -= len(taken)
            return taken
        head, ended, rest = self._buffer.partition(b"\r\n\r\n")
        if not ended:
            return b""
        self._buffer = rest
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self._requests[method, _ID.sub("{id}", target)] += 1
        length = _LENGTH.search(head)
        self._body_left = int(length[1]) if length else 0
        if _UPGRADE.search(head):
            self._frames = _Frames()
            head = _COMPRESSION.sub(b"", head)
        return head + ended


class _Frames:
    """The messages in a client's frames (RFC 6455: masked, maybe in fragments)."""

    def __init__(self) -> None:
        self._buffer, self._message = b"", b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the messages that are complete with these bytes."""
        self._buffer += data
        while (frame := self._frame()) is not None:
            first, payload = frame
            if first & 0x0F >= _CONTROL:
                continue
            self._message += payload
            if first & 0x80:
                yield self._message
                self._message = b""

    def _frame(self) -> tuple[int, bytes] | None:
        """Take a whole frame: its first byte and its payload."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size >= 126:
            start += 2 if size == 126 else 8
            size = int.from_bytes(buffer[2:start], "big")
        end = start + 4 + size
        if len(buffer) < end:
            return None
        mask, masked = buffer[start : start + 4], buffer[start + 4 : end]
        self._buffer = buffer[end:]
        return buffer[0], bytes(byte ^ key for byte, key in zip(masked, cycle(mask), strict=False))


def kind_of(message: bytes) -> str:
    """Return what a Streamlit page asks for (``BackMsg``): its kind, what it says of itself, its widgets' values."""
    kind, body = next(fields(message))
    if kind != _RERUN or isinstance(body, int):
        return f"message {kind}"
    says, widgets = [], []
    for number, value in fields(body):
        if number == _WIDGET_STATES and isinstance(value, bytes):
            widgets = [_value_of(widget) for _, widget in fields(value)]
        elif value not in (b"", 0):  # an empty field says nothing
            says.append(_CLIENT_STATE.get(number, str(number)))
    return f"rerun with {', '.join(sorted(says))}; widgets: {', '.join(sorted(widgets))}"


def _value_of(widget: int | bytes) -> str:
    numbers = [number for number, _ in fields(widget if isinstance(widget, bytes) else b"") if number != _WIDGET_ID]
    return " and ".join(_WIDGET.get(number, str(number)) for number in numbers)


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a protobuf message: number and value."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            yield number, message[position : position + size]
            position += size
