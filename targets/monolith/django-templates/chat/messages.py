"""What users do with an answer: thumbs, and hiding it; a script gets the answer's new look, a form the page."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from chat import problems
from chat.access import page, readable_message
from chat.forms import Hiding, Rating
from chat.models import Message


@page("POST")
def rate(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Note what the owner thinks of an answer, or take it back."""
    message = readable_message(request.user, id)
    if message.conversation.owner_id != request.user.pk:
        raise Http404
    form = Rating(request.POST)
    if not form.is_valid() or message.role != Message.Role.ASSISTANT:
        return problems.respond(request, 400, "Only answers are rated, up or down.")
    message.feedback = form.cleaned_data["feedback"] or None
    message.save(update_fields=["feedback"])
    return _changed(request, message)


@page("POST", may="may_moderate")
def hide(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Hide an answer, or show it again."""
    message = readable_message(request.user, id)
    form = Hiding(request.POST)
    if not form.is_valid() or message.role != Message.Role.ASSISTANT:
        return problems.respond(request, 400, "Only answers are hidden.")
    message.hidden = form.cleaned_data["hidden"]
    message.save(update_fields=["hidden"])
    return _changed(request, message)


def _changed(request: HttpRequest, message: Message) -> HttpResponse:
    if "X-Fragment" not in request.headers:
        return redirect("conversation", id=message.conversation_id)
    own = message.conversation.owner_id == request.user.pk
    return render(request, "chat/_answer.html", {"message": message, "own": own})
