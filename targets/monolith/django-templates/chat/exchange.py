"""The database side of one message and its answer; runs in a thread, before and after the stream."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from chat import limits
from chat.access import own_conversation
from chat.forms import NewMessage
from chat.models import DERIVED_TITLE_CHARS, Conversation, Message


class InvalidError(Exception):
    """A message that is not taken."""


@dataclass(slots=True)
class Exchange:
    """A saved message and the answer to come."""

    request: HttpRequest
    conversation: Conversation
    message: Message
    context: list[dict[str, str]]  # what the model is sent, this message included
    answer_id: uuid.UUID = field(default_factory=uuid.uuid4)


def begin(request: HttpRequest, id: uuid.UUID | None) -> Exchange:
    """Check everything about a message, then save it; without ``id`` it begins a conversation.

    Raises:
        Http404: the conversation is somebody else's, or there is none.
        InvalidError: blank, too long, or with a NUL.
        LimitedError: too many in this minute.
    """
    conversation = Conversation(owner=request.user) if id is None else own_conversation(request.user, id)
    form = NewMessage(request.POST)
    if not form.is_valid():
        raise InvalidError(" ".join(form.errors["content"]))
    message = Message(conversation=conversation, role=Message.Role.USER, content=form.cleaned_data["content"])
    with transaction.atomic():
        # Counted in the transaction that saves the message; a refused one counts as well.
        allowed = limits.count_message(request.user.pk) <= settings.RATE_LIMIT_PER_MINUTE
        if allowed:
            _save(conversation, message, new=id is None)
    if not allowed:
        raise limits.message_refused()
    return Exchange(request, conversation, message, _context(conversation))


def _save(conversation: Conversation, message: Message, *, new: bool) -> None:
    """Add the message; the first one of an untitled conversation names it."""
    conversation.updated_at = message.created_at
    conversation.title = conversation.title or " ".join(message.content.split())[:DERIVED_TITLE_CHARS]
    conversation.save(force_insert=new, update_fields=None if new else ["title", "updated_at"])
    message.save(force_insert=True)


def _context(conversation: Conversation) -> list[dict[str, str]]:
    """Return the last messages as the model is sent them; hidden answers are left out."""
    last = conversation.messages.filter(hidden=False).order_by("-created_at", "-id").values("role", "content")
    return list(last[: settings.LLM_CONTEXT_MESSAGES])[::-1]


def finish(exchange: Exchange, text: str) -> str:
    """Save the answer as far as it got, and return its part of the page; one that has not begun is not saved."""
    if not text:
        return ""
    answer = Message(
        id=exchange.answer_id,
        conversation=exchange.conversation,
        role=Message.Role.ASSISTANT,
        content=text,
        created_at=max(timezone.now(), exchange.message.created_at + timedelta(microseconds=1)),
    )
    with transaction.atomic():
        # A conversation deleted meanwhile stays deleted.
        if Conversation.objects.filter(pk=exchange.conversation.pk).update(updated_at=answer.created_at):
            answer.save(force_insert=True)
    return render_to_string("chat/_answer.html", {"message": answer, "own": True}, exchange.request)
