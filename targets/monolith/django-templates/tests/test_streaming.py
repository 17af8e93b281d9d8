"""Sending messages: events, interruptions, limits; the ASGI application itself against a model on a real socket."""

import asyncio
import json
import time
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from asgiref.testing import ApplicationCommunicator
from chat import language_model
from chat.models import Conversation, Message
from config.asgi import application
from django.conf import settings
from django.test import override_settings

from tests.model import FakeModel
from tests.users import UsersTestCase

WAIT_S = 10
CSRF = "abcdefghijklmnopqrstuvwxyz012345"


class Sending:
    """One POST of a message's form through the ASGI application."""

    def __init__(self, session: str, path: str, content: str, accept: str = "text/event-stream") -> None:
        headers = {
            "accept": accept,
            "content-type": "application/x-www-form-urlencoded",
            "cookie": f"sessionid={session}; csrftoken={CSRF}",
            "host": "testserver",
        }
        self.body = urlencode({"csrfmiddlewaretoken": CSRF, "content": content}).encode()
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.communicator = ApplicationCommunicator(application, scope)
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

    async def leave(self) -> None:
        """Close the connection as a browser does."""
        await self.communicator.send_input({"type": "http.disconnect"})
        await self.communicator.wait(WAIT_S)


def events_of(body: bytes) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in body.decode().split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


class StreamingTests(UsersTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session = self.browser("ann").cookies["sessionid"].value

    def stored(self) -> list[tuple[str, str]]:
        return list(Message.objects.filter(conversation=self.conversation).values_list("role", "content"))[2:]

    async def ask(
        self, model: FakeModel, content: str = "Hello", path: str = "", accept: str = "text/event-stream"
    ) -> Any:
        """Send one message to the model; return the start of the response and its body."""
        async with model:
            with patch.object(language_model, "URL", model.url):
                sending = Sending(self.session, path or f"{self.path}/messages", content, accept)
                start = await sending.start()
                return start, await sending.whole()

    async def test_events_carry_the_answer_unchanged_and_in_order_and_its_page_at_the_end(self) -> None:
        texts = ["nonce ", "سلام ", "👋 <b>", '"\\"', "**[end]**"]
        start, body = await self.ask(FakeModel(texts))
        events = events_of(body)
        headers = dict(start["headers"])
        self.assertEqual(start["status"], 200)
        self.assertEqual(headers[b"Content-Type"], b"text/event-stream")
        self.assertEqual(headers[b"X-Accel-Buffering"], b"no")
        self.assertEqual([name for name, _ in events], ["message", *["token"] * 5, "done"])
        self.assertEqual([data["text"] for _, data in events[1:-1]], texts)
        self.assertIn("<strong>[end]</strong>", events[-1][1]["html"])
        self.assertIn("&lt;b&gt;", events[-1][1]["html"])
        stored = await asyncio.to_thread(self.stored)
        self.assertEqual(stored, [("user", "Hello"), ("assistant", "".join(texts))])

    async def test_complete_paragraphs_are_rendered_while_the_rest_still_comes(self) -> None:
        _, body = await self.ask(FakeModel(["# Sea\n\n", 0.3, "some *text", "*\n\n", "tail"]))
        rendered = [data for name, data in events_of(body) if name == "rendered"]
        self.assertEqual(rendered[0]["html"].strip(), "<h2>Sea</h2>")
        self.assertIn("<em>text</em>", rendered[-1]["html"])
        self.assertNotIn("tail", rendered[-1]["html"])

    async def test_first_token_does_not_wait_for_the_rest(self) -> None:
        model = FakeModel(["first ", 0.5, "last"])
        async with model:
            with patch.object(language_model, "URL", model.url):
                sending = Sending(self.session, f"{self.path}/messages", "Hello")
                await sending.start()
                while b"first" not in sending.received:
                    await sending.more()
                self.assertNotIn(b"last", sending.received)
                await sending.whole()

    async def test_model_is_sent_the_conversation_without_hidden_answers(self) -> None:
        await asyncio.to_thread(Message.objects.filter(pk=self.answer.pk).update, hidden=True)
        model = FakeModel(["yes"])
        await self.ask(model)
        sent = [{"role": "user", "content": "Where to?"}, {"role": "user", "content": "Hello"}]
        self.assertEqual(model.requests, [{"model": settings.LLM_MODEL, "stream": True, "messages": sent}])

    async def test_leaving_cancels_the_model_and_keeps_what_came(self) -> None:
        model = FakeModel(["some ", 30.0, "more"])
        async with model:
            with patch.object(language_model, "URL", model.url):
                sending = Sending(self.session, f"{self.path}/messages", "Hello")
                await sending.start()
                while b"some" not in sending.received:
                    await sending.more()
                await sending.leave()
                await asyncio.wait_for(model.left.wait(), 1.0)
        deadline = time.monotonic() + WAIT_S
        while len(stored := await asyncio.to_thread(self.stored)) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self.assertEqual(stored, [("user", "Hello"), ("assistant", "some ")])

    async def test_a_model_that_fails_is_said_and_what_came_is_kept(self) -> None:
        _, body = await self.ask(FakeModel([], status="500 Broken"))
        name, data = events_of(body)[-1]
        self.assertEqual((name, data["status"]), ("error", 502))
        self.assertEqual(await asyncio.to_thread(self.stored), [("user", "Hello")])
        _, body = await self.ask(FakeModel(["half "], finish=False))
        self.assertEqual(events_of(body)[-1][0], "error")
        self.assertEqual((await asyncio.to_thread(self.stored))[-1], ("assistant", "half "))

    async def test_without_a_script_the_form_leads_to_the_whole_answer(self) -> None:
        start, _ = await self.ask(FakeModel(["all of it"]), accept="text/html")
        self.assertEqual((start["status"], dict(start["headers"])[b"Location"]), (302, self.path.encode()))
        self.assertEqual((await asyncio.to_thread(self.stored))[-1], ("assistant", "all of it"))

    async def test_a_first_message_begins_and_names_a_conversation(self) -> None:
        start, _ = await self.ask(FakeModel(["yes"]), "What\n is  this?", "/messages", "text/html")
        made = await asyncio.to_thread(Conversation.objects.exclude(pk=self.conversation.pk).get)
        self.assertEqual(made.title, "What is this?")
        self.assertEqual(dict(start["headers"])[b"Location"], f"/c/{made.pk}".encode())

    async def test_refusals_are_plain_answers_and_store_nothing(self) -> None:
        for content, status in (("", 400), (" \n ", 400), ("a\0b", 400), ("x" * 100_001, 400)):
            start, body = await self.ask(FakeModel(["no"]), content)
            self.assertEqual((start["status"], json.loads(body)["status"]), (status, status))
        self.session = "nobody"
        start, _ = await self.ask(FakeModel(["no"]))
        self.assertEqual(start["status"], 401)
        self.assertEqual(await asyncio.to_thread(self.stored), [])

    @override_settings(RATE_LIMIT_PER_MINUTE=2)
    async def test_messages_beyond_the_limit_are_refused_until_the_minute_is_over(self) -> None:
        statuses = [(await self.ask(FakeModel(["yes"])))[0] for _ in range(3)]
        self.assertEqual([start["status"] for start in statuses], [200, 200, 429])
        self.assertLessEqual(int(dict(statuses[-1]["headers"])[b"Retry-After"]), 60)

    async def test_any_text_is_stored_as_typed(self) -> None:
        for text in ("<script>x</script>", "مرحبا \u202e", "👩‍👩‍👧‍👦", "  two\n\nlines  ", "x" * 100_000):
            await self.ask(FakeModel(["ok"]), text.replace("\n", "\r\n"))
            self.assertEqual((await asyncio.to_thread(self.stored))[-2], ("user", text))

    async def test_more_answers_than_database_threads_stream_at_once(self) -> None:
        model = FakeModel(["some ", 0.3, "more"])
        async with model:
            with patch.object(language_model, "URL", model.url):
                path = f"{self.path}/messages"
                sendings = [Sending(self.session, path, "Hello") for _ in range(settings.DATABASE_THREADS + 3)]
                for sending in sendings:
                    await sending.start()
                for sending in sendings:
                    while b"some" not in sending.received:
                        await sending.more()
                    self.assertNotIn(b"more", sending.received)
                for sending in sendings:
                    self.assertIn(b"event: done", await sending.whole())
