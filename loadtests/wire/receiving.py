"""The receive loop, which must stay cheap: it keeps each read of an answer with its time."""

import os
import socket
import ssl
import time

from loadtests import http
from loadtests.wire.raw_reads import RawReads

_READ_BYTES = 16384
_LOOK_BACK_BYTES = 48  # longer than any mark that two reads could share


class ReadCollector:
    """The reads of one response; sets ``first_s`` at the answer's nonce and ``done_s`` at the protocol's last event."""

    __slots__ = ("_before", "_body", "_done_mark", "_nonce", "_parts", "_times", "_trace")

    def __init__(self, trace: RawReads, nonce: bytes, done_mark: bytes) -> None:
        self._trace = trace
        self._parts = trace.parts
        self._times = trace.times
        self._nonce: bytes | None = nonce
        self._done_mark = done_mark
        self._before = b""
        self._body = http.Body()

    def take(self, data: bytes, at_s: float) -> bool:
        """Return whether the response is over with this read, which is kept."""
        self._times.append(at_s)
        self._parts.append(data)
        window = self._before + self._body.feed(data)
        self._before = window[-_LOOK_BACK_BYTES:]
        if self._nonce is not None and self._nonce in window:
            self._trace.first_s = at_s
            self._nonce = None
        if self._trace.done_s is None and self._done_mark in window:
            self._trace.done_s = at_s
        return self._body.ended


def receive(sock: socket.socket, collector: ReadCollector) -> bool:
    """Return whether the response is complete, after reading to its end or to the server's close.

    Raises:
        OSError: the connection failed.
    """
    if type(sock).__module__.startswith("gevent") and not isinstance(sock, ssl.SSLSocket):
        return _receive_in_hub(sock, collector)
    while data := sock.recv(_READ_BYTES):
        if collector.take(data, time.monotonic()):
            return True
    return False


def _receive_in_hub(sock: socket.socket, collector: ReadCollector) -> bool:
    """Return the same from gevent's event loop itself, without a switch of greenlets or a failed read per chunk.

    A chunk takes half the CPU time of ``sock.recv`` in a greenlet, and its time stamp waits for no other greenlet.
    """
    import gevent
    from gevent.event import AsyncResult

    descriptor, take, now, read = sock.fileno(), collector.take, time.monotonic, os.read
    over = AsyncResult()
    watcher = gevent.get_hub().loop.io(descriptor, 1)

    def readable() -> None:
        try:
            data = read(descriptor, _READ_BYTES)
            if not data:
                over.set(False)
            elif take(data, now()):
                over.set(True)
            else:
                return
        except BlockingIOError:
            return
        except Exception as problem:  # noqa: BLE001  # no exception may reach the event loop; the turn gets it
            over.set_exception(problem)
        watcher.stop()

    watcher.start(readable)
    try:
        return bool(over.get())
    finally:
        watcher.stop()
        watcher.close()
