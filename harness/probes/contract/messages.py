"""Messages: streamed and whole answers, failures of the model, feedback, and any text there is."""

import itertools
import statistics
import time
from datetime import datetime
from typing import Any

from harness.probes.claims import Probes, expect
from harness.probes.client import Event, expect_problem
from harness.probes.shapes import CONVERSATION, MESSAGE, expect_shape
from harness.probes.world import Message, RestWorld
from harness.records.recipe import tokens_in

PROBES: Probes[RestWorld] = Probes()
CANCELLING: Probes[RestWorld] = Probes()
LONGEST_CHARS = 100_000
HOLD_S = 0.1  # a build may hold tokens back this long
SLACK_S = 0.1  # for a busy machine, on a median
TEXTS = (
    "plain",
    "<img src=x onerror=alert(1)> **bold** `code`",
    "👩‍👩‍👧‍👦🇧🇪 é\u0301",
    "مرحبا بالعالم \u202e",
    "tab\tand\nlines",
)


def _expect_order(events: list[Event]) -> None:
    names = [event.name for event in events]
    expect(names[:1] == ["message"], f"the stream begins with {names[:1]}, not with message")
    expect(names[-1] == "done", f"the stream ends with {names[-1]!r}, not with done")
    expect(set(names[1:-1]) == {"token"}, f"between message and done come {sorted(set(names[1:-1]))}, not tokens alone")


@PROBES.proves(
    "sendMessage", "streams message, tokens and done in order; the pieces are the stored answer, nonce to end marker"
)
def _stream(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    message = world.message(tokens=12, ttft_s=0.05, itl_s=0.01)
    events = world.listen(world.owner, conversation["id"], message)
    _expect_order(events)
    asked = expect_shape(events[0].data["message"], MESSAGE, "the message of the stream")
    expect(asked["content"] == message.content, f"the message came back as {asked['content'][:80]!r}")
    text = "".join(event.data["text"] for event in events[1:-1])
    message.expect_answer(text)
    expect(tokens_in(len(text)) == 12, f"the answer has {tokens_in(len(text))} tokens, not 12")
    answer = expect_shape(events[-1].data["message"], MESSAGE, "the message of done")
    expect(answer["content"].rstrip() == text.rstrip(), "the stored answer is not what was streamed")
    expect(answer["id"] == events[0].data["answer_id"], "the answer's id is not the one announced")
    history = world.history(world.owner, conversation["id"])
    expect([m["id"] for m in history] == [asked["id"], answer["id"]], "the history is not message and answer, in order")


@PROBES.proves("sendMessage", "the message event brings the conversation, titled and updated by this message")
def _conversation_of_the_stream(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    for _ in range(2):
        begun = world.listen(world.owner, conversation["id"], world.message(tokens=2, ttft_s=0))[0].data
        told = expect_shape(begun.get("conversation"), CONVERSATION, "the conversation of the stream")
        expect(told["title"] != "", "the stream says that the conversation has no title")
        updated, sent = (datetime.fromisoformat(one) for one in (told["updated_at"], begun["message"]["created_at"]))
        expect(updated == sent, f"the stream says that a message of {sent} updated the conversation at {updated}")
        stored = world.owner.request("GET", f"/api/conversations/{conversation['id']}").json()
        for name in ("id", "title", "created_at"):
            expect(told[name] == stored[name], f"{name} is {told[name]!r} in the stream, {stored[name]!r} as stored")


@PROBES.proves("sendMessage", "tokens arrive while the model speaks, none held back for more than 100 ms", timed=True)
def _stream_over_time(world: RestWorld) -> None:
    tokens, itl_s = 20, 0.05
    message = world.message(tokens=tokens, ttft_s=0.2, itl_s=itl_s)
    sent_s = time.monotonic()
    events = world.listen(world.owner, world.conversation(world.owner)["id"], message)
    times = [event.arrival_s for event in events if event.name == "token"]
    expect(len(times) > 1, f"{len(times)} token events came")
    span_s, intended_s = times[-1] - times[0], (tokens - 1) * itl_s
    expect(span_s > 0.6 * intended_s, f"tokens spoken over {intended_s:.2f} s came within {span_s:.2f} s")
    arrivals = [b - a for a, b in itertools.pairwise(times) if b - a > itl_s / 5]
    expect(bool(arrivals), "all tokens came at once")
    median_s = statistics.median(arrivals)
    expect(
        median_s < itl_s + HOLD_S + SLACK_S,
        f"tokens come every {median_s * 1000:.0f} ms, spoken every {itl_s * 1000:.0f} ms",
    )
    message_s = events[0].arrival_s - sent_s
    expect(events[0].arrival_s <= times[0] - 0.5 * 0.2, f"the message event waited for the model ({message_s:.2f} s)")


@PROBES.proves("sendMessage", "the stream is marked as one that nothing between may buffer")
def _stream_headers(world: RestWorld) -> None:
    path = f"/api/conversations/{world.shared['id']}/messages"
    content = world.message(tokens=2, ttft_s=0).content
    with world.owner.stream(path, {"content": content}) as stream:
        for name, wanted in (("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")):
            expect(stream.answer.header(name) == wanted, f"{name} is {stream.answer.header(name)!r}, not {wanted!r}")
        expect(stream.answer.media_type == "text/event-stream", f"the content type is {stream.answer.media_type!r}")
        expect([event.name for event in stream.events][-1] == "done", "the stream does not end with done")


@PROBES.proves("sendMessage", "with Accept: application/json the answer comes whole (201)")
def _whole(world: RestWorld) -> None:
    conversation, message = world.conversation(world.owner), world.message(tokens=6, ttft_s=0, itl_s=0)
    answer = world.ask(world.owner, conversation["id"], message)
    message.expect_answer(answer["content"])
    stored = world.history(world.owner, conversation["id"])
    expect(stored[-1] == answer, f"the stored answer is {stored[-1]!r}")
    first = world.owner.request("GET", "/api/conversations").json()["results"][0]
    expect(first["id"] == conversation["id"], "a new message does not make its conversation the first of the list")


@PROBES.proves("sendMessage", "any text is stored and returned unchanged, up to 100,000 characters")
def _any_text(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    sent = [world.message(text, tokens=2, ttft_s=0) for text in (*TEXTS, "long " * (LONGEST_CHARS // 5 - 20))]
    for message in sent:
        message.expect_answer(world.ask(world.owner, conversation["id"], message)["content"])
    stored = [m["content"] for m in world.history(world.owner, conversation["id"]) if m["role"] == "user"]
    expect(stored == [message.content for message in sent], "a text came back changed")


@PROBES.proves(
    "sendMessage",
    "empty, too long, of another kind, with NUL or an unknown member: 400 naming the field, nothing stored",
)
def _invalid_message(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    path = f"/api/conversations/{conversation['id']}/messages"
    for content in ("", "  \n", "x" * (LONGEST_CHARS + 1), 7, None, "nul\x00"):
        problem = world.owner.request("POST", path, {"content": content}).problem(400)
        expect("content" in problem.get("errors", {}), f"no error names content for {str(content)[:12]!r}")
    world.owner.request("POST", path, {}).problem(400)
    world.owner.request("POST", path, {"content": "Hello", "role": "assistant"}).problem(400)
    expect(world.history(world.owner, conversation["id"]) == [], "a refused message was stored")


@PROBES.proves(
    "sendMessage", "the model's failure before a token: 502, or an error event; the message stays, no answer is stored"
)
def _model_fails(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    path = f"/api/conversations/{conversation['id']}/messages"
    for fault in (500, 429):
        content = world.message(fault=fault).content
        world.owner.request("POST", path, {"content": content}).problem(502)
    _expect_error_event(world.listen(world.owner, conversation["id"], world.message(fault=500)))
    roles = [message["role"] for message in world.history(world.owner, conversation["id"])]
    expect(roles == ["user"] * 3, f"after three failures the history holds {roles}")


def _expect_error_event(events: list[Event]) -> None:
    names = [event.name for event in events]
    expect(bool(names) and names[-1] == "error", f"the stream ends with {names[-1:]}, not with error")
    expect_problem(events[-1].data, 502, "the error event")


@PROBES.proves("sendMessage", "the model breaking off midway: an error event, and what came is kept")
def _model_breaks_off(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    message = world.message(fault="disconnect", tokens=20, ttft_s=0, itl_s=0.01)
    events = world.listen(world.owner, conversation["id"], message)
    _expect_error_event(events)
    text = "".join(event.data["text"] for event in events if event.name == "token")
    _expect_kept(world, conversation["id"], text)


def _expect_kept(world: RestWorld, conversation_id: str, text: str, *, within_s: float = 0.0) -> None:
    """Raise RefutedError unless the interrupted answer is stored and begins as the person saw it."""
    deadline = time.monotonic() + within_s
    while True:
        answers = [m for m in world.history(world.owner, conversation_id) if m["role"] == "assistant"]
        if answers or not text or time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    expect(len(answers) == bool(text), f"{len(answers)} answers are stored after {len(text)} characters were seen")
    if text:
        expect(answers[0]["content"].startswith(text.rstrip()), f"stored is {answers[0]['content'][:60]!r}")


@CANCELLING.proves(
    "sendMessage", "closing the browser ends the request to the model within a second; what came is kept", timed=True
)
def _client_leaves(world: RestWorld) -> None:
    conversation = world.conversation(world.owner)
    message = world.message(tokens=80, ttft_s=0.1, itl_s=0.05)
    text = _leave_after(world, conversation["id"], message, tokens=3)
    left_s = time.monotonic()
    emission = world.emission(message.tag, within_s=6.0)
    expect(not emission["finished"], "the model spoke to the end although nobody listened")
    last_s = emission["request_s"] + emission["emit_s"][-1]
    expect(last_s - left_s < 1.5, f"the model went on for {last_s - left_s:.1f} s after the browser closed")
    _expect_kept(world, conversation["id"], text, within_s=2.0)


def _leave_after(world: RestWorld, conversation_id: str, message: Message, *, tokens: int) -> str:
    text, seen = "", 0
    with world.owner.stream(f"/api/conversations/{conversation_id}/messages", {"content": message.content}) as stream:
        for event in stream.events:
            if event.name == "token":
                text, seen = text + event.data["text"], seen + 1
            if seen == tokens:
                break
    expect(seen == tokens, f"the stream ended after {seen} tokens")
    return text


def _rated(world: RestWorld, value: Any) -> Any:
    path = f"/api/messages/{world.shared_answer['id']}/feedback"
    message = expect_shape(world.owner.request("PUT", path, {"value": value}).json(), MESSAGE, "the rated answer")
    return message["feedback"]


@PROBES.proves("setFeedback", "up, down and taken back are stored; another value, or a person's message: 400")
def _feedback(world: RestWorld) -> None:
    for value in ("up", "down", None):
        seen = _rated(world, value)
        expect(seen == value, f"the feedback is {seen!r}, not {value!r}")
        stored = {m["id"]: m["feedback"] for m in world.history(world.owner, world.shared["id"])}
        expect(stored[world.shared_answer["id"]] == value, "the history shows another feedback")
    path = "/api/messages/{}/feedback"
    world.owner.request("PUT", path.format(world.shared_answer["id"]), {"value": "sideways"}).problem(400)
    question = next(m for m in world.history(world.owner, world.shared["id"]) if m["role"] == "user")
    world.owner.request("PUT", path.format(question["id"]), {"value": "up"}).problem(400)
