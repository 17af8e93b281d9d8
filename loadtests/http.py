"""HTTP/1.1 as bytes: requests to send, responses to parse; no sockets here."""

import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(r"\r?\n(?![ \t])")  # a line that begins with a blank goes on with the one before it
_FOLD = re.compile(r"\r?\n[ \t]+")
_TRAILERS_END = b"\r\n\r\n"


@dataclass(slots=True)
class Response:
    """A response as far as it has arrived."""

    status: int
    headers: list[tuple[str, str]]  # names in lower case
    body: bytes  # after 101: the first bytes of the other protocol
    ended: bool
    # for each piece of the body: where it starts among the raw bytes and in the body
    raw_starts: list[int] = field(default_factory=list)
    body_starts: list[int] = field(default_factory=list)
    keeps_open: bool = True  # the connection takes another request

    def header(self, name: str) -> str | None:
        """Return a header's first value."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in (self.header("transfer-encoding") or "").lower()

    @property
    def length(self) -> int | None:
        """The length that the head states for the body; None: in chunks, or until the connection closes."""
        stated = None if self.chunked else self.header("content-length")
        return None if stated is None else int(stated.split(",")[0])  # some proxies state it twice

    @property
    def content(self) -> bytes:
        """The body without its content coding; as it came where that cannot be undone."""
        try:
            return unpacker(self)(self.body)
        except ValueError:
            return self.body

    def body_offset(self, raw_position: int) -> int:
        """Return the bytes of the body within the first ``raw_position`` raw bytes."""
        piece = bisect_right(self.raw_starts, raw_position) - 1
        if piece < 0:
            return 0
        end = self.body_starts[piece + 1] if piece + 1 < len(self.body_starts) else len(self.body)
        return min(end, self.body_starts[piece] + raw_position - self.raw_starts[piece])


def unpacker(response: Response) -> Callable[[bytes], bytes]:
    """Return a function that undoes the content coding of a body, given its pieces in their order.

    The function raises ValueError where a piece is not in that coding.

    Raises:
        ValueError: a coding other than gzip and deflate.
    """
    coding = (response.header("content-encoding") or "identity").lower()
    if coding == "identity":
        return _as_it_is
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"the body is coded as {coding!r}, which was not asked for")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def unpacked(piece: bytes) -> bytes:
        try:
            return inflater.decompress(piece)
        except zlib.error as problem:
            raise ValueError(f"the body is not in {coding}: {problem}") from None

    return unpacked


def _as_it_is(piece: bytes) -> bytes:
    return piece


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """Return the bytes of a request; ``headers`` must hold Host."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def decode(raw: bytes, *, closed: bool = False, to_head: bool = False) -> Response | None:
    """Return the response in raw bytes, after any interim ones (1xx); None while its head is incomplete.

    Args:
        raw: all bytes received since the request was sent.
        closed: the server has closed the connection (ends a body without a length).
        to_head: the request's method was HEAD: no body follows, whatever the head states.

    Raises:
        ValueError: the bytes are not HTTP/1.1, or their framing is broken.
    """
    start = 0
    while end := _HEAD_END.search(raw, start):
        response = _decode_head(raw[start : end.start()])
        start = end.end()
        if not 100 <= response.status < 200 or response.status == 101:
            _decode_body(response, raw, start, closed=closed, bodiless=to_head)
            return response
    return None


def _decode_head(head: bytes) -> Response:
    first, *lines = _LINE_END.split(head.decode("latin-1"))
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not an HTTP/1.1 response: {first[:60]!r}")
    pairs = (_FOLD.sub(" ", line).partition(":") for line in lines)
    response = Response(int(rest[:3]), [(name.strip().lower(), value.strip()) for name, _, value in pairs], b"", False)
    options = ",".join(value for name, value in response.headers if name == "connection").lower()
    wanted = {option.strip() for option in options.split(",")}
    response.keeps_open = "close" not in wanted and (version != "HTTP/1.0" or "keep-alive" in wanted)
    return response


def _decode_body(response: Response, raw: bytes, start: int, *, closed: bool, bodiless: bool) -> None:
    if response.status == 101:
        response.body, response.ended = raw[start:], True
    elif bodiless or response.status in (204, 304):
        response.ended = True
    elif response.chunked:
        _decode_chunks(response, raw, start)
    else:
        length = response.length
        end = len(raw) if length is None else start + length
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
            response.ended = raw[data : data + 2] == b"\r\n" or raw.find(_TRAILERS_END, line_end) >= 0
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
    """The body of a response as it comes, without its framing and its content coding."""

    def __init__(self) -> None:
        self.head: Response | None = None  # known once its last line has come
        self.ended = False
        self._buffer = b""
        self._left: int | None = 0  # bytes to come of this chunk, or of the body; None: until the connection closes
        self._unpacked: Callable[[bytes], bytes] = _as_it_is

    def feed(self, data: bytes) -> bytes:
        """Return the part of the body in newly received bytes.

        Raises:
            ValueError: the bytes are not HTTP/1.1, their framing is broken, or their content coding is unknown.
        """
        self._buffer += data
        head = self.head or self._read_head()
        if head is None:
            return b""
        piece = self._from_chunks() if head.chunked else self._from_all()
        return self._unpacked(piece) if piece else b""

    def closed(self) -> bool:
        """Return whether the response is over now that the server has closed the connection."""
        self.ended = self.ended or (self.head is not None and self._left is None)
        return self.ended

    def _read_head(self) -> Response | None:
        while self.head is None and (end := _HEAD_END.search(self._buffer)):
            self.head = decode(self._buffer[: end.end()])  # an interim response (1xx) gives None
            self._buffer = self._buffer[end.end() :]
        if self.head is not None:
            self.ended = self.head.ended
            self._left = 0 if self.head.chunked else self.head.length
            self._unpacked = unpacker(self.head)
        return self.head

    def _from_all(self) -> bytes:
        piece = self._buffer if self._left is None else self._buffer[: self._left]
        self._buffer = b""
        if self._left is not None:
            self._left -= len(piece)
            self.ended = self._left == 0
        return piece

    def _from_chunks(self) -> bytes:
        data, at = self._buffer, 0
        pieces: list[bytes] = []
        while not self.ended:
            if self._left:
                taken = min(self._left, len(data) - at)
                pieces.append(data[at : at + min(taken, self._left - 2)] if self._left > 2 else b"")
                at, self._left = at + taken, self._left - taken
                if self._left:
                    break
            line_end = data.find(b"\r\n", at)
            if line_end < 0:
                break
            size = int(data[at:line_end].split(b";")[0], 16)
            if size:
                at, self._left = line_end + 2, size + 2  # the line end behind a chunk belongs to it
                continue
            self.ended = data.startswith(b"\r\n", line_end + 2) or data.find(_TRAILERS_END, line_end) >= 0
            break
        self._buffer = data[at:]
        return b"".join(pieces)
