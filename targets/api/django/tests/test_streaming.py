"""Sending messages: events, interruptions, limits; the ASGI application itself against a model on a real socket."""

import asyncio
import json
import time
from typing import Any
from unittest.mock import patch

from asgiref.testing import ApplicationCommunicator
from chat import exchange, language_model
from chat.models import Conversation, Message
from config.asgi import application
from django.conf import settings
from django.test import override_settings

from tests.model import FakeModel
from tests.users import CSRF, UsersTestCase

WAIT_S = 10


class Sending:
    """One POST of a message through the ASGI application."""

    def __init__(self, session: str, path: str, body: dict[str, Any], accept: str = "text/event-stream") -> None:
        headers = {
            "accept": accept,
            "content-type": "application/json",
            "cookie": f"sessionid={session}; csrftoken={CSRF}",
            "x-csrftoken": CSRF,
            "host": "testserver",
        }
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.communicator = ApplicationCommunicator(application, scope)
        self.body = json.dumps(body).encode()
        self.received = b""

    async def start(self) -> dict[str, Any]:
        """Send the request and return the start of the response."""
        await self.communicator.send_input({"type": "http.request", "body": self.body})
        started: dict[str, Any] = await self.communicator.receive_output(WAIT_S)
        return started

    async def more(self) -> bool:
        """Receive the next part of the body; False at its end."""
        part = await self.communicator.receive_output(WAIT_S)
        self.received += part.get("body", b"")
        return bool(part.get("more_body"))

    async def whole(self) -> bytes:
        """Receive the body to its end and return it."""
        while await self.more():
            pass
        await self.communicator.wait(WAIT_S)
        return self.received

    async def rest(self) -> list[tuple[str, Any]]:
        """Receive the body to its end and return its events."""
        return events_of(await self.whole())

    async def leave(self) -> None:
        """Close the connection as a browser does."""
        await self.communicator.send_input({"type": "http.disconnect"})
        await self.communicator.wait(WAIT_S)


def events_of(body: bytes) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in body.decode().split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


class StreamingTestCase(UsersTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session = self.api("ann").cookies["sessionid"].value

    def sending(self, content: Any, **options: str) -> Sending:
        return Sending(self.session, f"{self.path}/messages", {"content": content}, **options)

    def stored(self) -> list[tuple[str, str]]:
        return list(Message.objects.filter(conversation=self.conversation).values_list("role", "content"))[2:]

    async def exchange_with(self, model: FakeModel, content: str = "Hello", **options: str) -> Sending:
        """Send one message to the model and read the whole answer."""
        async with model:
            with patch.object(language_model, "URL", model.url):
                sending = self.sending(content, **options)
                self.start = await sending.start()
                self.events = await sending.rest() if "event-stream" in options.get("accept", "event-stream") else []
                if not self.events:
                    await sending.whole()
        return sending


class StreamingTests(StreamingTestCase):
    async def test_events_carry_the_answer_unchanged_and_in_order(self) -> None:
        texts = ["nonce ", "سلام ", "👋 <b>", '"\\\n\n"', "[end]"]
        await self.exchange_with(FakeModel(texts))
        headers = {name.lower(): value for name, value in self.start["headers"]}
        self.assertEqual(self.start["status"], 200)
        self.assertEqual(headers[b"content-type"], b"text/event-stream")
        self.assertEqual(headers[b"x-accel-buffering"], b"no")
        self.assertEqual([name for name, _ in self.events], ["message", *["token"] * 5, "done"])
        self.assertEqual([data["text"] for _, data in self.events[1:-1]], texts)
        answer = self.events[-1][1]["message"]
        self.assertEqual(answer["id"], self.events[0][1]["answer_id"])
        self.assertEqual(answer["content"], "".join(texts))
        stored = await asyncio.to_thread(self.stored)
        self.assertEqual(stored, [("user", "Hello"), ("assistant", "".join(texts))])

    async def test_message_event_and_first_token_do_not_wait_for_the_rest(self) -> None:
        model = FakeModel(["first ", 0.5, "last"])
        async with model:
            with patch.object(language_model, "URL", model.url):
                sending = self.sending("Hello")
                await sending.start()
                before = time.monotonic()
                while b"first" not in sending.received:
                    await sending.more()
                self.assertLess(time.monotonic() - before, 0.4)
                self.assertNotIn(b"last", sending.received)
                await sending.rest()

    async def test_model_is_sent_the_conversation_without_hidden_answers(self) -> None:
        await asyncio.to_thread(Message.objects.filter(pk=self.answer.pk).update, hidden=True)
        model = FakeModel(["yes"])
        await self.exchange_with(model)
        await self.exchange_with(second := FakeModel(["no"]), "And now?")
        self.assertEqual(
            model.requests[0],
            {
                "model": settings.LLM_MODEL,
                "stream": True,
                "messages": [{"role": "user", "content": "Where to?"}, {"role": "user", "content": "Hello"}],
            },
        )
        self.assertEqual(
            [m["content"] for m in second.requests[0]["messages"]], ["Where to?", "Hello", "yes", "And now?"]
        )

    async def test_only_the_last_twenty_messages_are_sent(self) -> None:
        for number in range(12):
            await self.exchange_with(model := FakeModel([f"answer {number}"]), f"question {number}")
        sent = [message["content"] for message in model.requests[0]["messages"]]
        self.assertEqual(len(sent), 20)
        self.assertEqual(sent[-3:], ["question 10", "answer 10", "question 11"])

    async def test_client_that_leaves_cancels_the_model_and_keeps_what_came(self) -> None:
        model = FakeModel(["some ", *[0.05, "more "] * 200])
        async with model:
            with patch.object(language_model, "URL", model.url):
                sending = self.sending("Hello")
                await sending.start()
                while b"some" not in sending.received:
                    await sending.more()
                await sending.leave()
                await asyncio.wait_for(model.left.wait(), 1)
        stored = await asyncio.to_thread(self.stored)
        self.assertEqual(stored[0], ("user", "Hello"))
        self.assertTrue(stored[1][1].startswith("some"))
        self.assertLess(len(stored[1][1]), 500)

    async def test_answer_that_breaks_off_is_an_error_and_is_kept(self) -> None:
        await self.exchange_with(FakeModel(["half"], finish=False))
        self.assertEqual(self.events[-1][0], "error")
        self.assertEqual(self.events[-1][1]["status"], 502)
        self.assertEqual(await asyncio.to_thread(self.stored), [("user", "Hello"), ("assistant", "half")])

    async def test_failures_of_the_model_are_error_events(self) -> None:
        for model in (
            FakeModel([], status="500 Oops"),
            FakeModel([], status="429 Slow down"),
            FakeModel([b'data: {"error": {"message": "no"}}\n\n']),
            FakeModel([b"data: {nonsense\n\n"]),
        ):
            await self.exchange_with(model)
            self.assertEqual([name for name, _ in self.events], ["message", "error"])
            self.assertEqual(self.events[1][1]["status"], 502)
        self.assertEqual([role for role, _ in await asyncio.to_thread(self.stored)], ["user"] * 4)

    async def test_silent_model_is_a_timeout(self) -> None:
        with override_settings(LLM_SILENCE_TIMEOUT_S=0.2):
            await self.exchange_with(FakeModel([1.0, "late"]))
        self.assertEqual(self.events[-1][1]["status"], 504)

    async def test_unreachable_model_is_an_error_event(self) -> None:
        sending = self.sending("Hello")
        await sending.start()
        events = await sending.rest()
        self.assertEqual(events[-1][1]["status"], 502)
        await language_model.close()

    async def test_json_clients_get_the_whole_answer(self) -> None:
        sending = await self.exchange_with(FakeModel(["a ", "b"]), accept="application/json")
        self.assertEqual(self.start["status"], 201)
        self.assertEqual(json.loads(sending.received)["answer"]["content"], "a b")
        sending = await self.exchange_with(FakeModel([], status="500 Oops"), accept="application/json")
        self.assertEqual((self.start["status"], json.loads(sending.received)["status"]), (502, 502))

    async def test_first_message_names_an_untitled_conversation(self) -> None:
        untitled = await Conversation.objects.acreate(owner=self.users["ann"])
        self.path = f"/api/conversations/{untitled.pk}"
        await self.exchange_with(FakeModel(["ok"]), "  What\nis  " + "x" * 100)
        began = self.events[0][1]
        await untitled.arefresh_from_db()
        self.assertEqual(untitled.title, ("What is " + "x" * 100)[:60])
        self.assertEqual(began["conversation"]["title"], untitled.title)
        self.assertEqual(began["conversation"]["updated_at"], began["message"]["created_at"])
        await Conversation.objects.filter(pk=untitled.pk).aupdate(title="Renamed")
        await self.exchange_with(FakeModel(["ok"]), "Not a title")
        self.assertEqual(self.events[0][1]["conversation"]["title"], "Renamed")


class RefusalTests(StreamingTestCase):
    async def status(self, content: Any) -> int:
        sending = self.sending(content)
        start = await sending.start()
        self.headers = {name.lower(): value for name, value in start["headers"]}
        await sending.whole()
        self.assertEqual(self.headers[b"content-type"], b"application/problem+json")
        return int(start["status"])

    async def test_bad_content_is_refused_before_the_stream(self) -> None:
        for content in ("", "  \n", 5, None, "a\0b", "x" * 100_001):
            self.assertEqual(await self.status(content), 400)
        self.assertEqual(await asyncio.to_thread(self.stored), [])

    async def test_strangers_are_refused(self) -> None:
        self.session = "0" * 32
        self.assertEqual(await self.status("Hello"), 401)

    async def test_messages_beyond_the_limit_are_refused(self) -> None:
        with override_settings(RATE_LIMIT_PER_MINUTE=1):
            for _ in range(3):  # a minute may end in between
                sending = self.sending("Hello")
                start = await sending.start()
                await sending.whole()
                if start["status"] == 429:
                    break
        self.assertEqual(start["status"], 429)
        self.assertIn(b"retry-after", {name.lower() for name, _ in start["headers"]})
        await language_model.close()

    async def test_answer_to_a_deleted_conversation_is_dropped(self) -> None:
        message = await asyncio.to_thread(exchange.save_message, self.users["ann"], self.conversation.pk, "Hello")
        await self.conversation.adelete()
        await asyncio.to_thread(exchange.finish, exchange.Exchange(message, []), "late")
        self.assertEqual(await Message.objects.acount(), 0)
