"""One message and its answer: what is stored before and after, and the relay in between."""

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import orjson
from fastapi import HTTPException, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import bindparam, false, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import Send

from app import problems
from app.cache import CONTEXT_MESSAGES, Cache, Said
from app.database import Connections
from app.language_model import LanguageModel, LanguageModelError
from app.schemas import Conversation, DoneEvent, Message, MessageEvent, User
from app.schemas import Exchange as Exchanged
from app.tables import DERIVED_TITLE_CHARS, conversations, messages, now

# Built once: building a statement costs more than running it.
LAST_MESSAGES = (
    select(messages.c.role, messages.c.content)
    .where(messages.c.conversation_id == bindparam("conversation"), messages.c.hidden == false())
    .order_by(messages.c.created_at.desc(), messages.c.id.desc())
    .limit(CONTEXT_MESSAGES)
)
NAME = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"), conversations.c.title == "")
    .values(title=bindparam("name"))
)
STORED = select(conversations.c.title, conversations.c.created_at).where(
    conversations.c.id == bindparam("conversation")
)
# One statement: it inserts nothing where the conversation is somebody else's, or has been deleted meanwhile.
ADD_MESSAGE = (
    insert(messages)
    .from_select(
        ["id", "conversation_id", "role", "content", "created_at", "hidden"],
        select(
            bindparam("id", type_=messages.c.id.type),
            conversations.c.id,
            bindparam("role", type_=messages.c.role.type),
            bindparam("content", type_=messages.c.content.type),
            bindparam("created_at", type_=messages.c.created_at.type),
            false(),
        )
        .where(conversations.c.id == bindparam("conversation"), conversations.c.owner_id == bindparam("owner"))
        .with_for_update(read=True, key_share=True),  # PostgreSQL: wait for who is deleting it; SQLite has one writer
    )
    .execution_options(preserve_rowcount=True)
)


@dataclass(slots=True)
class Exchange:
    """A saved message and the answer to come."""

    user: User
    conversation: Conversation  # as it is with the message
    message: Message
    context: list[Said]  # what the model is sent, this message included
    answer_id: uuid.UUID = field(default_factory=uuid.uuid4)


async def begin(
    database: Connections,
    cache: Cache,
    user: User,
    conversation_id: uuid.UUID,
    content: str,
    remembered: list[Said] | None,
) -> Exchange:
    """Save a message; the first one of an untitled conversation names it.

    Raises:
        HTTPException: 404, the conversation is somebody else's, or there is none.
    """
    context = remembered if remembered is not None else await stored_context(database, conversation_id)
    message = Message(id=uuid.uuid4(), role="user", content=content, created_at=now(), hidden=False, feedback=None)
    async with database.write() as connection:
        if not await add(connection, user, conversation_id, message):
            raise HTTPException(404, "There is no such conversation.")
        if not context:
            name = " ".join(content.split())[:DERIVED_TITLE_CHARS]
            await connection.execute(NAME, {"conversation": conversation_id, "name": name})
        title, created_at = (await connection.execute(STORED, {"conversation": conversation_id})).one()
    if remembered is None:
        await cache.remember(conversation_id, context)  # finish() adds this message with its answer
    conversation = Conversation(id=conversation_id, title=title, created_at=created_at, updated_at=message.created_at)
    said: Said = {"role": "user", "content": content}
    return Exchange(user, conversation, message, [*context, said][-CONTEXT_MESSAGES:])


async def stored_context(database: Connections, conversation_id: uuid.UUID) -> list[Said]:
    """Return the last messages of a conversation as the model is sent them; hidden answers are left out."""
    async with database.read() as connection:
        last = await connection.execute(LAST_MESSAGES, {"conversation": conversation_id})
    return [{"role": role, "content": content} for role, content in last][::-1]


async def add(connection: AsyncConnection, user: User, conversation_id: uuid.UUID, message: Message) -> bool:
    """Add a message to one's own conversation; return whether there is such a one."""
    values = {
        "id": message.id,
        "conversation": conversation_id,
        "owner": user.id,
        "role": message.role,
        "content": message.content,
        "created_at": message.created_at,
    }
    return (await connection.execute(ADD_MESSAGE, values)).rowcount == 1


@dataclass(slots=True)
class Relay:
    """What an exchange needs once its message is saved."""

    model: LanguageModel
    database: Connections
    cache: Cache
    exchange: Exchange

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the server-sent events; what arrived together leaves together."""
        exchange = self.exchange
        asked = MessageEvent(message=exchange.message, answer_id=exchange.answer_id, conversation=exchange.conversation)
        yield event(b"message", asked.model_dump_json().encode())
        text: list[str] = []
        dumps = orjson.dumps
        interrupted = True
        try:
            async with aclosing(self.model.answer(exchange.context)) as answer:
                async for pieces in answer:
                    text += pieces
                    yield b"".join([b'event: token\ndata: {"text":%b}\n\n' % dumps(piece) for piece in pieces])
            interrupted = False
            done = DoneEvent(message=await self._save(text))
            last = event(b"done", done.model_dump_json().encode())
        except LanguageModelError as exc:
            last = event(b"error", dumps(problems.document(exc.status, exc.detail)))
        except problems.UNAVAILABLE as exc:
            last = event(b"error", dumps(problems.document(503, problems.unavailable(exc))))
        finally:
            if interrupted:
                await self._save(text)
        yield last

    async def whole(self, request: Request) -> Exchanged:
        """Return message and answer once the answer is complete; a client that leaves cancels it.

        Raises:
            HTTPException: 502 or 504, the model failed.
        """
        text: list[str] = []
        failure: LanguageModelError | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_when_left, request, tasks.cancel_scope)
            try:
                async with aclosing(self.model.answer(self.exchange.context)) as answer:
                    async for pieces in answer:
                        text += pieces
            except LanguageModelError as exc:
                failure = exc
            finally:
                saved = await self._save(text)
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise HTTPException(failure.status, failure.detail) from failure
        return Exchanged(message=self.exchange.message, answer=saved)

    async def _save(self, text: list[str]) -> Message:
        """Save an answer as far as it got; this goes through, also when the client leaves meanwhile."""
        with anyio.CancelScope(shield=True):
            return await finish(self.database, self.cache, self.exchange, "".join(text))


async def finish(database: Connections, cache: Cache, exchange: Exchange, text: str) -> Message:
    """Save the answer and return it; one that has not begun is not saved."""
    message, conversation_id = exchange.message, exchange.conversation.id
    answer = Message(
        id=exchange.answer_id,
        role="assistant",
        content=text,
        created_at=max(now(), message.created_at + timedelta(microseconds=1)),
        hidden=False,
        feedback=None,
    )
    if not text:
        await cache.forget(conversation_id)  # it lacks the message now
        return answer
    async with database.write() as connection:
        await add(connection, exchange.user, conversation_id, answer)
    said: list[Said] = [{"role": "user", "content": message.content}, {"role": "assistant", "content": text}]
    await cache.add(conversation_id, said)
    return answer


async def _cancel_when_left(request: Request, scope: anyio.CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def event(name: bytes, data: bytes) -> bytes:
    """Return one server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name, data)


class EventStream(StreamingResponse):
    """Server-sent events; when the client leaves, the generator is closed at once, not when it is collected."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        # Named in full: Starlette would add a charset, and this type has none.
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(events, headers=headers)

    async def stream_response(self, send: Send) -> None:
        """Send the events, then close the generator."""
        async with aclosing(self.body_iterator):  # type: ignore[type-var]  # it is one of ours
            await super().stream_response(send)
