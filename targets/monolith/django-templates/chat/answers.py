"""Sending a message: an async view that relays the answer as it comes.

The database is used in a thread before and after the stream; no thread and no connection is held in between.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from chat import access, exchange, language_model, limits, markup, problems
from chat.exchange import Exchange
from chat.threads import in_thread

PARAGRAPH = "\n\n"
_saving: set[asyncio.Task[Any]] = set()  # the event loop itself keeps only weak references


class EventStream(StreamingHttpResponse):
    """Server-sent events; Django reads the generator itself instead of two more wrapped around it."""

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(events, content_type="text/event-stream", headers=headers)

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._iterator


async def send(request: HttpRequest, id: uuid.UUID | None = None) -> HttpResponse:
    """Take a message: the page's script gets the answer as a stream, a plain form the page with the whole answer."""
    started = await in_thread(_begun, request, id)
    if isinstance(started, HttpResponse):
        return started
    if "text/event-stream" in request.headers.get("Accept", ""):
        return EventStream(events(started))
    return await whole(started)


def _begun(request: HttpRequest, id: uuid.UUID | None) -> Exchange | HttpResponse:
    if refusal := access.refused(request, ("POST",)):
        return refusal
    try:
        return exchange.begin(request, id)
    except exchange.InvalidError as exc:
        return problems.respond(request, 400, str(exc))
    except limits.LimitedError as exc:
        return problems.respond(request, 429, str(exc), **{"Retry-After": str(exc.wait_s)})


async def events(started: Exchange) -> AsyncGenerator[bytes, None]:
    """Yield the events of one exchange; what arrived together leaves together.

    Text goes out as it comes; whenever a paragraph is complete, everything so far goes out once more, rendered.
    """
    conversation = started.conversation
    yield event(b"message", {"title": str(conversation), "url": reverse("conversation", args=[conversation.pk])})
    text: list[str] = []
    unrendered = ""
    interrupted = True
    dumps = orjson.dumps
    answer = language_model.answer(started.context)
    try:
        async for pieces in answer:
            text += pieces
            unrendered += "".join(pieces)
            yield b"".join([b'event: token\ndata: {"text":%b}\n\n' % dumps(piece) for piece in pieces])
            if PARAGRAPH in unrendered:
                unrendered = unrendered.rpartition(PARAGRAPH)[2]
                complete = "".join(text)[: -len(unrendered) or None]
                yield event(b"rendered", {"html": await in_thread(markup.render, complete), "rest": unrendered})
        interrupted = False
        last = event(b"done", {"html": await save(started, text)})
    except language_model.LanguageModelError as exc:
        last = event(b"error", problems.document(exc.status, exc.detail))
    finally:
        await answer.aclose()
        if interrupted:
            await save(started, text)
    yield last


async def whole(started: Exchange) -> HttpResponse:
    """Show the conversation once the answer is complete."""
    text: list[str] = []
    problem = None
    answer = language_model.answer(started.context)
    try:
        async for pieces in answer:
            text += pieces
    except language_model.LanguageModelError as exc:
        problem = exc
    finally:
        await answer.aclose()
        await save(started, text)
    if problem is not None:
        return await in_thread(problems.respond, started.request, problem.status, problem.detail)
    return redirect("conversation", id=started.conversation.pk)


async def save(started: Exchange, text: list[str]) -> str:
    """Save an answer as far as it got; once begun this goes through, also when the client leaves meanwhile."""
    task = asyncio.create_task(in_thread(exchange.finish, started, "".join(text)))
    _saving.add(task)
    task.add_done_callback(_saving.discard)
    return await asyncio.shield(task)


def event(name: bytes, data: dict[str, Any]) -> bytes:
    """Return one server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name, orjson.dumps(data))
