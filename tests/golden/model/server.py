"""Starts the model as a process of its own and talks to it over real sockets."""

import contextlib
import http.client
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests import ROOT

LLM = ROOT / "targets" / "llm"


def new_tag() -> str:
    """Return a tag's 16 hex digits, never used before."""
    return secrets.token_hex(8)


@dataclass(kw_only=True)
class Reply:
    """What a client saw of one response; times in seconds of the monotonic clock."""

    status: int
    headers: dict[str, str]
    sent_s: float
    body: bytes = b""  # when it was not streamed
    events: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[tuple[float, str]] = field(default_factory=list)  # of non-empty content
    done: bool = False  # [DONE] came

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.arrivals)


class Model:
    """A running model; leaving its ``with`` block ends it, which must succeed."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "llm", "--port", "0", "--log", str(log), *arguments],
            cwd=LLM,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("llm: http://127.0.0.1:"), line
        self.port = int(line.split(":")[3].removesuffix("/v1\n"))

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            assert self.stop() == 0

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def connect(self) -> socket.socket:
        """Return a plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def raw(self, data: bytes) -> bytes:
        """Send bytes and return all that comes back until the server closes or a second passes in silence."""
        received = bytearray()
        with self.connect() as connection, contextlib.suppress(TimeoutError, ConnectionResetError):
            connection.sendall(data)
            connection.settimeout(1)
            while piece := connection.recv(65536):
                received += piece
        return bytes(received)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Make one request on a connection of its own and read the whole response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            sent_s = time.monotonic()
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            reply = Reply(status=response.status, headers=dict(response.getheaders()), sent_s=sent_s)
            if response.getheader("content-type", "").startswith("text/event-stream"):
                _read_events(response, reply)
            else:
                reply.body = response.read()
        return reply

    def ask(self, content: object, *, stream: bool = True, **fields: object) -> Reply:
        """Ask for an answer to one user message."""
        body = {"model": "stand-in", "stream": stream, "messages": [{"role": "user", "content": content}], **fields}
        return self.request("POST", "/v1/chat/completions", json.dumps(body).encode())

    def emission(self, tag: str) -> dict[str, Any]:
        """Return the log's first line about a tag, waiting for the flush."""
        return self.emissions(tag)[0]

    def log_line(self, tag: str) -> bytes:
        """Return the log's first line about a tag as it stands there, waiting for the flush."""
        self.emission(tag)
        return next(line for line in self._log.read_bytes().splitlines() if tag.encode() in line)

    def emissions(self, tag: str, count: int = 1, fault: str = "") -> list[dict[str, Any]]:
        """Return the log's lines about a tag, with a fault of these words, once there are so many."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            records = [json.loads(line) for line in self._log.read_text().splitlines()]
            found = [record for record in records if record["tag"] == tag and fault in (record["fault"] or "")]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"fewer than {count} lines about {tag!r} {fault} in {self._log}")


def _read_events(response: http.client.HTTPResponse, reply: Reply) -> None:
    with contextlib.suppress(ConnectionResetError, http.client.IncompleteRead):
        while line := response.readline():
            arrived_s = time.monotonic()
            if line == b"data: [DONE]\n":
                reply.done = True
            elif line.startswith(b"data: "):
                event = json.loads(line[6:])
                reply.events.append(event)
                if text := _text(event):
                    reply.arrivals.append((arrived_s, text))


def _text(event: dict[str, Any]) -> str | None:
    """Return the text of a chunk of a chat, of a completion of the old kind, or of a response."""
    if "choices" not in event:
        return event.get("delta")
    choice = event["choices"][0] if event["choices"] else {}
    text: str | None = choice.get("text") or choice.get("delta", {}).get("content")
    return text
