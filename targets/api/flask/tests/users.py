"""The users of the tests: one of each role, their browsers, and conversations."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from chat import passwords
from chat.extensions import db
from chat.models import Conversation, Message, StoredSession, User, digest_of, now

CSRF = "abcdefghijklmnopqrstuvwxyz012345"
PASSWORD = "correct horse"
ROLES = {"ann": "user", "bob": "user", "mo": "moderator", "ada": "admin"}


class Api:
    """A browser that sends JSON and the CSRF token."""

    def __init__(self, app: Flask, session: str | None = None) -> None:
        self.client: Client = app.test_client()
        if session is not None:
            self.client.set_cookie("sessionid", session)
        self.client.set_cookie("csrftoken", CSRF)

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie the browser holds."""
        found = self.client.get_cookie(name)
        return found.decoded_value if found else None

    def call(self, method: str, path: str, body: Any = None, *, csrf: bool = True, **headers: str) -> TestResponse:
        """Send a request; no body is sent where there is none, bytes as they are."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if csrf:
            sent.setdefault("X-CSRFToken", self.cookie("csrftoken") or "")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.client.open(path, method=method.upper(), data=data, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Read something."""
        return self.call("get", path, csrf=False, **headers)


@dataclass(slots=True)
class Users:
    """Ann and Bob (role user), Mo (moderator), Ada (admin); Ann has a conversation of one exchange."""

    app: Flask
    ids: dict[str, int]
    conversation: uuid.UUID
    message: uuid.UUID
    answer: uuid.UUID

    @property
    def path(self) -> str:
        """Return the path of Ann's conversation."""
        return f"/api/conversations/{self.conversation}"

    def api(self, name: str | None = None) -> Api:
        """Return a user's browser; nobody's without a name."""
        return Api(self.app, name and f"session-of-{name}")

    def stored(self, conversation: uuid.UUID | None = None) -> list[tuple[str, str]]:
        """Return what a conversation holds; of Ann's, what it holds beyond its first exchange."""
        with self.app.app_context():
            rows = db.session.execute(
                select(Message.role, Message.content)
                .where(Message.conversation_id == (conversation or self.conversation))
                .order_by(Message.created_at)
            )
            return [(role, content) for role, content in rows][0 if conversation else 2 :]


def settle(app: Flask) -> Users:
    """Create the tables and the users."""
    with app.app_context():
        db.create_all()
        moment, hashed = now(), passwords.hashed(PASSWORD)
        users = [User(username=name, password=hashed, role=role, is_active=True) for name, role in ROLES.items()]
        db.session.add_all(users)
        db.session.flush()
        ids = {user.username: user.id for user in users}
        for name, number in ids.items():
            data = json.dumps({"_user_id": str(number), "_fresh": True})
            expires_at = moment + app.permanent_session_lifetime
            db.session.add(StoredSession(digest=digest_of(f"session-of-{name}"), data=data, expires_at=expires_at))
        plans = Conversation(owner_id=ids["ann"], title="Plans", created_at=moment, updated_at=moment)
        db.session.add(plans)
        db.session.flush()
        asked = Message(conversation_id=plans.id, role="user", content="Where to?", created_at=moment)
        answered = Message(conversation_id=plans.id, role="assistant", content="To the sea.", created_at=now())
        db.session.add_all([asked, answered])
        db.session.commit()
        return Users(app, ids, plans.id, asked.id, answered.id)


def expect_problem(response: TestResponse, status: int) -> dict[str, Any]:
    """Check that the response is a problem document of this status and return it."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    problem: dict[str, Any] = response.get_json(force=True)
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= set(problem)
    return problem
