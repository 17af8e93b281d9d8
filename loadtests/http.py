"""HTTP/1.1 as bytes: requests to send, responses to parse; no sockets here."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

TERMINAL_CHUNK = b"\r\n0\r\n\r\n"
_HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Response:
    """A response as far as it has arrived."""

    status: int
    headers: list[tuple[str, str]]  # names in lower case
    body: bytes
    ended: bool
    # for each piece of the body: where it starts among the raw bytes and in the body
    raw_starts: list[int] = field(default_factory=list)
    body_starts: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """Return a header's first value."""
        return next((value for key, value in self.headers if key == name), None)

    def body_offset(self, raw_position: int) -> int:
        """Return the bytes of the body within the first ``raw_position`` raw bytes."""
        piece = bisect_right(self.raw_starts, raw_position) - 1
        if piece < 0:
            return 0
        end = self.body_starts[piece + 1] if piece + 1 < len(self.body_starts) else len(self.body)
        return min(end, self.body_starts[piece] + raw_position - self.raw_starts[piece])


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """Return the bytes of a request; ``headers`` must hold Host."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def decode(raw: bytes, *, closed: bool = False) -> Response | None:
    """Return the response in raw bytes; None while its head is incomplete.

    Args:
        raw: all bytes received since the request was sent.
        closed: the server has closed the connection (ends a body without a length).

    Raises:
        ValueError: the bytes are not HTTP/1.1, or their framing is broken.
    """
    head_end = raw.find(_HEAD_END)
    if head_end < 0:
        return None
    lines = raw[:head_end].decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not an HTTP/1.1 response: {lines[0][:60]!r}")
    status = int(rest[:3])
    pairs = (line.partition(":") for line in lines[1:])
    response = Response(status, [(name.strip().lower(), value.strip()) for name, _, value in pairs], b"", False)
    start = head_end + len(_HEAD_END)
    if 100 <= status < 200 and status != 101:
        return decode(raw[start:], closed=closed)
    _decode_body(response, raw, start, closed)
    return response


def _decode_body(response: Response, raw: bytes, start: int, closed: bool) -> None:
    if response.status in (101, 204, 304):
        response.ended = True
    elif "chunked" in (response.header("transfer-encoding") or "").lower():
        _decode_chunks(response, raw, start)
    else:
        length = response.header("content-length")
        end = len(raw) if length is None else start + int(length)
        response.raw_starts, response.body_starts = [start], [0]
        response.body = raw[start:end]
        response.ended = closed if length is None else len(raw) >= end


def _decode_chunks(response: Response, raw: bytes, position: int) -> None:
    pieces: list[bytes] = []
    body_length = 0
    while True:
        line_end = raw.find(b"\r\n", position)
        if line_end < 0:
            break
        size = int(raw[position:line_end].split(b";")[0], 16)
        data = line_end + 2
        if size == 0:
            response.ended = raw[data : data + 2] == b"\r\n" or raw.find(_HEAD_END, line_end) >= 0
            break
        piece = raw[data : data + size]
        response.raw_starts.append(data)
        response.body_starts.append(body_length)
        pieces.append(piece)
        body_length += len(piece)
        if len(piece) < size:
            break
        position = data + size + 2
    response.body = b"".join(pieces)


class Body:
    """The body of a response as it comes, without its framing."""

    def __init__(self) -> None:
        self.head: Response | None = None  # known once its last line has come
        self.ended = False
        self._buffer = b""
        self._chunked = False
        self._left: int | None = 0  # bytes to come of this chunk, or of the body; None: until the connection closes

    def feed(self, data: bytes) -> bytes:
        """Return the part of the body in newly received bytes.

        Raises:
            ValueError: the bytes are not HTTP/1.1, or their framing is broken.
        """
        self._buffer += data
        if self.head is None and not self._read_head():
            return b""
        return self._from_chunks() if self._chunked else self._from_all()

    def closed(self) -> bool:
        """Return whether the response is over now that the server has closed the connection."""
        self.ended = self.ended or (self.head is not None and not self._chunked and self._left is None)
        return self.ended

    def _read_head(self) -> bool:
        while self.head is None:
            lines, found, rest = self._buffer.partition(_HEAD_END)
            if not found:
                return False
            self._buffer, self.head = rest, decode(lines + found)  # an interim response (1xx) gives None
        length = self.head.header("content-length")
        self._chunked = "chunked" in (self.head.header("transfer-encoding") or "").lower()
        self.ended = self.head.ended
        if not self._chunked:
            self._left = None if length is None else int(length)
        return True

    def _from_all(self) -> bytes:
        piece = self._buffer if self._left is None else self._buffer[: self._left]
        self._buffer = b""
        if self._left is not None:
            self._left -= len(piece)
            self.ended = self._left == 0
        return piece

    def _from_chunks(self) -> bytes:
        pieces: list[bytes] = []
        while not self.ended:
            if not self._left:
                size, found, rest = self._buffer.partition(b"\r\n")
                if not found:
                    break
                length = int(size.split(b";")[0], 16)
                if length == 0:
                    self.ended = rest.startswith(b"\r\n") or _HEAD_END in rest
                    break
                self._buffer, self._left = rest, length + 2  # the line end behind a chunk belongs to it
            taken = self._buffer[: self._left]
            pieces.append(taken[: max(0, self._left - 2)])
            self._buffer, self._left = self._buffer[len(taken) :], self._left - len(taken)
            if self._left:
                break
        return b"".join(pieces)
