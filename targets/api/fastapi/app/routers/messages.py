"""Messages: list, send, rate, hide."""

import uuid
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app import exchange, problems
from app.cache import Remembered, seconds_left
from app.database import Database
from app.identity import MODERATING, Acting, Moderator, SignedIn
from app.json_body import JsonRoute
from app.routers.conversations import messages_of, readable
from app.schemas import Exchange, FeedbackChange, HideChange, Message, MessageList, NewMessage
from app.tables import conversations, messages

router = APIRouter(prefix="/api", route_class=JsonRoute)
STREAM: dict[str, Any] = {
    "description": (
        "Server-sent events. `event: message` with `MessageEvent`, `event: token` with `TokenEvent`, `event: done` "
        "with `DoneEvent`, `event: error` with `Problem`; `data` is one line of JSON."
    ),
    "headers": {
        "Cache-Control": {"schema": {"type": "string", "const": "no-cache"}},
        "X-Accel-Buffering": {"schema": {"type": "string", "const": "no"}},
    },
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/conversations/{id}/messages",
    tags=["messages"],
    operation_id="listMessages",
    summary="All messages of a conversation, oldest first; moderators and admins may read anybody's.",
    responses=problems.responses(401, 404, 503),
)
async def list_messages(id: uuid.UUID, user: SignedIn, database: Database) -> MessageList:
    """Show all; the text of a hidden answer only to who moderates."""
    reveal = user.role in MODERATING
    async with database.read() as connection:
        await readable(connection, user, id)
        return MessageList(results=[Message.seen(row, reveal=reveal) for row in await messages_of(connection, id)])


@router.post(
    "/conversations/{id}/messages",
    tags=["messages"],
    operation_id="sendMessage",
    summary="Send a message; the answer streams in (SSE) or comes whole (JSON), as `Accept` says.",
    status_code=201,
    response_model=Exchange,
    responses={200: STREAM, **problems.responses(400, 401, 403, 404, 413, 415, 429, 502, 503, 504)},
)
async def send_message(
    id: uuid.UUID, given: NewMessage, request: Request, user: Acting, database: Database, cache: Remembered
) -> Exchange | exchange.EventStream:
    """Save the message, then relay the answer; no database connection is held meanwhile."""
    count, remembered = await cache.count_message(user.id, id)
    limit = request.state.settings.rate_limit_per_minute
    if count > limit:
        wait_s = seconds_left()
        detail = f"{limit} messages a minute are allowed; try again in {wait_s} s."
        raise HTTPException(429, detail, {"Retry-After": str(wait_s)})
    started = await exchange.begin(database, cache, user, id, given.content, remembered)
    relay = exchange.Relay(request.state.model, database, cache, started)
    if "text/event-stream" in request.headers.get("Accept", ""):
        return exchange.EventStream(relay.events())
    return await relay.whole(request)


async def change_answer(connection: AsyncConnection, which: ColumnElement[bool], **values: object) -> Any:
    """Change an answer and return its row.

    Raises:
        HTTPException: 404, there is no such message; InvalidError: it is a user's.
    """
    role = (await connection.execute(select(messages.c.role).where(which))).scalar_one_or_none()
    if role is None:
        raise HTTPException(404, "There is no such message.")
    if role != "assistant":
        raise problems.InvalidError("non_field_errors", "Only answers are rated or hidden.")
    return (await connection.execute(update(messages).where(which).values(values).returning(messages))).one()


@router.put(
    "/messages/{id}/feedback",
    tags=["messages"],
    operation_id="setFeedback",
    summary="Thumbs up, thumbs down or neither on an answer in one's own conversation.",
    responses=problems.responses(400, 401, 403, 404, 413, 415, 503),
)
async def set_feedback(id: uuid.UUID, given: FeedbackChange, user: Acting, database: Database) -> Message:
    """Rate an answer, or take the rating back."""
    mine = messages.c.conversation_id.in_(select(conversations.c.id).where(conversations.c.owner_id == user.id))
    async with database.write() as connection:
        answer = await change_answer(connection, (messages.c.id == id) & mine, feedback=given.value)
    return Message.seen(answer, reveal=user.role in MODERATING)


@router.post(
    "/messages/{id}/hide",
    tags=["moderation"],
    operation_id="hideMessage",
    summary="Hide or show an answer of anybody's conversation (moderator, admin).",
    responses=problems.responses(400, 401, 403, 404, 413, 415, 503),
)
async def hide_message(
    id: uuid.UUID, given: HideChange, moderator: Moderator, database: Database, cache: Remembered
) -> Message:
    """Hide or show an answer; the model is not reminded of a hidden one."""
    async with database.write() as connection:
        answer = await change_answer(connection, messages.c.id == id, hidden=given.hidden)
    await cache.forget(answer.conversation_id)
    return Message.seen(answer, reveal=True)
