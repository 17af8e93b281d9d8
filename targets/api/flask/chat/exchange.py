"""The database side of a message and its answer: before the stream, and after it."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import String, bindparam, case, insert, select, update

from chat import limits
from chat.extensions import cache, db
from chat.models import DERIVED_TITLE_CHARS, Conversation, Message, now
from chat.problems import refuse

# Every message needs these, so they are built once, on the tables: putting a statement together and passing it through
# the unit of work takes longer than the database does.
_conversations, _messages = Conversation.__table__.c, Message.__table__.c
ADD_MESSAGE = insert(Message.__table__)
_TOUCH_ONE = update(Conversation.__table__).where(_conversations.id == bindparam("conversation"))
TOUCH = _TOUCH_ONE.values(updated_at=bindparam("moment"))
TOUCH_OWN = (
    _TOUCH_ONE.where(_conversations.owner_id == bindparam("owner"))
    .values(
        updated_at=bindparam("moment"),
        title=case((_conversations.title == "", bindparam("derived_title", type_=String)), else_=_conversations.title),
    )
    .returning(_conversations.title, _conversations.created_at)
)
LAST_MESSAGES = (
    select(_messages.role, _messages.content)
    .where(_messages.conversation_id == bindparam("conversation"), _messages.hidden.is_(False))
    .order_by(_messages.created_at.desc(), _messages.id.desc())
    .limit(bindparam("count"))
)


@dataclass(slots=True)
class Exchange:
    """A saved message and the answer to come."""

    message: Message
    conversation: Conversation  # as it is with the message
    context: list[dict[str, str]]  # what the model is sent, this message included
    answer_id: uuid.UUID = field(default_factory=uuid.uuid4)


def begin(user_id: int, conversation_id: uuid.UUID, content: str) -> Exchange:
    """Count a message and save it, or refuse it."""
    count, context = cache.count_and_recall(limits.message_counter(user_id), conversation_id)
    limits.check_messages(count)
    message, conversation = save_message(user_id, conversation_id, content)
    if context is None:
        context = stored_context(conversation_id)
        cache.begin_conversation(conversation_id, context[:-1])  # finish() adds this message with its answer
    else:
        context.append({"role": "user", "content": content})
    db.session.remove()  # nothing of the database is held while the answer streams
    return Exchange(message, conversation, context[-current_app.config["LLM_CONTEXT_MESSAGES"] :])


def save_message(user_id: int, conversation_id: uuid.UUID, content: str) -> tuple[Message, Conversation]:
    """Add a message to one's own conversation; the first one of an untitled conversation names it."""
    message = new_message(conversation_id, "user", content, id=uuid.uuid4(), created_at=now())
    connection = db.session.connection()
    changes = {
        "conversation": conversation_id,
        "owner": user_id,
        "moment": message.created_at,
        "derived_title": " ".join(content.split())[:DERIVED_TITLE_CHARS],
    }
    stored = connection.execute(TOUCH_OWN, changes).one_or_none()
    if stored is None:
        db.session.rollback()
        refuse(404, "There is no such conversation.")
    connection.execute(ADD_MESSAGE, row_of(message))
    db.session.commit()
    title, created_at = stored
    conversation = Conversation(
        id=conversation_id, owner_id=user_id, title=title, created_at=created_at, updated_at=message.created_at
    )
    return message, conversation


def stored_context(conversation_id: uuid.UUID) -> list[dict[str, str]]:
    """Return the last messages of a conversation as the model is sent them; hidden answers are left out."""
    wanted = {"conversation": conversation_id, "count": current_app.config["LLM_CONTEXT_MESSAGES"]}
    last = db.session.connection().execute(LAST_MESSAGES, wanted)
    return [{"role": role, "content": content} for role, content in last][::-1]


def finish(exchange: Exchange, text: str) -> Message:
    """Save the answer as far as it got and return it; one that has not begun is not saved."""
    message = exchange.message
    conversation_id = message.conversation_id
    moment = max(now(), message.created_at + timedelta(microseconds=1))
    answer = new_message(conversation_id, "assistant", text, id=exchange.answer_id, created_at=moment)
    if not text:
        cache.forget_conversation(conversation_id)  # it lacks the message now
        return answer
    connection = db.session.connection()
    if connection.execute(TOUCH, {"conversation": conversation_id, "moment": moment}).rowcount:
        connection.execute(ADD_MESSAGE, row_of(answer))  # one deleted meanwhile stays deleted
    db.session.commit()
    db.session.remove()
    cache.add_messages(
        conversation_id, [{"role": "user", "content": message.content}, {"role": "assistant", "content": text}]
    )
    return answer


def new_message(conversation_id: uuid.UUID, role: str, content: str, **values: Any) -> Message:
    """Return a message that is not stored yet."""
    return Message(conversation_id=conversation_id, role=role, content=content, hidden=False, feedback=None, **values)


def row_of(message: Message) -> dict[str, Any]:
    """Return a message as a row of its table."""
    return {column.key: getattr(message, column.key) for column in _messages}
