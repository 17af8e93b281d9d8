"""Users, sessions and conversations, in memory: put your own database in its place.

The load comes signed in: every virtual user brings the session of a seeded account (targets/CONTRACT.md, "Seeded
data"), so a chatbot has to take those sessions. A real one writes them into its database (``prepare`` in part.toml).
"""

import hashlib
import os
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SEED = os.environ.get("SEED", "42")
PASSWORD = "chatbench-demo"  # of the seeded accounts
USERS = {f"user{number:04d}": number for number in range(1, 1001)}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _seeded_session(username: str) -> str:
    return hashlib.sha256(f"{SEED}:session:{username}".encode()).hexdigest()[:32]


@dataclass
class Conversation:
    """One conversation and whose it is."""

    owner: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    title: str = ""
    created_at: str = field(default_factory=_now)
    updated_at: str = field(default_factory=_now)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def about(self) -> dict[str, str]:
        """Return what the list shows of it."""
        return {"id": self.id, "title": self.title, "created_at": self.created_at, "updated_at": self.updated_at}

    def add(self, role: str, content: str, number: str | None = None) -> dict[str, Any]:
        """Keep a message and return it as the API shows it."""
        message = {"id": number or str(uuid.uuid4()), "role": role, "content": content, "created_at": _now()}
        self.messages.append({**message, "hidden": False, "feedback": None})
        self.title = self.title or " ".join(content.split())[:60]
        self.updated_at = _now()
        return self.messages[-1]


sessions: dict[str, str] = {_seeded_session(username): username for username in USERS}
conversations: dict[str, Conversation] = {}


def sign_in(username: str, password: str) -> str | None:
    """Return the token of a new session, None where name or password are wrong."""
    if username not in USERS or not secrets.compare_digest(password, PASSWORD):
        return None
    token = secrets.token_hex(16)
    sessions[token] = username
    return token
