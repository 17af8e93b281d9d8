"""Seed, settings, front end, health, errors of the framework, security headers."""

import argparse
import base64
import hashlib
import uuid
from pathlib import Path
from unittest.mock import patch

import pytest
from app import __main__ as commands
from app import seed
from app.cache import ProcessCache
from app.headers import SECURITY_HEADERS
from app.settings import Settings, from_environment
from app.tables import conversations, messages, users
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from tests.conftest import Api, World, problem, serving

pytestmark = pytest.mark.anyio


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_seed_replaces_everything_by_the_same_data(world: World) -> None:
    secret_key = world.settings.secret_key.get_secret_value()
    for _ in range(2):
        await seed.fill(world.database, secret_key, people=3, conversations=5, seed=7)
    async with world.database.read() as connection:
        counts = [
            await connection.scalar(select(func.count()).select_from(t)) for t in (users, conversations, messages)
        ]
    assert counts == [5, 15, 3 * (2 + 4 + 6 + 8 + 2)]
    api = world.api()
    api.keep("sessionid", digest("7:session:user0002")[:32])
    me = (await api.get("/api/auth/me")).json()
    assert me == {"id": 2, "username": "user0002", "role": "user", "is_active": True}
    listed = (await api.get("/api/conversations")).json()["results"]
    assert [each["title"] for each in listed] == [f"Conversation {number}" for number in (5, 4, 3, 2, 1)]
    assert listed[4]["id"] == str(uuid.UUID(digest("7:conversation:user0002:0")[:32]))
    assert (listed[3]["created_at"], listed[3]["updated_at"]) == ("2025-04-09T08:00:00Z", "2025-04-09T08:03:00Z")
    api.keep("sessionid", digest("7:session:admin")[:32])
    assert (await api.get("/api/auth/me")).json()["role"] == "admin"


async def test_prepare_fills_an_empty_database_and_leaves_a_full_one_alone(world: World) -> None:
    words = argparse.Namespace(command="prepare", users=2, conversations=1, seed=42)
    await commands.run(world.settings, words)
    async with world.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(users)) == 4  # the tests' own four
    await world.database.drop_tables()
    await commands.run(world.settings, words)
    async with world.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(conversations)) == 2
    words.users = 5
    await commands.run(world.settings, words)
    async with world.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(conversations)) == 2


async def test_password_is_in_djangos_notation_at_the_contracts_cost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    await seed.fill(world.database, "x", people=1, conversations=1, seed=42)
    async with world.database.read() as connection:
        stored = await connection.scalar(select(users.c.password).where(users.c.username == "user0001"))
    key = hashlib.pbkdf2_hmac("sha256", b"chatbench-demo", digest("42:salt")[:22].encode(), 1_000_000).hex()
    algorithm, iterations, salt, encoded = str(stored).split("$")
    assert (algorithm, iterations, salt) == ("pbkdf2_sha256", "1000000", digest("42:salt")[:22])
    assert base64.b64decode(encoded).hex() == key


@pytest.fixture
def web_root(tmp_path: Path) -> Path:
    root = tmp_path / "web"
    for name, text in (("index.html", "<h1>chat</h1>"), ("main-ABCDEF12.js", "1"), ("assets/logo.svg", "<svg/>")):
        path = root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return root


async def test_files_pages_and_fallback(world: World, web_root: Path) -> None:
    settings = world.settings.model_copy(update={"web_root": web_root})
    async with serving(settings) as base_url, Api(base_url=base_url) as api:
        for path in ("/", "/conversations/5", "/apiary", "/..%2f..%2fetc/passwd", "/assets", "/%00"):
            response = await api.get(path)
            assert (response.status_code, response.text) == (200, "<h1>chat</h1>"), path
            assert response.headers["Cache-Control"] == "no-cache"
        response = await api.get("/main-ABCDEF12.js")
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = await api.get("/main-ABCDEF12.js", headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304
        assert (await api.get("/assets/logo.svg")).headers["Content-Type"] == "image/svg+xml"
        assert (await api.head("/")).headers["Content-Length"] == "13"
        problem(await api.get("/api/nothing"), 404)
        problem(await api.get("/api"), 404)
        assert "GET" in (await api.post("/")).headers["Allow"]
        response = await api.request("DELETE", "/api/conversations")
        assert response.headers["Allow"] == "GET, POST"
        problem(response, 405)


async def test_without_a_front_end_the_page_says_so(world: World) -> None:
    assert "WEB_ROOT" in problem(await world.api().get("/"), 404)["detail"]


async def test_every_answer_carries_the_security_headers(world: World) -> None:
    for response in (
        await world.api().get("/api/health"),
        await world.api().get("/api/auth/me"),
        await world.api().get("/api/nothing"),
        await world.api().get("/api/schema"),
    ):
        assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


async def test_bodies_over_two_mebibytes_are_refused(world: World) -> None:
    body = b'{"title": "' + b"x" * 2 * 1024 * 1024 + b'"}'
    headers = {"Content-Type": "application/json"}
    problem(await world.api("ann").post("/api/conversations", content=body, headers=headers), 413)


async def test_health_and_schema(world: World) -> None:
    assert (await world.api().get("/api/health")).json() == {"status": "ok"}
    document = (await world.api().get("/api/schema")).json()
    assert document["openapi"] == "3.1.0"
    assert "/api/conversations/{id}/messages" in document["paths"]


@pytest.mark.parametrize(
    ("lost", "word"), [(RedisConnectionError("gone"), "cache"), (OperationalError("x", {}, OSError()), "database")]
)
async def test_what_cannot_be_reached_is_a_503(world: World, lost: Exception, word: str) -> None:
    with (
        patch.object(ProcessCache, "ping", side_effect=lost),
        patch("app.cache.RedisCache.ping", side_effect=lost),
    ):
        response = await world.api().get("/api/health")
    assert word in problem(response, 503)["detail"]
    assert "Retry-After" in response.headers


async def test_a_bug_is_a_500_that_tells_nothing(world: World) -> None:
    with (
        patch.object(ProcessCache, "ping", side_effect=ZeroDivisionError("secret")),
        patch("app.cache.RedisCache.ping", side_effect=ZeroDivisionError("secret")),
    ):
        response = await world.api().get("/api/health")
    assert "secret" not in problem(response, 500)["detail"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("LLM_BASE_URL", "", "LLM_BASE_URL is not set"),
        ("DATA_DIR", "", "DATA_DIR is not set"),
        ("RATE_LIMIT_PER_MINUTE", "many", "RATE_LIMIT_PER_MINUTE is 'many'"),
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL must look like"),
    ],
)
def test_missing_and_malformed_settings_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    good = {"SECRET_KEY": "x", "LLM_BASE_URL": "http://127.0.0.1:1/v1", "DATA_DIR": "data", "DATABASE_URL": ""}
    for variable, text in {**good, name: value}.items():
        monkeypatch.setenv(variable, text)
    with pytest.raises(SystemExit, match=said):
        from_environment()


def test_database_url_names_the_driver() -> None:
    url = "postgresql://chat:p%40ss@127.0.0.1:5432/chat"
    settings = Settings(secret_key="x", llm_base_url="http://x/v1", database_url=url)
    assert settings.database().drivername == "postgresql+psycopg"
    assert settings.database().password == "p@ss"
