"""A chatbot of known timing on plain sockets: REST contract and OpenAI stream, with faults on request."""

import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

SEED = 7


def expected_nonce(tag: str) -> str:
    return hashlib.sha256(f"{SEED}:{tag}".encode()).hexdigest()[:12]


@dataclass
class Script:
    """How the twin answers from now on; times in seconds."""

    ttft_s: float = 0.05
    itl_s: float = 0.02
    tokens: int = 10
    fault: str | None = None
    fault_at: int = 5  # before this token
    fault_s: float = 0.3


@dataclass
class Sent:
    """What the twin did for one message: when it had the request and when it wrote each token."""

    request_s: float
    tokens_s: list[float] = field(default_factory=list)


class Twin:
    """The server; ``sent`` by tag, ``requests`` as (method, path) in the order they came."""

    def __init__(self) -> None:
        self.script = Script()
        self.sent: dict[str, Sent] = {}
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        self._open.discard(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as stream:
                while line := stream.readline():
                    self._answer(connection, stream, line)
                    if self.script.fault == "close-idle":
                        break
        except OSError:
            pass
        self._hang_up(connection)

    def _answer(self, connection: socket.socket, stream: BinaryIO, line: bytes) -> None:
        method, path, _ = line.decode().split()
        headers = {}
        while (header := stream.readline().decode().strip()) != "":
            name, _, value = header.partition(": ")
            headers[name.lower()] = value
        body = stream.read(int(headers.get("content-length", 0)))
        request_s = time.monotonic()
        with self._lock:
            self.requests.append((method, path))
            self.headers.append(headers)
            self.bodies.append(body)
        if method == "POST" and path.endswith(("/messages", "/chat/completions")):
            with self._lock:
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                self._stream(connection, request_s, path, body)
            finally:
                with self._lock:
                    self.in_flight -= 1
        else:
            self._plain(connection, method, path, headers, body)

    def _plain(self, connection: socket.socket, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        if path in (*PAGE_TOKENS, "/c"):
            connection.sendall(self._page(method, path, body))
            return
        if path == "/sign-in":
            right = b"password=chatbench-demo" in body and b"csrfmiddlewaretoken=listtoken" in body
            head = "302 X\r\nLocation: /" if right else "200 X"
            connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        extra = ""
        status = 200
        document: dict[str, Any] = {"results": []}
        if path == "/api/auth/me":
            extra = "Set-Cookie: csrftoken=token-1; Path=/\r\n"
            if self.script.fault == "401":
                status, document = 401, {"title": "Not signed in"}
        elif path == "/api/auth/login" and (b"chatbench-demo" not in body or self.script.fault == "no-entry"):
            status, document = 401, {"title": "That username and password do not match."}
        elif method == "POST" and path == "/api/conversations":
            csrf_ok = headers.get("x-csrftoken") == "token-1"
            status, document = (201, {"id": "c-1"}) if csrf_ok else (403, {"detail": "CSRF"})
        data = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
        connection.sendall(head.encode() + data)

    def _page(self, method: str, path: str, body: bytes) -> bytes:
        """What a site of server-rendered pages sends: each page has another token, and takes only its own."""
        if self.script.fault == "401":
            return b"HTTP/1.1 302 X\r\nLocation: /sign-in\r\nContent-Length: 0\r\n\r\n"
        if method == "POST":
            taken = f"csrfmiddlewaretoken={PAGE_TOKENS['/']}".encode() in body
            head = "302 X\r\nLocation: /c/c-1" if taken else "403 X"
            return f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode()
        page = f'<form><input type="hidden" name="csrfmiddlewaretoken" value="{PAGE_TOKENS[path]}"></form>{ASSETS}'
        head = f"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: {len(page)}"
        return f"{head}\r\nSet-Cookie: csrftoken=secret; Path=/\r\n\r\n{page}".encode()

    def _stream(self, connection: socket.socket, request_s: float, path: str, body: bytes) -> None:
        script = self.script
        tag = re.findall(rb"tag-([0-9a-f]{16})", body)[-1].decode()
        sent = self.sent[tag] = Sent(request_s)
        if script.fault in ("500", "429"):
            data = json.dumps({"title": "Broken", "detail": "it broke on purpose"}).encode()
            head = f"HTTP/1.1 {script.fault} X\r\nContent-Length: {len(data)}\r\n\r\n"
            connection.sendall(head.encode() + data)
            return
        rest = path.endswith("/messages")
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        if rest:
            connection.sendall(chunk(event("message", {"message": {"content": body.decode()}, "answer_id": "a"})))
        nonce = "0123456789ab" if script.fault == "foreign" else expected_nonce(tag)
        self._tokens(connection, sent, [f"{nonce} ", *["word "] * (script.tokens - 2), "[end]"], rest)

    def _tokens(self, connection: socket.socket, sent: Sent, texts: list[str], rest: bool) -> None:
        script, held = self.script, b""
        for i, text in enumerate(texts):
            due_s = sent.request_s + script.ttft_s + i * script.itl_s
            if i >= script.fault_at:
                if script.fault == "drop":
                    self._hang_up(connection)
                    return
                if script.fault == "truncated":
                    break
                if script.fault == "error":
                    connection.sendall(chunk(event("error", {"detail": "the model is away"})) + LAST_CHUNK)
                    return
                if script.fault in ("stall", "hang"):
                    due_s += script.fault_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            data = chunk(event("token", {"text": text}) if rest else completion(text))
            sent.tokens_s.append(time.monotonic())
            if script.fault == "buffered":
                held += data
            else:
                connection.sendall(data)
        connection.sendall(held + chunk(event("done", {"message": {}}) if rest else b"data: [DONE]\n\n") + LAST_CHUNK)


ASSETS = (
    '<link rel="stylesheet" href="/style.css"><script src="app.js"></script><script src="/app.js"></script>'
    '<link rel="canonical" href="/nothing"><script src="http://elsewhere.example/x.js"></script>'
)
PAGE_TOKENS = {"/": "listtoken", "/c/c-1": "pagetoken"}
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(name: str, document: dict[str, object]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()


def completion(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


@contextmanager
def running() -> Iterator[Twin]:
    twin = Twin()
    thread = threading.Thread(target=twin.serve, daemon=True)
    thread.start()
    try:
        yield twin
    finally:
        twin.close()
        thread.join()
