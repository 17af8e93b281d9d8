"""A TCP connection that stamps its reads; cooperative where Locust has patched the socket module."""

import socket
import ssl
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from loadtests import http
from loadtests.reading import Reading, TurnError
from loadtests.wire.raw_reads import RawReads
from loadtests.wire.receiving import ReadCollector, receive

_READ_BYTES = 65536
_CONNECT_TIMEOUT_S = 10.0
_IDLE_TOO_LONG = 408  # some servers say so on the connection before they close it
_CLOSED_EARLY = "the server closed the connection before its response was complete"


class Endpoint:
    """The address of a target: a base URL taken apart and resolved once."""

    def __init__(self, base_url: str) -> None:
        """Take ``base_url`` apart and look its host up.

        Raises:
            ValueError: not an http:// or https:// URL with a host.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base URL {base_url!r}: expected http://host:port")
        self.secure = parts.scheme == "https"
        self.hostname = parts.hostname
        port = parts.port or (443 if self.secure else 80)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.host = parts.netloc
        self.prefix = parts.path.rstrip("/")
        found = socket.getaddrinfo(self.hostname, port, type=socket.SOCK_STREAM)
        self._addresses = [(family, address) for family, _, _, _, address in found]

    def connect(self, timeout_s: float) -> socket.socket:
        """Return a socket that is connected to the first address which takes it; later ones go to that address.

        ``localhost`` may be ::1 first while the server listens at 127.0.0.1: curl and browsers try the next one, too.

        Raises:
            OSError: that of the last address, where none takes it within ``timeout_s``.
        """
        problem = OSError(f"{self.hostname} has no address")
        for family, address in tuple(self._addresses):
            try:
                sock = connected(family, address, timeout_s / len(self._addresses))
            except OSError as refused:
                problem = refused
            else:
                self._addresses = [(family, address)]
                return sock
        raise problem


def connected(family: int, address: Any, timeout_s: float) -> socket.socket:
    """Return a socket connected to one address; raises OSError."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


@lru_cache(maxsize=64)
def endpoint(base_url: str) -> Endpoint:
    """Return the endpoint of a base URL, resolved once per process: a thousand users must not look it up each."""
    return Endpoint(base_url)


class Connection:
    """One keep-alive connection; opened when first needed."""

    def __init__(self, at: Endpoint) -> None:
        self.endpoint = at
        self.sock: socket.socket | None = None

    def open(self, timeout_s: float = _CONNECT_TIMEOUT_S) -> socket.socket:
        """Connect.

        Raises:
            OSError: refused, unreachable, or not within ``timeout_s``.
        """
        self.close()
        sock = self.endpoint.connect(timeout_s)
        try:
            sock.settimeout(timeout_s)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.endpoint.secure:
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self.endpoint.hostname)
            sock.settimeout(None)
        except BaseException:
            sock.close()
            raise
        self.sock = sock
        return sock

    def close(self) -> None:
        """Close it; the next use opens a new one."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def abort(self) -> None:
        """Make a receive under way return at once, as if the server had closed the connection."""
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already

    def ensure_open(self) -> bool:
        """Return whether an earlier connection is still open; open a new one if not.

        A server may close an idle keep-alive connection at any time. A browser then opens another one.
        """
        if self.sock is not None:
            self.sock.settimeout(0.0)
            try:
                unexpected = self.sock.recv(1)  # b"" (closed) or bytes without a request: either way not usable
            except (BlockingIOError, ssl.SSLWantReadError):
                self.sock.settimeout(None)
                return True
            except OSError:
                unexpected = b""
            del unexpected
        self.open()
        return False

    def exchange(self, request: bytes) -> http.Response:
        """Return the whole response to a request.

        Raises:
            TurnError: the connection closed early (kind ``connection``).
            OSError: the connection failed.
        """
        kept = self.ensure_open()
        response = self._response(request)
        if kept and (response is None or response.status == _IDLE_TOO_LONG):
            # as browsers do: the server may have closed the kept connection just before the request came
            self.open()
            response = self._response(request)
        if response is None:
            raise TurnError("connection", _CLOSED_EARLY)
        return response

    def _response(self, request: bytes) -> http.Response | None:
        """Return the whole response; None where the connection closed before a byte of it came."""
        raw, to_head = b"", request.startswith(b"HEAD ")
        sock = self.sock or self.open()
        try:
            sock.sendall(request)
            while data := sock.recv(_READ_BYTES):
                raw += data
                response = http.decode(raw, to_head=to_head)
                if response and response.ended:
                    if not response.keeps_open:
                        self.close()
                    return response
        except (ConnectionResetError, BrokenPipeError):
            self.close()
            if raw:
                raise
            return None
        except OSError:
            self.close()
            raise
        self.close()
        response = http.decode(raw, closed=True, to_head=to_head)
        if raw and not (response and response.ended):
            raise TurnError("connection", _CLOSED_EARLY)
        return response

    def pieces(self, request: bytes, reading: Reading) -> Iterator[bytes]:
        """Yield the body of the response to a request as it comes, without its framing; count the bytes received.

        Raises:
            TurnError: another status than 2xx (kind ``http``), or the connection closed early (kind ``connection``).
            OSError: the connection failed.
        """
        for kept in (self.ensure_open(), False):
            body = http.Body()
            try:
                yield from self._pieces(request, reading, body)
            except OSError:
                if body.head or not kept or reading.overdue:
                    raise
            finally:
                if not body.ended:
                    self.close()
            if body.ended:
                return
            if body.head or not kept:
                break
        raise TurnError("connection", _CLOSED_EARLY)

    def _pieces(self, request: bytes, reading: Reading, body: http.Body) -> Iterator[bytes]:
        sock = self.sock or self.open()
        sock.sendall(request)
        refused = b""
        while not body.ended and (data := sock.recv(_READ_BYTES)):
            reading.wire_bytes += len(data)
            piece = body.feed(data)
            if body.head and not 200 <= body.head.status < 300:
                refused += piece
            elif piece:
                yield piece
        if body.closed() and body.head and not 200 <= body.head.status < 300:
            raise TurnError("http", f"HTTP {body.head.status}: {refused[:120].decode(errors='replace')}")
        if body.ended and body.head and not body.head.keeps_open:
            self.close()

    def stream(self, request: bytes, trace: RawReads, nonce: bytes, done_mark: bytes) -> None:
        """Send a request and keep every read of its response with its time.

        Args:
            request: bytes to send.
            trace: gets the reads; also ``first_s`` at the nonce and ``done_s`` at the done mark.
            nonce: the answer's first bytes.
            done_mark: bytes that only the protocol's last event holds.

        Raises:
            OSError, TurnError: the connection failed or closed early.
        """
        kept = self.ensure_open()
        try:
            ended = self._send_and_receive(request, trace, nonce, done_mark)
        except OSError:
            if not kept or trace.parts or trace.overdue:
                raise
            ended = False
        if not ended and kept and not trace.parts and not trace.overdue:
            # as browsers do: the server may have closed the kept connection just before the request came
            ended = self._send_and_receive(request, trace, nonce, done_mark)
        if ended:
            return
        response = http.decode(b"".join(trace.parts), closed=True)
        if not (response and response.ended):
            raise TurnError("connection", "the server closed the connection before the answer was over")

    def _send_and_receive(self, request: bytes, trace: RawReads, nonce: bytes, done_mark: bytes) -> bool:
        sock = self.sock or self.open()
        try:
            sock.sendall(request)
            ended = receive(sock, ReadCollector(trace, nonce, done_mark))
        except OSError:
            self.close()
            raise
        if not ended:
            self.close()
        return ended
