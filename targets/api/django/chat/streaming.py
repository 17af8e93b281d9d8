"""Sending a message: a plain async view that relays the answer as it comes.

Django REST Framework's views are synchronous; one would hold a thread for as long as an answer streams. Here the
database is used in a thread before and after the stream, and no connection or thread is held in between.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from rest_framework.exceptions import APIException

from chat import exchange, language_model, problems
from chat.conversations import MessageList
from chat.exchange import Exchange
from chat.models import Message
from chat.serializers import conversation_data, message_data
from chat.threads import in_thread, threaded

list_messages = threaded(MessageList.as_view({"get": "list"}))
_saving: set[asyncio.Task[Any]] = set()  # the event loop itself keeps only weak references


class EventStream(StreamingHttpResponse):
    """Server-sent events; Django reads the generator itself instead of two more wrapped around it."""

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(events, content_type="text/event-stream", headers=headers)

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._iterator


async def messages(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """List a conversation's messages, or send one."""
    if request.method in ("GET", "HEAD"):
        return await list_messages(request, id=id)
    if request.method != "POST":
        return problems.response(405, "Use GET or POST.", headers={"Allow": "GET, POST, HEAD"})
    try:
        started = await in_thread(exchange.begin, request, id)
    except (APIException, RequestDataTooBig) as exc:
        return problems.from_exception(exc)
    if "text/event-stream" in request.headers.get("Accept", ""):
        return EventStream(events(started))
    return await whole(started)


async def events(started: Exchange) -> AsyncGenerator[bytes, None]:
    """Yield the events of one exchange; what arrived together leaves together."""
    message = started.message
    stored = {"message": message_data(message), "conversation": conversation_data(message.conversation)}
    yield event(b"message", {**stored, "answer_id": str(started.answer_id)})
    text: list[str] = []
    interrupted = True
    dumps = orjson.dumps
    answer = language_model.answer(started.context)
    try:
        async for pieces in answer:
            text += pieces
            yield b"".join([b'event: token\ndata: {"text":%b}\n\n' % dumps(piece) for piece in pieces])
        interrupted = False
        last = event(b"done", {"message": message_data(await save(started, text))})
    except language_model.LanguageModelError as exc:
        last = event(b"error", problems.document(exc.status, exc.detail))
    except problems.UNAVAILABLE as exc:
        last = event(b"error", problems.document(503, problems.unavailable(exc)))
    finally:
        await answer.aclose()
        if interrupted:
            await save(started, text)
    yield last


async def whole(started: Exchange) -> HttpResponse:
    """Return message and answer once the answer is complete."""
    text: list[str] = []
    interrupted = True
    answer = language_model.answer(started.context)
    try:
        async for pieces in answer:
            text += pieces
        interrupted = False
    except language_model.LanguageModelError as exc:
        return problems.response(exc.status, exc.detail)
    finally:
        await answer.aclose()
        if interrupted:
            await save(started, text)
    body = {"message": message_data(started.message), "answer": message_data(await save(started, text))}
    return HttpResponse(orjson.dumps(body), status=201, content_type="application/json")


async def save(started: Exchange, text: list[str]) -> Message:
    """Save an answer as far as it got; once begun this goes through, also when the client leaves meanwhile."""
    task = asyncio.create_task(in_thread(exchange.finish, started, "".join(text)))
    _saving.add(task)
    task.add_done_callback(_saving.discard)
    return await asyncio.shield(task)


def event(name: bytes, data: dict[str, Any]) -> bytes:
    """Return one server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name, orjson.dumps(data))
