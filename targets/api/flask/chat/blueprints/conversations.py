"""A user's conversations."""

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify
from flask_login import current_user, login_required
from sqlalchemy import delete, select

from chat.blueprints.pages import page_of
from chat.extensions import cache, db
from chat.models import Conversation, Message, now
from chat.problems import refuse
from chat.schemas import ExportQuery, ListQuery, NewConversation, Rename, body, query

bp = Blueprint("conversations", __name__, url_prefix="/api/conversations")


@bp.get("")
@login_required
def index() -> dict[str, Any]:
    """List one's own, the last updated first."""
    wanted = query(ListQuery)
    rows = select(Conversation).where(Conversation.owner_id == current_user.id)
    if wanted.search:
        rows = rows.where(Conversation.title.icontains(wanted.search, autoescape=True))
    return page_of(rows.order_by(Conversation.updated_at.desc(), Conversation.id), int(wanted.page))


@bp.post("")
@login_required
def create() -> tuple[dict[str, Any], int]:
    """Begin one; a body is not needed."""
    given = body(NewConversation)
    moment = now()
    conversation = Conversation(owner_id=current_user.id, title=given.title, created_at=moment, updated_at=moment)
    db.session.add(conversation)
    db.session.commit()
    return conversation.as_dict(), 201


@bp.get("/<uuid:id>")
@login_required
def show(id: uuid.UUID) -> dict[str, Any]:
    """Show one."""
    return readable(id).as_dict()


@bp.patch("/<uuid:id>")
@login_required
def rename(id: uuid.UUID) -> dict[str, Any]:
    """Rename one's own; that does not count as an update of its messages."""
    conversation = own(id)
    conversation.title = body(Rename).title
    db.session.commit()
    return conversation.as_dict()


@bp.delete("/<uuid:id>")
@login_required
def remove(id: uuid.UUID) -> tuple[str, int]:
    """Delete one's own, its messages and what is remembered of it."""
    conversation = own(id)
    cache.forget_conversation(id)
    db.session.execute(delete(Conversation).where(Conversation.id == conversation.id))  # messages go with it
    db.session.commit()
    return "", 204


@bp.get("/<uuid:id>/messages")
@login_required
def messages(id: uuid.UUID) -> dict[str, Any]:
    """Show all messages, oldest first; hidden text only to those who moderate."""
    readable(id)
    return {"results": [message.as_dict(reveal=current_user.moderates) for message in _messages_of(id)]}


@bp.get("/<uuid:id>/export")
@login_required
def export(id: uuid.UUID) -> Response:
    """Download one's own as JSON or Markdown; what is hidden stays hidden."""
    kind = query(ExportQuery).format
    conversation = own(id)
    shown = [message.as_dict() for message in _messages_of(id)]
    if kind == "json":
        response = jsonify({**conversation.as_dict(), "messages": shown})
    else:
        text = as_markdown(conversation.title, shown)
        response = Response(text, content_type="text/markdown; charset=utf-8")
    suffix = "json" if kind == "json" else "md"
    response.headers["Content-Disposition"] = f'attachment; filename="conversation-{id}.{suffix}"'
    return response


def own(id: uuid.UUID) -> Conversation:
    """Return one's own conversation, or answer 404."""
    conversation = db.session.get(Conversation, id)
    if conversation is None or conversation.owner_id != current_user.id:
        refuse(404, "There is no such conversation.")
    return conversation


def readable(id: uuid.UUID) -> Conversation:
    """Return a conversation one may read, one's own or as a moderator anybody's, or answer 404."""
    conversation = db.session.get(Conversation, id)
    if conversation is None or (conversation.owner_id != current_user.id and not current_user.moderates):
        refuse(404, "There is no such conversation.")
    return conversation


def as_markdown(title: str, messages: list[dict[str, Any]]) -> str:
    """Return a conversation as a Markdown text."""
    parts = [f"# {title or 'Untitled'}"]
    for message in messages:
        text = "*hidden by a moderator*" if message["hidden"] else message["content"]
        parts.append(f"## {message['role']}, {message['created_at']}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def _messages_of(id: uuid.UUID) -> list[Message]:
    found = select(Message).where(Message.conversation_id == id).order_by(Message.created_at, Message.id)
    return list(db.session.scalars(found))
