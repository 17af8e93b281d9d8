"""The Streamlit chatbot below its pages: sessions, the store, the model's stream, exports, seeded data."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from program import PART, Program
from starlette.requests import Request
from starlette.responses import Response


def sse(*texts: str, finish: bool = True) -> list[bytes]:
    lines = [json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": None}]}) for text in texts]
    if finish:
        lines.append(json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
        lines.append("[DONE]")
    return [f"data: {line}\n\n".encode() for line in lines]


@contextmanager
def model_server(status: str, parts: list[bytes], gap_s: float = 0.0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve one answer, part by part, to every request on a port of the kernel's choice."""
    loop = asyncio.new_event_loop()
    asked: list[dict[str, Any]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        asked.append(json.loads(await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {status}\r\nretry-after: 7\r\nconnection: close\r\n\r\n".encode())
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(gap_s)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", asked
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def client(program: Program, url: str) -> Iterator[Any]:
    model = program.modules["model"].Model(url, "key", "name")
    yield model
    model.close()


def test_an_answer_arrives_whole_and_its_first_token_at_once(program: Program) -> None:
    texts = ["first ", *[f"{i} " for i in range(20)]]
    with model_server("200 OK", sse(*texts), gap_s=0.02) as (url, asked), client(program, url) as model:
        pieces = list(model.stream([{"role": "user", "content": "hi"}]))
    assert "".join(pieces) == "".join(texts)
    assert pieces[0] == "first "
    assert len(pieces) < len(texts)
    assert asked[0]["messages"] == [{"role": "user", "content": "hi"}]
    assert asked[0]["stream"] is True


def test_text_is_handed_over_although_the_model_pauses(program: Program) -> None:
    with model_server("200 OK", sse("one ", "two "), gap_s=0.0) as (url, _), client(program, url) as model:
        assert list(model.stream([]))[-1].endswith("two ")
    pause_s = 1.0
    parts = [*sse("one ", finish=False), b"".join(sse("two ", "three", finish=False))]
    with model_server("200 OK", parts, gap_s=pause_s) as (url, _), client(program, url) as model:
        pieces: list[tuple[float, str]] = []
        began = time.monotonic()
        timed = ((time.monotonic() - began, piece) for piece in model.stream([]))
        with pytest.raises(program.modules["model"].ModelError, match="broke off"):
            pieces.extend(timed)
        ended_s = time.monotonic() - began
    assert "".join(piece for _, piece in pieces) == "one two three"
    assert pieces[-1][0] < ended_s - pause_s / 2  # not only when the stream ended, a pause later


@pytest.mark.parametrize(
    ("status", "parts", "words"),
    [
        ("429 Too Many Requests", [b"{}"], "in 7 seconds"),
        ("500 Internal Server Error", [b"{}"], "HTTP 500"),
        ("200 OK", [b"data: {nonsense\n\n"], "not an answer"),
        ("200 OK", [b'data: {"choices": [7]}\n\n'], "broke off"),
        ("200 OK", [b'data: {"error": {"message": "x"}}\n\n'], "reported an error"),
        ("200 OK", [b'data: {"choices": [{"finish_reason": "stop"}]}\n\n'], "holds no text"),
        ("200 OK", [], "broke off"),
    ],
)
def test_failures_of_the_model_are_told_in_words(program: Program, status: str, parts: list[bytes], words: str) -> None:
    told = pytest.raises(program.modules["model"].ModelError, match=words)
    with model_server(status, parts) as (url, _), client(program, url) as model, told:
        list(model.stream([]))


def test_a_model_that_is_not_there_is_told_in_words(program: Program) -> None:
    told = pytest.raises(program.modules["model"].ModelError, match="cannot be reached")
    with client(program, "http://127.0.0.1:9/v1") as model, told:
        list(model.stream([]))


def request(method: str, **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": "/session", "scheme": "https", "headers": pairs})


def call_session(program: Program, asked: Request) -> Response:
    result: Response = program.load("app").session(asked)
    return result


def test_a_code_buys_the_cookie_once(program: Program) -> None:
    auth = program.modules["auth"]
    session_id = program.store.open_session(1, auth.hash_token("code"))
    bought = call_session(program, request("POST", host="chat.example", x_sign_in_code="code"))
    cookie = bought.headers["set-cookie"]
    for word in ("chat_session=", "HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert word in cookie
    token = cookie.split("=")[1].split(";")[0]
    assert program.store.find_session(auth.hash_token(token)) == session_id
    assert program.store.database.rows("SELECT * FROM sessions WHERE token_hash = ?", token) == []
    assert call_session(program, request("POST", host="chat.example", x_sign_in_code="code")).status_code == 403


def test_a_page_from_elsewhere_buys_nothing(program: Program) -> None:
    program.store.open_session(1, program.modules["auth"].hash_token("code"))
    foreign = request("POST", host="chat.example", origin="https://evil.example", x_sign_in_code="code")
    assert call_session(program, foreign).status_code == 403


def test_an_old_code_and_an_old_session_are_worth_nothing(program: Program) -> None:
    session_id = program.store.open_session(1, "hash")
    assert program.store.session_user(session_id).username == "ann"
    program.store.database.change("UPDATE sessions SET code_expires_at = 1, expires_at = 1")
    assert not program.store.claim_session("hash", "token")
    assert program.store.session_user(session_id) is None


def test_passwords_are_hashed_as_django_hashes_them(program: Program) -> None:
    auth = program.modules["auth"]
    stored = auth.hash_password("secret", "salt", 1000)
    derived = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1000)
    assert stored.startswith("pbkdf2_sha256$1000$salt$")
    assert auth.check_password("secret", stored)
    assert not auth.check_password("Secret", stored)
    assert derived.hex() not in stored


def test_the_store_keeps_to_the_owner(program: Program) -> None:
    store = program.store
    conversation = store.add_message(1, None, "mine")
    answer = store.add_answer(conversation, "answer", True)
    assert store.conversation(2, conversation) is None
    assert store.messages(2, conversation, 10) == []
    assert store.add_message(2, conversation, "intruder") is None
    store.rename(2, conversation, "stolen")
    store.set_feedback(2, answer, "down")
    store.delete(2, conversation)
    assert store.conversation(1, conversation).title == "mine"
    assert [m.feedback for m in store.messages(1, conversation, 10)] == [None, None]


def test_an_answer_to_a_deleted_conversation_is_dropped(program: Program) -> None:
    conversation = program.store.add_message(1, None, "mine")
    program.store.delete(1, conversation)
    assert program.store.add_answer(conversation, "late", True) is None


def test_exports_hold_everything_but_hidden_answers(program: Program) -> None:
    store, export = program.store, program.modules["export"]
    conversation = store.add_message(1, None, "ask 😀")
    store.add_answer(conversation, "seen", True)
    store.set_hidden(store.add_answer(conversation, "unseen", True), True)
    found, messages = store.conversation(1, conversation), store.messages(1, conversation, -1)
    document = json.loads(export.as_json(found, messages))
    assert [m["content"] for m in document["messages"]] == ["ask 😀", "seen", export.HIDDEN]
    assert "unseen" not in export.as_markdown(found, messages)


def moderation_page() -> None:
    import admin  # type: ignore[import-not-found]

    admin.moderation_page()


def users_page() -> None:
    import admin

    admin.users_page()


def test_only_the_roles_that_may_do_moderate_and_administer(program: Program) -> None:
    conversation = program.store.add_message(1, None, "ask")
    program.store.set_feedback(1, program.store.add_answer(conversation, "bad answer", True), "down")
    labels = {name: [b.label for b in program.page(name, moderation_page).button] for name in ("ann", "mod", "root")}
    assert "Hide" not in labels["ann"]
    assert "Hide" in labels["mod"]
    assert "Hide" in labels["root"]
    assert not program.page("mod", users_page).selectbox
    assert len(program.page("root", users_page).selectbox) == 4


def test_an_action_asks_again_who_acts(program: Program) -> None:
    conversation = program.store.add_message(1, None, "ask")
    program.store.set_feedback(1, program.store.add_answer(conversation, "bad answer", True), "down")
    page = program.page("mod", moderation_page)
    program.store.set_role(3, "user")
    page.button[0].click().run()
    assert not program.store.database.row("SELECT hidden FROM messages WHERE role = 'assistant'")[0]
    assert page.error[0].value == "Only moderators may see this page."


def test_an_admin_gives_roles_and_takes_access(program: Program) -> None:
    page = program.page("root", users_page)
    page.selectbox[0].set_value("moderator").run()
    page.toggle[1].set_value(False).run()
    users = {user.username: user for user in program.store.users("", 10, 0)}
    assert users["ann"].role == "moderator"
    assert not users["bob"].is_active
    assert page.selectbox[3].disabled  # one's own


def test_seeding_twice_gives_the_same_data(program: Program) -> None:
    seed = program.load("seed")
    store = program.store
    for table in ("users", "sessions"):
        store.database.change(f"DELETE FROM {table}")  # noqa: S608
    seed.fill(store.database, 3, 10, 42)
    first = [tuple(row) for row in store.database.rows("SELECT content FROM messages ORDER BY id")]
    for table in ("users", "sessions", "conversations", "messages"):
        store.database.change(f"DELETE FROM {table}")  # noqa: S608
    seed.fill(store.database, 3, 10, 42)
    assert [tuple(row) for row in store.database.rows("SELECT content FROM messages ORDER BY id")] == first
    assert len(first) == 5 * 46
    token = hashlib.sha256(b"42:session:user0002").hexdigest()[:32]
    found = store.find_session(program.modules["auth"].hash_token(token))
    assert store.session_user(found).username == "user0002"
    titles = [c.title for c in store.conversations(1, "", 30)]
    assert titles == [f"Conversation {n}" for n in range(10, 0, -1)]


def test_a_wrong_setting_names_itself_and_the_remedy(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = program.modules["settings"]
    for name, value in (("RATE_LIMIT_PER_MINUTE", "many"), ("LLM_BASE_URL", "model:8001")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            settings.load.cache_clear()
            with pytest.raises(ValueError, match=rf"{name} is '{value}': set it to"):
                settings.load()
    settings.load.cache_clear()


def test_nothing_of_a_person_is_shown_as_html() -> None:
    sources = "".join(path.read_text() for path in PART.glob("*.py"))
    assert "unsafe_allow_html" not in sources
    assert "unsafe_allow_javascript" not in sources
