"""Seed, front end, health, contract, settings and security headers."""

import hashlib
import json
import uuid
from pathlib import Path

import flask_migrate
import pytest
import yaml
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import URL, func, select
from sqlalchemy.exc import OperationalError

from chat import config, create_app, passwords, seed, site
from chat.extensions import cache, db
from chat.models import AccessToken, Conversation, Message, User
from tests.users import Api, Users, expect_problem

HEADERS = ("X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options", "Content-Security-Policy")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_routes_are_the_contract_s_operations(app: Flask) -> None:
    contract = yaml.safe_load(Path(app.config["CONTRACT_FILE"]).read_text())
    operations = {
        (method.upper(), path)
        for path, item in contract["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    routes = {
        (method, rule.rule.replace("<uuid:id>", "{id}").replace("<int:id>", "{id}"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if rule.endpoint != "site.page"
    }
    assert routes == operations


def test_migrations_lead_to_the_models(app: Flask) -> None:
    with app.app_context():
        flask_migrate.upgrade()
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []


def test_seed_replaces_everything_by_the_same_data(app: Flask, users: Users) -> None:
    for _ in range(2):
        run = app.test_cli_runner().invoke(
            args=["seed", "--users", "3", "--conversations", "5", "--seed", "7"], catch_exceptions=False
        )
        assert run.exit_code == 0
    with app.app_context():
        assert (count(User), count(Conversation), count(Message), count(AccessToken)) == (5, 15, 66, 0)
    second = Api(app, digest("7:session:user0002")[:32])
    assert second.get("/api/auth/me").get_json() == {"id": 2, "username": "user0002", "role": "user", "is_active": True}
    listed = second.get("/api/conversations").get_json()["results"]
    assert [c["title"] for c in listed] == [f"Conversation {n}" for n in (5, 4, 3, 2, 1)]
    assert listed[4]["id"] == str(uuid.UUID(digest("7:conversation:user0002:0")[:32]))
    assert (listed[4]["created_at"], listed[4]["updated_at"]) == ("2025-04-08T08:00:00Z", "2025-04-08T08:01:00Z")
    admin = Api(app, digest("7:session:admin")[:32])
    assert admin.get("/api/auth/me").get_json()["role"] == "admin"


def test_prepare_fills_an_empty_database_and_leaves_a_full_one_alone(app: Flask) -> None:
    def prepare(*words: str) -> tuple[int, int]:
        run = app.test_cli_runner().invoke(args=["prepare", *words], catch_exceptions=False)
        assert run.exit_code == 0
        with app.app_context():
            return count(User), count(Conversation)

    assert prepare("--users", "2", "--conversations", "1") == (4, 2)
    assert prepare("--users", "5", "--conversations", "3") == (4, 2)


def test_seeded_texts_are_the_contract_s(app: Flask, users: Users) -> None:
    """The figures come from the recipe of the contract, worked out by the Django build."""
    with app.app_context():
        seed.fill(1, 1, 42)
    api = Api(app, digest("42:session:user0001")[:32])
    path = f"/api/conversations/{uuid.UUID(digest('42:conversation:user0001:0')[:32])}/messages"
    asked, answered = api.get(path).get_json()["results"]
    assert asked["content"] == "Part number office door people way work number door head kind place?"
    assert asked["id"] == str(uuid.UUID(digest("42:message:user0001:0:0")[:32]))
    assert len(answered["content"].split()) == 40
    assert answered["created_at"] == "2025-04-08T08:01:00Z"


def test_password_costs_what_the_contract_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ITERATIONS", 1_000_000)
    stored = passwords.hashed("chatbench-demo", digest("42:salt")[:22])
    assert stored == "pbkdf2_sha256$1000000$cecb21329daea6121e0471$z+2r6TLyeg5Pb0+Mq/Pt3P2XuQw7YnlAe1nJZaDKvwU="
    assert passwords.matches("chatbench-demo", stored)
    assert not passwords.matches("chatbench-demos", stored)


@pytest.fixture
def front_end(tmp_path: Path) -> Path:
    """A built front end."""
    files = {"index.html": "<h1>chat</h1>", "main-ABCDEF12.js": "1", "assets/logo.svg": "<svg/>", "up-to-date.txt": "x"}
    for name, text in files.items():
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "web"


def test_files_pages_and_fallback(settings: dict[str, object], front_end: Path) -> None:
    client = create_app(**settings, WEB_ROOT=str(front_end)).test_client()
    for path in ("/", "/conversations/5", "/conversations/", "/apiary", "/../../etc/passwd", "//elsewhere.example/x"):
        response = client.get(path)
        assert (response.status_code, response.data) == (200, b"<h1>chat</h1>")
        assert response.headers["Cache-Control"] == "no-cache"
        assert all(name in response.headers for name in HEADERS)
    script = client.get("/main-ABCDEF12.js")
    assert script.headers["Cache-Control"] == site.FOR_EVER
    assert script.content_type.startswith("text/javascript")
    assert client.get("/up-to-date.txt").headers["Cache-Control"] == "no-cache"
    assert client.get("/assets/logo.svg").content_type.startswith("image/svg+xml")
    assert client.get("/", headers={"If-None-Match": client.get("/").headers["ETag"]}).status_code == 304
    expect_problem(client.get("/api/nothing"), 404)
    expect_problem(client.post("/"), 405)


def test_pages_look_at_no_session(
    settings: dict[str, object], front_end: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(create_app(**settings, WEB_ROOT=str(front_end)), "0" * 32)
    monkeypatch.setattr(cache, "session", lambda _: 1 / 0)
    response = api.get("/main-ABCDEF12.js")
    assert response.status_code == 200
    assert "Cookie" not in response.headers.get("Vary", "")


def test_without_front_end_the_page_says_so(app: Flask) -> None:
    expect_problem(app.test_client().get("/"), 404)


def test_health_and_contract(users: Users) -> None:
    assert users.api().get("/api/health").get_json() == {"status": "ok"}
    assert users.api().get("/api/schema").get_json()["openapi"] == "3.1.0"


def test_every_answer_carries_the_security_headers(users: Users) -> None:
    for path in ("/api/health", "/api/auth/me", "/api/nothing", "/nothing"):
        response = users.api().get(path)
        assert all(name in response.headers for name in HEADERS)


def test_lost_cache_is_a_503_wherever_it_is_missed(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RedisConnectionError("gone")

    for name in ("ping", "session", "counted"):
        monkeypatch.setattr(cache, name, fail)
    for method, path, body in (
        ("get", "/api/health", None),
        ("get", "/api/auth/me", None),
        ("post", "/api/conversations", {}),
        ("post", "/api/auth/token", {"username": "ann", "password": "x"}),
    ):
        response = users.api("ann").call(method, path, body)
        expect_problem(response, 503)
        assert response.headers["Retry-After"] == "5"


def test_lost_database_is_a_503(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(db.session, "execute", fail)
    expect_problem(users.api().get("/api/health"), 503)


def test_what_breaks_is_a_500_that_tells_nothing(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "ping", lambda: 1 / 0)
    response = users.api().get("/api/health")
    assert "zero" not in json.dumps(expect_problem(response, 500))
    assert all(name in response.headers for name in HEADERS)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"LLM_BASE_URL": ""}, "LLM_BASE_URL"),
        ({"DATA_DIR": ""}, "DATA_DIR"),
        ({"RATE_LIMIT_PER_MINUTE": "many"}, "'many'"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
    ],
)
def test_missing_or_malformed_settings_stop_the_start(
    settings: dict[str, object], changes: dict[str, object], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in changes:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(config.SettingError, match=named):
        create_app(**{**settings, **changes})


def test_sqlite_lies_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a%2Fb c" / "d?e#f@g:h+i"
    address, _ = config.Settings({"DATA_DIR": str(folder)}).database()
    assert isinstance(address, URL)
    assert address.database == str(folder.resolve() / "chat.sqlite3")


def test_postgresql_is_reached_by_psycopg(settings: dict[str, object]) -> None:
    address, _ = config.Settings({"DATABASE_URL": "postgresql://me:p%40ss@db:5432/chat"}).database()
    assert address == "postgresql+psycopg://me:p%40ss@db:5432/chat"
