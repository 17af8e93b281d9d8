"""Conversations: list, begin, show, rename, delete, export."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Response
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app import problems
from app.cache import Remembered
from app.database import Database
from app.identity import MODERATING, Acting, SignedIn
from app.json_body import JsonRoute
from app.paging import PageQuery, page_of
from app.schemas import Conversation, ConversationPage, Export, Message, NewConversation, Rename, Search, User
from app.tables import conversations, messages, now, updated_at

router = APIRouter(prefix="/api/conversations", tags=["conversations"], route_class=JsonRoute)
UNTITLED = NewConversation()
CONVERSATIONS = select(conversations, updated_at)


async def readable(connection: AsyncConnection, user: User, id: uuid.UUID, *, own: bool = False) -> Conversation:
    """Return a conversation the user may read: one's own; for who moderates anybody's, unless it must be one's own.

    Raises:
        HTTPException: 404, there is none.
    """
    row = (await connection.execute(CONVERSATIONS.where(conversations.c.id == id))).one_or_none()
    if row is None or (row.owner_id != user.id and (own or user.role not in MODERATING)):
        raise HTTPException(404, "There is no such conversation.")
    return Conversation.model_validate(row)


async def messages_of(connection: AsyncConnection, id: uuid.UUID) -> Any:
    """Return the rows of a conversation's messages, oldest first."""
    query = select(messages).where(messages.c.conversation_id == id)
    return await connection.execute(query.order_by(messages.c.created_at, messages.c.id))


@router.get(
    "",
    operation_id="listConversations",
    summary="One's own conversations, the last updated first, 50 a page.",
    responses=problems.responses(400, 401, 404, 503),
)
async def list_conversations(
    user: SignedIn,
    database: Database,
    page: PageQuery,
    search: Annotated[Search, Query(description="Part of the title, any case.")] = "",
) -> ConversationPage:
    """Show a page of them, or of those whose title contains the search text."""
    query = CONVERSATIONS.where(conversations.c.owner_id == user.id)
    if search:
        query = query.where(conversations.c.title.icontains(search, autoescape=True))
    ordered = query.order_by(updated_at.desc(), conversations.c.id)
    return ConversationPage.model_validate(await page_of(database, ordered, page))


@router.post(
    "",
    operation_id="createConversation",
    summary="Begin a conversation; without a title the first message gives it one (its first 60 characters).",
    status_code=201,
    responses=problems.responses(400, 401, 403, 413, 415, 503),
)
async def create_conversation(user: Acting, database: Database, given: NewConversation = UNTITLED) -> Conversation:
    """Begin one; a body is not needed."""
    moment = now()
    conversation = Conversation(id=uuid.uuid4(), title=given.title, created_at=moment, updated_at=moment)
    row = {"id": conversation.id, "owner_id": user.id, "title": given.title, "created_at": moment}
    async with database.write() as connection:
        await connection.execute(insert(conversations), row)
    return conversation


@router.get(
    "/{id}",
    operation_id="getConversation",
    summary="One conversation; moderators and admins may read anybody's.",
    responses=problems.responses(401, 404, 503),
)
async def get_conversation(id: uuid.UUID, user: SignedIn, database: Database) -> Conversation:
    """Show one."""
    async with database.read() as connection:
        return await readable(connection, user, id)


@router.patch(
    "/{id}",
    operation_id="renameConversation",
    summary="Rename one's own conversation.",
    responses=problems.responses(400, 401, 403, 404, 413, 415, 503),
)
async def rename_conversation(id: uuid.UUID, given: Rename, user: Acting, database: Database) -> Conversation:
    """Rename one; that does not count as an update of its messages."""
    mine = (conversations.c.id == id) & (conversations.c.owner_id == user.id)
    async with database.write() as connection:
        await connection.execute(update(conversations).where(mine).values(title=given.title))
        return await readable(connection, user, id, own=True)


@router.delete(
    "/{id}",
    operation_id="deleteConversation",
    summary="Delete one's own conversation and its messages.",
    status_code=204,
    responses=problems.responses(401, 403, 404, 503),
)
async def delete_conversation(id: uuid.UUID, user: Acting, database: Database, cache: Remembered) -> None:
    """Delete it with its messages and what is remembered of it."""
    mine = (conversations.c.id == id) & (conversations.c.owner_id == user.id)
    async with database.write() as connection:
        found = await connection.execute(delete(conversations).where(mine))
    if not found.rowcount:
        raise HTTPException(404, "There is no such conversation.")
    await cache.forget(id)


@router.get(
    "/{id}/export",
    operation_id="exportConversation",
    summary="Download one's own conversation.",
    response_model=Export,
    responses={
        200: {
            "description": "The conversation as an attachment.",
            "content": {"text/markdown": {"schema": {"type": "string"}}},
            "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
        },
        **problems.responses(400, 401, 404, 503),
    },
)
async def export_conversation(
    id: uuid.UUID,
    user: SignedIn,
    database: Database,
    response: Response,
    format: Annotated[Literal["json", "markdown"], Query()] = "json",
) -> Export | Response:
    """Give it as a file; the text of hidden answers stays hidden for every role."""
    async with database.read() as connection:
        conversation = await readable(connection, user, id, own=True)
        said = [Message.seen(row) for row in await messages_of(connection, id)]
    name = f"conversation-{id}.{'json' if format == 'json' else 'md'}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    if format == "markdown":
        return Response(as_markdown(conversation.title, said), headers=disposition, media_type="text/markdown")
    response.headers.update(disposition)
    return Export(**conversation.model_dump(), messages=said)


def as_markdown(title: str, said: list[Message]) -> str:
    """Return a conversation as a Markdown text."""
    parts = [f"# {title or 'Untitled'}"]
    for message in said:
        text = "*hidden by a moderator*" if message.hidden else message.content
        moment = message.created_at.isoformat().replace("+00:00", "Z")
        parts.append(f"## {message.role}, {moment}\n\n{text}")
    return "\n\n".join(parts) + "\n"
