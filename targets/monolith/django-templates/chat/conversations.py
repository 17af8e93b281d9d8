"""The pages of conversations: list, new, open, rename, delete, export."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from chat import exports, problems, sidebar
from chat.access import own_conversation, page, readable_conversation
from chat.forms import Title
from chat.models import Conversation


@page("GET", "HEAD")
def home(request: HttpRequest) -> HttpResponse:
    """Show the list and a box for the first message of a new conversation."""
    return render(request, "chat/conversation.html", sidebar.context(request))


@page("POST")
def create(request: HttpRequest) -> HttpResponse:
    """Begin a conversation; an empty one that is still there is used first."""
    empty = request.user.conversations.filter(title="", messages=None).first()
    return redirect("conversation", id=(empty or Conversation.objects.create(owner=request.user)).pk)


@page("GET", "HEAD")
def show(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Show a conversation with its messages."""
    conversation = readable_conversation(request.user, id)
    own = conversation.owner_id == request.user.pk
    context = {"conversation": conversation, "own": own, "thread": conversation.messages.all()}
    return render(request, "chat/conversation.html", sidebar.context(request) | context)


@page("POST")
def rename(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Give a conversation of one's own another title."""
    conversation = own_conversation(request.user, id)
    form = Title(request.POST)
    if not form.is_valid():
        return problems.respond(request, 400, problems.invalid(form))
    Conversation.objects.filter(pk=conversation.pk).update(title=form.cleaned_data["title"])
    return redirect("conversation", id=id)


@page("POST")
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Delete a conversation of one's own with everything in it."""
    own_conversation(request.user, id).delete()
    return redirect("home")


@page("GET", "HEAD")
def export(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Send a conversation of one's own as a file."""
    conversation = own_conversation(request.user, id)
    form = request.GET.get("format", "json")
    if form not in exports.FORMATS:
        return problems.respond(request, 400, f"Formats are {' and '.join(exports.FORMATS)}.")
    content_type, ending, write = exports.FORMATS[form]
    headers = {"Content-Disposition": f'attachment; filename="conversation-{conversation.pk}.{ending}"'}
    return HttpResponse(write(conversation, conversation.messages.all()), content_type=content_type, headers=headers)
