"""What a twin of a REST target holds: seeded people, sessions and conversations, and the one defect it has."""

import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.probes.world import READER, seeded_conversation_id, seeded_texts
from harness.records.recipe import session_token

SEED = 42


def now() -> str:
    """Return the present as the API writes it."""
    return datetime.now(UTC).isoformat()


class Twin:
    """What the server holds; ``defect`` names the one thing it does wrong."""

    def __init__(self, defect: str = "", *, per_minute: int = 60, log: Path | None = None) -> None:
        self.defect, self.per_minute, self.log = defect, per_minute, log
        self.lock = threading.RLock()
        names = [f"user{number:04d}" for number in range(1, 61)]
        self.users: dict[str, dict[str, Any]] = {
            name: {"id": number, "username": name, "role": name if number > 60 else "user", "is_active": True}
            for number, name in enumerate([*names, "moderator", "admin"], start=1)
        }
        self.sessions = {session_token(SEED, name): name for name in self.users}
        self.tokens: dict[str, str] = {}
        self.conversations: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, int] = {}
        self.failures: dict[str, int] = {}
        for number in range(10):
            created = f"2025-04-{8 + number:02d}T08:00:00+00:00"
            conversation = self.begin(READER, f"Conversation {number + 1}", created)
            self.conversations[seeded_conversation_id(SEED, READER, number)] = self.conversations.pop(
                conversation["id"]
            )
            conversation["id"] = seeded_conversation_id(SEED, READER, number)
            for index, text in enumerate(seeded_texts(SEED, READER, number)):
                conversation["messages"].append(self.message("assistant" if index % 2 else "user", text))

    def begin(self, owner: str, title: str, created: str | None = None) -> dict[str, Any]:
        """Add a conversation."""
        created = created or now()
        conversation = {"id": str(uuid.uuid4()), "title": title, "created_at": created, "updated_at": created}
        self.conversations[conversation["id"]] = conversation | {"owner": owner, "messages": []}
        return self.conversations[conversation["id"]]

    @staticmethod
    def message(role: str, content: str) -> dict[str, Any]:
        """Return a new message."""
        shared = {"created_at": now(), "hidden": False, "feedback": None}
        return {"id": str(uuid.uuid4()), "role": role, "content": content} | shared
