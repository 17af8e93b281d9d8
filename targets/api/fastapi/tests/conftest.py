"""The application served on a real socket, its users, and a model that says what it is told to."""

import asyncio
import os
import random
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from app import identity, passwords
from app.database import Connections
from app.main import create_app
from app.settings import Settings
from app.tables import browser_sessions, conversations, messages, now, users
from sqlalchemy import insert, select

from tests.model import FakeModel

CSRF = "abcdefghijklmnopqrstuvwxyz012345"
PASSWORD = "correct horse"
ROLES = {"ann": "user", "bob": "user", "mo": "moderator", "ada": "admin"}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ITERATIONS", 1000)


class Api(httpx.AsyncClient):
    """A browser that sends JSON and the CSRF token it has."""

    def keep(self, name: str, value: str) -> None:
        """Put a cookie where one of the server would be."""
        self.cookies.set(name, value, domain=self.base_url.host)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request."""
        token = self.cookies.get("csrftoken", "")
        content = {} if body is None else {"json": body}
        return await self.request(method, path, headers={"X-CSRFToken": token, **headers}, **content)


@dataclass
class World:
    """A running application."""

    base_url: str
    settings: Settings
    database: Connections
    model: FakeModel
    ids: dict[str, int] = field(default_factory=dict)
    clients: list[Api] = field(default_factory=list)
    conversation: uuid.UUID = field(default_factory=uuid.uuid4)
    question: uuid.UUID = field(default_factory=uuid.uuid4)
    answer: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def path(self) -> str:
        """Ann's conversation."""
        return f"/api/conversations/{self.conversation}"

    def api(self, name: str | None = None) -> Api:
        """Return the browser of somebody signed in, or of nobody."""
        client = Api(base_url=self.base_url, timeout=20)
        client.keep("csrftoken", CSRF)
        if name is not None:
            client.keep("sessionid", f"session-of-{name}")
        self.clients.append(client)
        return client

    async def rows(self, conversation: uuid.UUID | None = None) -> list[tuple[str, str]]:
        """Return who said what, without what was said at first."""
        query = select(messages.c.role, messages.c.content).order_by(messages.c.created_at)
        async with self.database.read() as connection:
            found = await connection.execute(
                query.where(messages.c.conversation_id == (conversation or self.conversation))
            )
        return [(row.role, row.content) for row in found][0 if conversation else 2 :]

    async def settle(self) -> None:
        """Create Ann and Bob (role user), Mo (moderator), Ada (admin), and a conversation of Ann's."""
        moment = now() - timedelta(minutes=5)
        secret_key = self.settings.secret_key.get_secret_value()
        first = random.randint(1, 2**30)  # counters in Redis outlive a test
        self.ids = {name: first + number for number, name in enumerate(ROLES)}
        said = {"conversation_id": self.conversation, "hidden": False}
        async with self.database.write() as connection:
            for name, role in ROLES.items():
                row = {"id": self.ids[name], "username": name, "password": passwords.hashed(PASSWORD), "role": role}
                await connection.execute(insert(users), {**row, "is_active": True})
                digest = identity.session_digest(secret_key, f"session-of-{name}")
                session = {"digest": digest, "user_id": self.ids[name], "expires_at": now() + timedelta(days=1)}
                await connection.execute(insert(browser_sessions), session)
            ours = {"id": self.conversation, "owner_id": self.ids["ann"], "title": "Plans", "created_at": moment}
            await connection.execute(insert(conversations), ours)
            asked = {"id": self.question, "role": "user", "content": "Where to?", "created_at": moment}
            later = moment + timedelta(seconds=1)
            answered = {"id": self.answer, "role": "assistant", "content": "To the sea.", "created_at": later}
            await connection.execute(insert(messages), [{**asked, **said}, {**answered, **said}])


Serve = Callable[..., Any]


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Serve the application on a free port."""
    config = uvicorn.Config(create_app(settings), http="httptools", log_level="critical", lifespan="on")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[World]:
    """Serve with the settings of the test's ``settings`` marker and the users created."""
    changed = {name: value for mark in request.node.iter_markers("settings") for name, value in mark.kwargs.items()}
    async with FakeModel() as model:
        settings = Settings(
            secret_key="of the tests",
            llm_base_url=model.url,
            data_dir=tmp_path,
            database_url=os.environ.get("TEST_DATABASE_URL"),
            redis_url=os.environ.get("REDIS_URL"),
            web_root=None,
            **changed,
        )
        database = Connections(settings)
        await database.drop_tables()
        await database.create_tables()
        async with serving(settings) as base_url:
            world = World(base_url, settings, database, model)
            await world.settle()
            yield world
            for client in world.clients:
                await client.aclose()
        await database.close()


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Check that an answer is a problem document of this status and return it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail"} <= set(document)
    assert document["status"] == status
    return document


@pytest.fixture(scope="session")
def refused() -> Callable[[httpx.Response, int], dict[str, Any]]:
    """Return the check of a problem document."""
    return problem
