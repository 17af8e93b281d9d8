"""A WebSocket server on plain sockets that plays a script to each page that comes; no package of the client's side."""

import base64
import hashlib
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
Script = Callable[["Peer"], None]


@dataclass
class Peer:
    """The page at the other end."""

    sock: socket.socket
    head: str = ""
    packer: Any = None  # None: messages go plain
    heard: list[tuple[int, bytes]] = field(default_factory=list)  # frames in the order they came

    def greet(self, extensions: str, early: bytes = b"") -> None:
        """Take the handshake and answer it, with these extensions and the first bytes behind it."""
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self.sock.recv(4096)
        self.head = raw.decode()
        key = re.search(r"(?i)sec-websocket-key: (\S+)", self.head)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1].encode() + GUID, usedforsecurity=False).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines.append(f"Sec-WebSocket-Accept: {accept}")
        if extensions:
            lines.append(f"Sec-WebSocket-Extensions: {extensions}")
            self.packer = zlib.compressobj(wbits=-15)
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode() + early)

    def send(self, content: str | bytes, *, fragments: int = 1, ping: bool = False) -> None:
        """Send a message in this many fragments, with a ping behind the first."""
        opcode, payload = (TEXT, content.encode()) if isinstance(content, str) else (BINARY, content)
        packed = 0
        if self.packer is not None:
            block = self.packer.compress(payload) + self.packer.flush(zlib.Z_SYNC_FLUSH)
            payload = block.removesuffix(b"\x00\x00\xff\xff") or b"\x00"
            packed = 0x40
        size = -(-len(payload) // fragments) or 1
        pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            first_byte = (opcode | packed if number == 0 else 0) | (0x80 if last else 0)
            self.sock.sendall(frame(first_byte, piece))
            if ping and number == 0:
                self.sock.sendall(frame(0x80 | PING, b"are you there"))

    def close(self, code: int, reason: str) -> None:
        """Send a closing frame."""
        self.sock.sendall(frame(0x80 | CLOSE, code.to_bytes(2, "big") + reason.encode()))

    def hear(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame."""
        first, size = self._exactly(2)
        size &= 0x7F
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        mask, masked = self._exactly(4), self._exactly(size)
        said = first & 0x0F, bytes(a ^ b for a, b in zip(masked, cycle(mask), strict=False))
        self.heard.append(said)
        return said

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            if not piece:
                raise ConnectionError("the page went away")
            data += piece
        return data


def frame(first_byte: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first_byte, size)) + payload
    return bytes((first_byte, 126)) + size.to_bytes(2, "big") + payload


@contextmanager
def playing(script: Script, *, extensions: str = "", early: bytes = b"") -> Iterator[tuple[str, list[Peer]]]:
    """Play the script to every page; yield the address and the pages so far."""
    listener = socket.create_server(("127.0.0.1", 0))
    peers: list[Peer] = []

    def play(peer: Peer) -> None:
        with peer.sock, suppress(OSError):
            peer.greet(extensions, early)
            script(peer)

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                peers.append(Peer(sock))
                threading.Thread(target=play, args=(peers[-1],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", peers
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
