"""The application as it is served: gunicorn with its two processes, and a plain HTTP client."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from tests.users import CSRF

PART = Path(__file__).resolve().parent.parent
TIMEOUT_S = 60


class Server:
    """A running server; leaving the ``with`` block ends it."""

    def __init__(self, settings: dict[str, object], llm_url: str) -> None:
        given = {name: str(value) for name, value in settings.items()}
        self.environment = {**os.environ, **given, "LLM_BASE_URL": llm_url}

    def __enter__(self) -> "Server":
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            self.port: int = listener.getsockname()[1]
            command = ["-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", f"fd://{listener.fileno()}"]
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=PART, env=self.environment, pass_fds=[listener.fileno()]
            )
        with self.ask("GET", "/api/health") as response:  # waits in the listener's queue until there is a process
            assert response.status == 200
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def ask(self, method: str, path: str, body: Any = None, accept: str = "") -> http.client.HTTPResponse:
        """Send a request as Ann and return the response, its body unread; closing it closes the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        headers = self.headers(accept) | {"Connection": "close"}  # the response owns the socket then
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return connection.getresponse()

    def send(self, conversation: uuid.UUID, content: str = "Hello") -> http.client.HTTPResponse:
        """Send a message and return the stream of its answer."""
        response = self.ask("POST", path_of(conversation), {"content": content}, "text/event-stream")
        assert response.status == 200
        return response

    def begin(self) -> uuid.UUID:
        """Begin a conversation."""
        with self.ask("POST", "/api/conversations", {}) as response:
            return uuid.UUID(json.loads(response.read())["id"])

    def connect_and_send(self, conversation: uuid.UUID, accept: str) -> socket.socket:
        """Send a message and return the connection, nothing of it read."""
        lines = [f"POST {path_of(conversation)} HTTP/1.1", "Host: x", "Content-Length: 20"]
        lines += [f"{name}: {text}" for name, text in self.headers(accept).items()]
        connection = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        connection.sendall("\r\n".join([*lines, "", '{"content": "Hello"}']).encode())
        return connection

    @staticmethod
    def headers(accept: str) -> dict[str, str]:
        """Return the headers of Ann's browser."""
        return {
            "Accept": accept or "application/json",
            "Cookie": f"sessionid=session-of-ann; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "Content-Type": "application/json",
        }


def path_of(conversation: uuid.UUID) -> str:
    """Return the path of a conversation's messages."""
    return f"/api/conversations/{conversation}/messages"


def read_until(response: http.client.HTTPResponse, text: bytes) -> None:
    """Read lines up to one that holds the text."""
    while text not in (line := response.readline()):
        assert line, "the stream ended"


def wait_until(seconds: float, condition: Any) -> bool:
    """Return whether a condition came true in time."""
    deadline_s = time.monotonic() + seconds
    while not (true := bool(condition())) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return true
