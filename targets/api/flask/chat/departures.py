"""Clients that leave while their answer is on its way.

WSGI tells an application that its client has gone only when a write fails, and while the model is silent nothing is
written. So the client's socket is watched: the event loop calls back when the other side closes it.
"""

import select as patched_select
import socket
import ssl
from collections.abc import Callable
from typing import Any

from gevent import get_hub
from gevent.monkey import get_original

READ = 1
# A closing alone, not data: a second request sent early (pipelining) is no departure.
CLOSED = getattr(patched_select, "POLLRDHUP", 0) | patched_select.POLLHUP | patched_select.POLLERR


class ClientLeft(Exception):  # noqa: N818  # nothing is wrong
    """Nobody waits for the answer any more."""


class Client:
    """The client that sent a request, watched inside a ``with`` block.

    ``upon_leaving`` is called once if the client leaves; it runs in the event loop and must not wait.
    """

    def __init__(self, connection: socket.socket | None) -> None:
        # Of an encrypted connection closing is part of the protocol; there a failed write must do.
        plain = connection is not None and not isinstance(connection, ssl.SSLSocket)
        self._connection = connection if plain else None
        self._watcher: Any = None
        self.left = False
        self.upon_leaving: Callable[[], object] | None = None

    def __enter__(self) -> "Client":
        if self._connection is not None:
            self._watcher = get_hub().loop.io(self._connection.fileno(), READ)
            self._watcher.start(self._readable)
        return self

    def __exit__(self, *_: object) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def _readable(self) -> None:
        if self._connection is None or self._watcher is None:
            return
        self._watcher.stop()
        poll = get_original("select", "poll")()
        poll.register(self._connection.fileno(), CLOSED)
        if poll.poll(0):
            self.left = True
            if self.upon_leaving is not None:
                self.upon_leaving()
