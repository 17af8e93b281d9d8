"""The world that the REST probes share: seeded people, own conversations, messages the model understands."""

import json
import random
import secrets
import time
import urllib.parse
import uuid
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.probes.claims import RefutedError, expect
from harness.probes.client import Client, Event
from harness.probes.shapes import CONVERSATION, MESSAGE, expect_shape
from harness.records.recipe import END_MARKER, nonce_of, session_token, sha256_hex

OWNER, OTHER, SUBJECT, TALKER, READER = "user0031", "user0032", "user0033", "user0034", "user0035"

#: operationId -> method and path of every operation of openapi.yaml
OPERATIONS = {
    "login": ("POST", "/api/auth/login"),
    "logout": ("POST", "/api/auth/logout"),
    "me": ("GET", "/api/auth/me"),
    "createToken": ("POST", "/api/auth/token"),
    "listConversations": ("GET", "/api/conversations"),
    "createConversation": ("POST", "/api/conversations"),
    "getConversation": ("GET", "/api/conversations/{id}"),
    "renameConversation": ("PATCH", "/api/conversations/{id}"),
    "deleteConversation": ("DELETE", "/api/conversations/{id}"),
    "exportConversation": ("GET", "/api/conversations/{id}/export"),
    "listMessages": ("GET", "/api/conversations/{id}/messages"),
    "sendMessage": ("POST", "/api/conversations/{id}/messages"),
    "setFeedback": ("PUT", "/api/messages/{id}/feedback"),
    "hideMessage": ("POST", "/api/messages/{id}/hide"),
    "listUsers": ("GET", "/api/admin/users"),
    "updateUser": ("PATCH", "/api/admin/users/{id}"),
    "health": ("GET", "/api/health"),
    "schema": ("GET", "/api/schema"),
}

_TEXT = (
    "time year people way day thing world life hand part child eye woman place work week case point government "
    "company number group problem fact question water money story month study book word business issue side kind "
    "head house service friend father power hour game line member city community name president team minute idea "
    "body information back parent face level office door health person art history party result change morning "
    "reason research moment teacher force education"
)
WORDS = _TEXT.split()


def seeded_conversation_id(seed: int, username: str, number: int) -> str:
    """Return the id of a seeded conversation, numbered from 0."""
    return str(uuid.UUID(sha256_hex(f"{seed}:conversation:{username}:{number}")[:32]))


def seeded_texts(seed: int, username: str, number: int) -> list[str]:
    """Return the texts of a seeded conversation's messages, user and assistant in turn."""
    rng = random.Random(f"{seed}:{username}:{number}")  # noqa: S311 (the contract's own recipe)
    texts = []
    for _ in range(1 + number % 4):
        texts.append(" ".join(rng.choices(WORDS, k=12)).capitalize() + "?")
        texts.append(" ".join(rng.choices(WORDS, k=40)).capitalize() + ".")
    return texts


class Message:
    """A message whose answer can be recognised: text, tag, and how the model is to answer it."""

    def __init__(self, seed: int, text: str = "What is known of this?", **options: object) -> None:
        self.tag = secrets.token_hex(8)  # unlike any of an earlier run on the same data
        self.nonce = nonce_of(seed, self.tag)
        query = urllib.parse.urlencode(options)
        self.content = f"{text} tag-{self.tag}" + (f"?{query}" if query else "")

    def expect_answer(self, text: str) -> None:
        """Raise RefutedError unless this is the whole answer to this message."""
        begins = f"the answer begins {text[:20]!r}, not with its own nonce {self.nonce}"
        hint = "did the model's last user message, or X-Chatbench-Tag, hold the message's tag?"
        expect(text.startswith(self.nonce), f"{begins}; {hint}")
        expect(END_MARKER in text, f"the answer ends {text[-20:]!r}, not with {END_MARKER}")


class RestWorld:
    """A running REST target and the people who try it."""

    def __init__(self, base_url: str, *, seed: int, model_log: Path | None = None) -> None:
        self.base_url = base_url
        self.seed = seed
        self.model_log = model_log
        self.anonymous = Client(base_url)
        self.owner = self.seeded(OWNER)
        self.other = self.seeded(OTHER)
        self.talker = self.seeded(TALKER)
        self.reader = self.seeded(READER)
        self.moderator = self.seeded("moderator")
        self.admin = self.seeded("admin")

    def seeded(self, username: str) -> Client:
        """Return a browser with a seeded user's session."""
        return Client(self.base_url, session=session_token(self.seed, username))

    def message(self, text: str = "What is known of this?", **options: object) -> Message:
        """Return a new message; options as the model takes them behind the tag."""
        return Message(self.seed, text, **options)

    def conversation(self, client: Client, title: str | None = None) -> dict[str, Any]:
        """Create a conversation."""
        body = {} if title is None else {"title": title}
        answer = client.request("POST", "/api/conversations", body)
        return expect_shape(answer.json(201), CONVERSATION, "the new conversation")

    def ask(self, client: Client, conversation_id: str, message: Message) -> dict[str, Any]:
        """Send a message, take its answer whole and return it."""
        path = f"/api/conversations/{conversation_id}/messages"
        exchange = client.request("POST", path, {"content": message.content}).json(201)
        expect(set(exchange) == {"message", "answer"}, f"the exchange has the members {sorted(exchange)}")
        asked = expect_shape(exchange["message"], MESSAGE, "the message of the exchange")
        expect(asked["content"] == message.content, f"the message came back as {asked['content'][:80]!r}")
        return expect_shape(exchange["answer"], MESSAGE, "the answer of the exchange")

    def listen(self, client: Client, conversation_id: str, message: Message) -> list[Event]:
        """Send a message and return all events of its stream."""
        with client.stream(f"/api/conversations/{conversation_id}/messages", {"content": message.content}) as stream:
            expect(stream.answer.status == 200, f"the stream began with status {stream.answer.status}")
            return list(stream.events)

    def history(self, client: Client, conversation_id: str) -> list[dict[str, Any]]:
        """Return a conversation's messages."""
        results = client.request("GET", f"/api/conversations/{conversation_id}/messages").json()["results"]
        return [expect_shape(message, MESSAGE, "a message of the history") for message in results]

    @cached_property
    def shared(self) -> dict[str, Any]:
        """A conversation of the owner with one answer, read by everybody."""
        return self.conversation(self.owner, "Shared by the checks")

    @cached_property
    def shared_answer(self) -> dict[str, Any]:
        """The answer in the shared conversation."""
        return self.ask(self.owner, self.shared["id"], self.message(tokens=4, ttft_s=0, itl_s=0))

    def emission(self, tag: str, *, within_s: float) -> dict[str, Any]:
        """Return what the model logged of an answer; see the function of that name."""
        return emission(self.model_log, tag, within_s=within_s)


def emission(log: Path | None, tag: str, *, within_s: float) -> dict[str, Any]:
    """Return what the model logged of an answer; raises RefutedError where nothing is within ``within_s``."""
    deadline = time.monotonic() + within_s
    while log is not None and time.monotonic() < deadline:
        for line in reversed(log.read_text(encoding="utf-8").splitlines()) if log.exists() else ():
            if tag in line and line.endswith("}"):
                return dict(json.loads(line))
        time.sleep(0.05)
    raise RefutedError(f"the model still spoke {within_s:.0f} s later: its log has no line for this answer")
