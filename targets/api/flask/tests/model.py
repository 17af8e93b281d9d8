"""A language model for the tests: says what it is told to, as raw HTTP on a real socket, in threads of its own."""

import json
import select
import socket
import socketserver
import threading
from typing import Any

Script = list[str | float | bytes]  # text of a token · seconds to wait · raw bytes


class FakeModel:
    """Answers every request by its script; keeps what it was sent and notes when it was left."""

    def __init__(self, script: Script, *, status: str = "200 OK", finish: bool = True, head: bool = True) -> None:
        self.requests: list[dict[str, Any]] = []
        self.plays(script, status=status, finish=finish, head=head)

    def plays(self, script: Script, *, status: str = "200 OK", finish: bool = True, head: bool = True) -> None:
        """Answer by another script from now on."""
        start = f"HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n".encode()
        self.steps = [*([start] if head else []), *script, *([b"data: [DONE]\n\n"] if finish else [])]
        self.asked = threading.Event()
        self.left = threading.Event()  # before the script was over

    def __enter__(self) -> "FakeModel":
        model = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                model.serve(self.rfile, self.connection)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()  # waits for the requests

    def serve(self, sent: Any, connection: socket.socket) -> None:
        """Read one request and answer it."""
        length = 0
        while line := sent.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        steps, left = self.steps, self.left
        self.requests.append(json.loads(sent.read(length)))
        self.asked.set()
        for step in steps:
            pause_s = step if isinstance(step, float) else 0.0
            if select.select([connection], [], [], pause_s)[0]:  # nothing more is sent: the client has gone
                left.set()
                return
            if isinstance(step, str):
                step = b"data: " + json.dumps({"choices": [{"delta": {"content": step}}]}).encode() + b"\n\n"
            if isinstance(step, bytes):
                connection.sendall(step)
