"""The database side of one message and its answer; runs in a thread, before and after the stream."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import NotFound, UnsupportedMediaType

from chat import cache, json, limits
from chat.authentication import signed_in
from chat.models import DERIVED_TITLE_CHARS, Conversation, Message
from chat.serializers import NewMessage


@dataclass(slots=True)
class Exchange:
    """A saved message and the answer to come."""

    message: Message  # with its conversation, as both are stored now
    context: list[dict[str, str]]  # what the model is sent, this message included
    answer_id: uuid.UUID = field(default_factory=uuid.uuid4)


def begin(request: HttpRequest, conversation_id: uuid.UUID) -> Exchange:
    """Check everything about a message, then save it.

    Raises:
        APIException: the message is refused.
    """
    user = signed_in(request)
    if request.content_type != "application/json":
        raise UnsupportedMediaType(request.content_type or "none")
    given = NewMessage(data=json.parse(request.body))
    given.is_valid(raise_exception=True)
    count, context = cache.count_and_recall(limits.message_counter(user.pk), limits.this_minute(), conversation_id)
    limits.check_messages(count)
    message = save_message(user, conversation_id, given.validated_data["content"])
    if context is None:
        context = stored_context(conversation_id)
        cache.begin(conversation_id, context[:-1])  # finish() adds this message with its answer
    else:
        context.append({"role": "user", "content": message.content})
    return Exchange(message, context[-settings.LLM_CONTEXT_MESSAGES :])


def save_message(user: User, conversation_id: uuid.UUID, content: str) -> Message:
    """Add a message to one's own conversation; the first one of an untitled conversation names it.

    Raises:
        NotFound: it is somebody else's, or there is none.
    """
    conversation = Conversation.objects.filter(pk=conversation_id, owner=user).order_by().first()
    if conversation is None:
        raise NotFound("There is no such conversation.")
    message = Message(conversation=conversation, role=Message.Role.USER, content=content)
    conversation.updated_at = message.created_at
    changed = ["updated_at"]
    if not conversation.title:
        conversation.title = " ".join(content.split())[:DERIVED_TITLE_CHARS]
        changed.append("title")  # else left alone: it may be renamed meanwhile
    with transaction.atomic():
        message.save(force_insert=True)
        conversation.save(update_fields=changed)
    return message


def stored_context(conversation_id: uuid.UUID) -> list[dict[str, str]]:
    """Return the last messages of a conversation as the model is sent them; hidden answers are left out."""
    last = (
        Message.objects.filter(conversation_id=conversation_id, hidden=False)
        .order_by("-created_at", "-id")
        .values("role", "content")[: settings.LLM_CONTEXT_MESSAGES]
    )
    return list(last)[::-1]


def finish(exchange: Exchange, text: str) -> Message:
    """Save the answer as far as it got and return it; one that has not begun is not saved."""
    message = exchange.message
    now = max(timezone.now(), message.created_at + timedelta(microseconds=1))
    answer = Message(
        id=exchange.answer_id,
        conversation_id=message.conversation_id,
        role=Message.Role.ASSISTANT,
        content=text,
        created_at=now,
    )
    if not text:
        cache.forget(message.conversation_id)  # it lacks the message now
        return answer
    with transaction.atomic():
        # A conversation deleted meanwhile stays deleted.
        if Conversation.objects.filter(pk=message.conversation_id).update(updated_at=now):
            answer.save(force_insert=True)
    cache.add(
        message.conversation_id, [{"role": "user", "content": message.content}, {"role": "assistant", "content": text}]
    )
    return answer
