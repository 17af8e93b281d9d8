"""Sending messages: events, interruptions, limits; over real sockets on both sides."""

import asyncio
import json
import time
import uuid
from typing import Any

import httpx
import pytest
from app import exchange
from app.cache import CONTEXT_MESSAGES
from app.database import CONNECTIONS
from app.schemas import User

from tests.conftest import World, problem

pytestmark = pytest.mark.anyio
SSE = {"Accept": "text/event-stream"}


def events_of(body: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in body.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def sent(world: World, content: str = "Hello", path: str | None = None) -> list[tuple[str, Any]]:
    """Send a message and return the events of its answer."""
    response = await world.api("ann").call("POST", f"{path or world.path}/messages", {"content": content}, **SSE)
    assert response.status_code == 200, response.text
    return events_of(response.text)


async def test_events_carry_the_answer_unchanged_and_in_order(world: World) -> None:
    texts = ["nonce ", "سلام ", "👋 <b>", '"\\\n\n"', "[end]"]
    world.model.says(texts)
    response = await world.api("ann").call("POST", f"{world.path}/messages", {"content": "Hello"}, **SSE)
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Accel-Buffering"] == "no"
    events = events_of(response.text)
    assert [name for name, _ in events] == ["message", *["token"] * 5, "done"]
    assert [data["text"] for _, data in events[1:-1]] == texts
    answer = events[-1][1]["message"]
    assert answer["id"] == events[0][1]["answer_id"]
    assert answer["content"] == "".join(texts)
    assert await world.rows() == [("user", "Hello"), ("assistant", "".join(texts))]
    stored = (await world.api("ann").get(f"{world.path}/messages")).json()["results"]
    assert stored[2:] == [events[0][1]["message"], answer]


async def test_message_event_and_first_token_do_not_wait_for_the_rest(world: World) -> None:
    world.model.says([0.3, "first ", 0.5, "last"])
    begun = time.monotonic()
    at: dict[str, float] = {}
    request = {"content": "Hello"}
    headers = {**SSE, "X-CSRFToken": world.api("ann").cookies["csrftoken"]}
    async with world.api("ann").stream("POST", f"{world.path}/messages", json=request, headers=headers) as response:
        async for line in response.aiter_lines():
            at.setdefault(line.split('"text":')[-1], time.monotonic() - begun)
    assert at["event: message"] < at['"first "}'] - 0.2
    assert at['"first "}'] < at['"last"}'] - 0.3


async def test_model_is_sent_the_conversation_without_hidden_answers(world: World) -> None:
    await world.api("mo").call("POST", f"/api/messages/{world.answer}/hide", {"hidden": True})
    world.model.says(["yes"])
    await sent(world)
    await sent(world, "And now?")
    first, second = world.model.requests
    assert first == {
        "model": "stand-in",
        "stream": True,
        "messages": [{"role": "user", "content": "Where to?"}, {"role": "user", "content": "Hello"}],
    }
    assert [message["content"] for message in second["messages"]] == ["Where to?", "Hello", "yes", "And now?"]


async def test_only_the_last_twenty_messages_are_sent(world: World) -> None:
    world.model.says(["yes"])
    for number in range(12):
        await sent(world, f"question {number}")
    contents = [message["content"] for message in world.model.requests[-1]["messages"]]
    assert len(contents) == CONTEXT_MESSAGES
    assert contents[-3:] == ["question 10", "yes", "question 11"]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
async def test_client_that_leaves_cancels_the_model_and_keeps_what_came(world: World, accept: str) -> None:
    world.model.says(["some ", *[0.05, "more "] * 200])
    api = world.api("ann")
    sending = asyncio.create_task(api.call("POST", f"{world.path}/messages", {"content": "Hi"}, Accept=accept))
    while not world.model.requests:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    sending.cancel()
    await asyncio.wait([sending])
    await api.aclose()
    await asyncio.wait_for(world.model.left.wait(), 1)
    for _ in range(50):
        if len(stored := await world.rows()) == 2:
            break
        await asyncio.sleep(0.05)
    assert stored[0] == ("user", "Hi")
    assert stored[1][1].startswith("some")
    assert len(stored[1][1]) < 500


async def test_client_that_leaves_a_silent_model_cancels_it_too(world: World) -> None:
    world.model.says([30.0, "late"])
    api = world.api("ann")
    sending = asyncio.create_task(api.call("POST", f"{world.path}/messages", {"content": "Hi"}, **SSE))
    while not world.model.requests:
        await asyncio.sleep(0.02)
    sending.cancel()
    await asyncio.wait([sending])
    await asyncio.wait_for(world.model.left.wait(), 1)
    assert await world.rows() == [("user", "Hi")]


async def test_answer_that_breaks_off_is_an_error_and_is_kept(world: World) -> None:
    world.model.says(["half"], finish=False)
    events = await sent(world)
    assert [name for name, _ in events] == ["message", "token", "error"]
    assert events[-1][1]["status"] == 502
    assert await world.rows() == [("user", "Hello"), ("assistant", "half")]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([], "500 Oops"),
        ([], "429 Slow down"),
        ([b'data: {"error": {"message": "no"}}\n\n'], "200 OK"),
        ([b"data: {nonsense\n\n"], "200 OK"),
        ([b"data: []\n\n"], "200 OK"),
    ],
)
async def test_failures_of_the_model(world: World, script: list[Any], status: str) -> None:
    world.model.says(script, status=status)
    events = await sent(world)
    assert [name for name, _ in events] == ["message", "error"]
    assert events[1][1]["status"] == 502
    whole = await world.api("ann").call("POST", f"{world.path}/messages", {"content": "Hello"})
    problem(whole, 502)
    assert [role for role, _ in await world.rows()] == ["user"] * 2


@pytest.mark.settings(llm_silence_timeout_s=0.2)
async def test_silent_model_is_a_timeout(world: World) -> None:
    world.model.says([1.0, "late"])
    assert (await sent(world))[-1][1]["status"] == 504
    problem(await world.api("ann").call("POST", f"{world.path}/messages", {"content": "Hello"}), 504)


async def test_unreachable_model_is_an_error_event(world: World) -> None:
    world.model.server.close()
    assert (await sent(world))[-1][1]["status"] == 502


async def test_json_clients_get_the_whole_answer(world: World) -> None:
    world.model.says(["a ", "b"])
    response = await world.api("ann").call("POST", f"{world.path}/messages", {"content": "Hello"})
    assert response.status_code == 201
    assert (response.json()["message"]["content"], response.json()["answer"]["content"]) == ("Hello", "a b")


async def test_first_message_names_an_untitled_conversation(world: World) -> None:
    world.model.says(["ok"])
    api = world.api("ann")
    untitled = (await api.call("POST", "/api/conversations")).json()
    path = f"/api/conversations/{untitled['id']}"
    title = ("What is " + "x" * 100)[:60]
    for content in ("  What\nis  " + "x" * 100, "another"):
        began = (await sent(world, content, path))[0][1]
        updated_at = began["message"]["created_at"]
        assert began["conversation"] == {**untitled, "title": title, "updated_at": updated_at}
    assert (await api.get(path)).json()["title"] == title
    assert (await sent(world, "Not a title"))[0][1]["conversation"]["title"] == "Plans"
    assert (await api.get(world.path)).json()["title"] == "Plans"


@pytest.mark.parametrize("content", ["", "  \n", "\x1c", 5, None, "a\0b", "\0", "x" * 100_001])
async def test_bad_content_is_refused_before_the_stream(world: World, content: object) -> None:
    response = await world.api("ann").call("POST", f"{world.path}/messages", {"content": content}, **SSE)
    assert "content" in problem(response, 400)["errors"]
    assert await world.rows() == []


async def test_long_and_odd_content_is_kept_as_sent(world: World) -> None:
    world.model.says(["ok"])
    for content in ("é" * 100_000, " \u202e\ufeff<script>\t\n "):
        events = await sent(world, content)
        assert events[0][1]["message"]["content"] == content


async def test_strangers_are_refused(world: World) -> None:
    problem(await world.api().call("POST", f"{world.path}/messages", {"content": "Hello"}, **SSE), 401)


@pytest.mark.settings(rate_limit_per_minute=2)
async def test_messages_beyond_the_limit_are_refused_for_this_person_alone(world: World) -> None:
    world.model.says(["ok"])
    for _ in range(6):  # a minute may end in between
        response = await world.api("ann").call("POST", f"{world.path}/messages", {"content": "Hello"}, **SSE)
        if response.status_code == 429:
            break
    problem(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    bob = world.api("bob")
    own = (await bob.call("POST", "/api/conversations")).json()["id"]
    response = await bob.call("POST", f"/api/conversations/{own}/messages", {"content": "Hello"})
    assert response.status_code == 201


async def test_answer_to_a_deleted_conversation_is_dropped(world: World) -> None:
    user = User(id=world.ids["ann"], username="ann", role="user", is_active=True)

    class Nothing:
        async def remember(self, *_: object) -> None: ...
        async def add(self, *_: object) -> None: ...

    begun = await exchange.begin(world.database, Nothing(), user, world.conversation, "Hello", None)  # type: ignore[arg-type]
    await world.api("ann").call("DELETE", world.path)
    await exchange.finish(world.database, Nothing(), begun, "late")  # type: ignore[arg-type]
    assert await world.rows(world.conversation) == []


async def test_no_connection_is_held_while_answers_stream(world: World) -> None:
    world.model.says(["first ", 0.5, "last"])
    streams = CONNECTIONS
    sending = [asyncio.create_task(sent(world)) for _ in range(2 * streams)]
    while len(world.model.requests) < 2 * streams:
        await asyncio.sleep(0.02)
    listed: httpx.Response = await world.api("ann").get("/api/conversations")
    assert listed.status_code == 200
    for events in await asyncio.gather(*sending):
        assert events[-1][0] == "done"
    assert len(await world.rows()) == 4 * streams


async def test_ids_are_unique_and_ordered(world: World) -> None:
    world.model.says(["ok"])
    await asyncio.gather(*(sent(world, f"{number}") for number in range(5)))
    listed = (await world.api("ann").get(f"{world.path}/messages")).json()["results"]
    assert len({uuid.UUID(message["id"]) for message in listed}) == 12
    assert [m["created_at"] for m in listed] == sorted(m["created_at"] for m in listed)
