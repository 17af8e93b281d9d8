"""A user at a Chainlit page: its events over socket.io.

Facts from the package chainlit 2.12: ``socket.py`` has the events that a page sends, ``emitter.py`` those that it gets.
An answer is ``stream_token`` … or a whole ``new_message``; ``task_end`` ends it.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from loadtests import http
from loadtests.page import Visitor
from loadtests.reading import Reading, TurnError
from loadtests.users.socket_io import SocketIOPage


class ChainlitPage(SocketIOPage):
    """A page over one socket; a session of the server is one conversation."""

    socket_path = "/ws/socket.io/"

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._spoken = False

    def connect(self) -> None:
        """Open the page and its socket."""
        page = http.request("GET", f"{self.endpoint.prefix}/", {"Host": self.endpoint.host})
        answer = self.requests.exchange(page)
        if answer.status != 200:
            raise TurnError("http", f"GET /: HTTP {answer.status}")
        self._join()

    def new_conversation(self) -> None:
        """Click "New chat": the page leaves its session and opens another one; a fresh one is empty already."""
        if self._spoken:
            self.emit("clear_session")
            self.close()
            self._join()
            self.connected = True

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        """Send a message and follow the events to the end of the task."""
        self._spoken = True
        self.emit("client_message", {"message": message(text), "fileReferences": []})
        said = ""
        for name, values in self.events(reading):
            value = values[0] if values else {}
            if name == "stream_token":
                said = value["token"] if value["isSequence"] else said + value["token"]
            elif name in ("new_message", "update_message") and value.get("isError"):
                raise TurnError("application", value["output"])
            elif name in ("new_message", "update_message") and value.get("type") == "assistant_message":
                said = value["output"]
            elif name == "task_end":
                reading.finish()
                return
            reading.saw(said)

    def _join(self) -> None:
        """Open a socket with a session of its own, and wait until the server is ready for messages."""
        session = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}"}
        self.open_socket(auth=session | {"chatProfile": "", "threadId": ""})
        self._spoken = False
        self.emit("connection_successful")
        if not any(name == "task_end" for name, _ in self.events(timeout_s=10)):
            raise TurnError("application", "the server did not answer connection_successful within 10 s")


def message(text: str) -> dict[str, Any]:
    """Return a message as the page sends it."""
    return {
        "id": str(uuid.uuid4()),
        "threadId": "",
        "name": "User",
        "type": "user_message",
        "output": text,
        "createdAt": datetime.now(UTC).isoformat(),
    }
