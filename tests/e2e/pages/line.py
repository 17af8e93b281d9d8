"""A line between a browser and a target that can be cut and laid again."""

import socket
import threading
import urllib.parse
from collections.abc import Callable
from contextlib import suppress

PIECE_BYTES = 65_536


class Line:
    """Passes bytes on as they are, until it is cut; enter it to lay it, leave it to take it away."""

    def __init__(self, base_url: str) -> None:
        there = urllib.parse.urlsplit(base_url)
        self._there = (there.hostname or "", there.port or 80)
        self._ends: set[socket.socket] = set()
        self._down = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def base_url(self) -> str:
        """Where the target is reached through this line."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "Line":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._down = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        self.cut()

    def cut(self) -> None:
        """Break every connection there is; new ones are let through."""
        for end in tuple(self._ends):
            _close(end)

    def go_down(self) -> None:
        """Break every connection there is, and those to come at once."""
        self._down = True
        self.cut()

    def come_up(self) -> None:
        """Let new connections through again."""
        self._down = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if self._down:
                _close(near)
                continue
            far = socket.create_connection(self._there)
            self._ends |= {near, far}
            for source, sink, passing in ((near, far, self.outward()), (far, near, bytes)):
                threading.Thread(target=self._pass_on, args=(source, sink, passing), daemon=True).start()

    def outward(self) -> Callable[[bytes], bytes]:
        """Return what the bytes of a new connection go through on their way to the target."""
        return bytes

    def _pass_on(self, source: socket.socket, sink: socket.socket, passing: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                sink.sendall(passing(piece))
        self._ends -= {source, sink}
        _close(source)
        _close(sink)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
