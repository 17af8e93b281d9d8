"""Sending messages: events, interruptions, limits; with a model on a real socket."""

import json
import time
import uuid
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.pool import Pool
from werkzeug.test import TestResponse

from chat import exchange
from chat.extensions import db, model
from chat.models import Conversation, Message, now
from tests.model import FakeModel
from tests.users import Users, expect_problem

STREAM = "text/event-stream"
Events = list[tuple[str, Any]]


def send(users: Users, fake: FakeModel | None, content: Any = "Hello", accept: str = STREAM) -> TestResponse:
    """Send a message as Ann; the model is the fake one."""
    if fake is not None:
        users.app.config["LLM_BASE_URL"] = fake.url
    model.init_app(users.app)
    return users.api("ann").call("post", f"{users.path}/messages", {"content": content}, Accept=accept)


def events_of(response: TestResponse) -> Events:
    """Read a stream to its end."""
    blocks = [block.split("\n") for block in response.get_data(as_text=True).split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def exchange_with(users: Users, fake: FakeModel, content: str = "Hello") -> Events:
    """Send one message to the model and return the events of the answer."""
    with fake:
        return events_of(send(users, fake, content))


def test_events_carry_the_answer_unchanged_and_in_order(users: Users) -> None:
    texts = ["nonce ", "سلام ", "👋 <b>", '"\\\n\n"', "[end]"]
    with FakeModel(texts) as fake:
        response = send(users, fake)
        events = events_of(response)
    assert (response.status_code, response.content_type) == (200, STREAM)
    assert (response.headers["Cache-Control"], response.headers["X-Accel-Buffering"]) == ("no-cache", "no")
    assert [name for name, _ in events] == ["message", *["token"] * 5, "done"]
    assert [data["text"] for _, data in events[1:-1]] == texts
    answer = events[-1][1]["message"]
    assert answer["id"] == events[0][1]["answer_id"]
    assert answer["content"] == "".join(texts)
    assert users.stored() == [("user", "Hello"), ("assistant", "".join(texts))]
    listed = users.api("ann").get(f"{users.path}/messages").get_json()["results"]
    assert listed[2:] == [events[0][1]["message"], answer]


def test_message_event_and_first_token_do_not_wait_for_the_rest(users: Users) -> None:
    with FakeModel(["first ", 2.0, "last"]) as fake:
        response = send(users, fake)
        parts, started_s = iter(response.response), time.monotonic()
        received = b"".join(next(parts) for _ in range(2))
        assert b"event: message" in received
        assert b"first" in received
        assert b"last" not in received
        assert time.monotonic() - started_s < 1.5
        assert b"event: done" in b"".join(parts)


def test_tokens_that_gather_are_held_back_for_the_window_at_most(users: Users) -> None:
    with FakeModel([step for number in range(40) for step in (f"{number} ", 0.01)]) as fake:
        times = [time.monotonic() for part in send(users, fake).response if b"event: token" in part]
    gaps_s = [b - a for a, b in pairwise(times)]
    assert 4 <= len(times) <= 12  # of 40 tokens
    assert sorted(gaps_s)[len(gaps_s) // 2] < 0.2


def test_no_database_connection_is_held_while_streaming(users: Users) -> None:
    with users.app.app_context():
        pool: Pool = db.engine.pool
    with FakeModel(["some ", 0.3, "more"]) as fake:
        for part in send(users, fake).response:
            if b"event: token" in part:
                assert pool.checkedout() == 0


def test_model_is_sent_the_conversation_without_hidden_answers(users: Users) -> None:
    users.api("mo").call("post", f"/api/messages/{users.answer}/hide", {"hidden": True})
    exchange_with(users, first := FakeModel(["yes"]))
    exchange_with(users, second := FakeModel(["no"]), "And now?")
    assert first.requests == [
        {
            "model": "stand-in",
            "stream": True,
            "messages": [{"role": "user", "content": "Where to?"}, {"role": "user", "content": "Hello"}],
        }
    ]
    assert [m["content"] for m in second.requests[0]["messages"]] == ["Where to?", "Hello", "yes", "And now?"]


def test_only_the_last_twenty_messages_are_sent(users: Users) -> None:
    for number in range(12):
        exchange_with(users, fake := FakeModel([f"answer {number}"]), f"question {number}")
    sent = [message["content"] for message in fake.requests[0]["messages"]]
    assert len(sent) == 20
    assert sent[-3:] == ["question 10", "answer 10", "question 11"]


def test_client_that_leaves_cancels_the_model_and_keeps_what_came(users: Users) -> None:
    with FakeModel(["some ", *[0.05, "more "] * 200]) as fake:
        response = send(users, fake)
        parts = iter(response.response)
        while b"some" not in next(parts):
            pass
        response.close()
        assert fake.left.wait(1)
    stored = users.stored()
    assert stored[0] == ("user", "Hello")
    assert stored[1][1].startswith("some")
    assert len(stored[1][1]) < 500


def test_answer_that_breaks_off_is_an_error_and_is_kept(users: Users) -> None:
    events = exchange_with(users, FakeModel(["half"], finish=False))
    assert (events[-1][0], events[-1][1]["status"]) == ("error", 502)
    assert users.stored() == [("user", "Hello"), ("assistant", "half")]


@pytest.mark.parametrize(
    "fake",
    [
        FakeModel([], status="500 Oops"),
        FakeModel([], status="429 Slow down"),
        FakeModel([b'data: {"error": {"message": "no"}}\n\n']),
        FakeModel([b"data: {nonsense\n\n"]),
        FakeModel([b"no HTTP at all\r\n\r\n"], head=False),
        FakeModel([], head=False, finish=False),
    ],
    ids=["500", "429", "error event", "no JSON", "no HTTP", "hangs up"],
)
def test_failures_of_the_model_are_error_events_and_502(users: Users, fake: FakeModel) -> None:
    with fake:
        events = events_of(send(users, fake))
        whole = send(users, fake, accept="application/json")
    assert [name for name, _ in events] == ["message", "error"]
    assert events[1][1]["status"] == 502
    expect_problem(whole, 502)
    assert users.stored() == [("user", "Hello")] * 2


def test_silent_model_is_a_timeout(users: Users) -> None:
    users.app.config["LLM_SILENCE_TIMEOUT_S"] = 0.2
    assert exchange_with(users, FakeModel([1.0, "late"]))[-1][1]["status"] == 504
    assert exchange_with(users, FakeModel([1.0], head=False))[-1][1]["status"] == 504


def test_unreachable_model_is_an_error_event(users: Users) -> None:
    assert events_of(send(users, None))[-1][1]["status"] == 502


def test_json_clients_get_the_whole_answer(users: Users) -> None:
    with FakeModel(["a ", "b"]) as fake:
        response = send(users, fake, accept="application/json")
    assert response.status_code == 201
    exchanged = response.get_json()
    assert (exchanged["message"]["content"], exchanged["answer"]["content"]) == ("Hello", "a b")
    assert users.stored() == [("user", "Hello"), ("assistant", "a b")]


def test_first_message_names_an_untitled_conversation(users: Users) -> None:
    untitled = users.api("ann").call("post", "/api/conversations").get_json()
    users.conversation = uuid.UUID(untitled["id"])
    title = ("What is " + "x" * 100)[:60]
    for content in ("  What\nis  " + "x" * 100, "And then?"):
        began = exchange_with(users, FakeModel(["ok"]), content)[0][1]
        updated_at = began["message"]["created_at"]
        assert began["conversation"] == {**untitled, "title": title, "updated_at": updated_at}
    shown = users.api("ann").get(users.path).get_json()
    assert shown["title"] == title
    assert shown["updated_at"] > untitled["updated_at"]


@pytest.mark.parametrize("content", ["", "  \n", 5, None, "a\0b", "x" * 100_001])
def test_bad_content_is_refused_before_the_stream(users: Users, content: object) -> None:
    problem = expect_problem(send(users, None, content), 400)
    assert "content" in problem["errors"]
    assert users.stored() == []


def test_messages_beyond_the_limit_are_refused_and_not_stored(users: Users) -> None:
    users.app.config["RATE_LIMIT_PER_MINUTE"] = 1
    responses = [send(users, None) for _ in range(3)]  # a minute may end in between
    for response in responses:
        response.get_data()
    refused = [response for response in responses if response.status_code == 429]
    assert refused
    expect_problem(refused[0], 429)
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert len(users.stored()) == 3 - len(refused)


def test_answer_to_a_deleted_conversation_is_dropped(users: Users) -> None:
    with users.app.app_context():
        saved = exchange.save_message(users.ids["ann"], users.conversation, "Hello")
        db.session.delete(db.session.get(Conversation, users.conversation))
        db.session.commit()
        exchange.finish(exchange.Exchange(*saved, []), "late")
        assert db.session.scalar(select(func.count()).select_from(Message)) == 0


def test_refused_message_leaves_no_lock(users: Users) -> None:
    assert users.api("bob").call("post", f"{users.path}/messages", {"content": "Mine?"}).status_code == 404
    with users.app.app_context():
        moment = now()
        db.session.add(Conversation(owner_id=users.ids["bob"], title="", created_at=moment, updated_at=moment))
        db.session.commit()


def test_lost_database_ends_a_stream_with_an_error_event(
    users: Users, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def fail(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("gone"))

    with FakeModel(["all"]) as fake:
        response = send(users, fake)
        monkeypatch.setattr(exchange, "finish", fail)
        events = events_of(response)
    assert (events[-1][0], events[-1][1]["status"]) == ("error", 503)
