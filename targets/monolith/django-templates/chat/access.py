"""Who may see a page: signed in, of a role, or the owner."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from chat import problems
from chat.models import Conversation, Message, User
from chat.threads import threaded

View = Callable[..., HttpResponse]


def page(*methods: str, may: str | None = None) -> Callable[[View], Callable[..., Any]]:
    """Turn a function into a view for users who are signed in (and have the property ``may``), for these methods.

    The role is checked before the object is looked up, and both before the form is read.
    """

    def decorated(view: View) -> Callable[..., Any]:
        @threaded()
        @wraps(view)
        def checked(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if refusal := refused(request, methods, may):
                return refusal
            return view(request, **kwargs)

        return checked

    return decorated


def refused(request: HttpRequest, methods: tuple[str, ...], may: str | None = None) -> HttpResponse | None:
    """Return why a request is not let through, None if it is; reads the database."""
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    if not request.user.is_authenticated:
        return sign_in_first(request)
    if may is not None and not getattr(request.user, may):
        raise PermissionDenied
    return None


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """Send a user to the sign-in page and back; a script or a form is told instead."""
    if request.method in ("GET", "HEAD"):
        back = request.get_full_path()
        return HttpResponseRedirect(reverse("sign-in") + ("" if back == "/" else f"?{urlencode({'next': back})}"))
    return problems.respond(request, 401, "Your session has ended. Sign in to go on.")


def own_conversation(user: User, id: uuid.UUID) -> Conversation:
    """Return a conversation of one's own; raises Http404 for anybody else's."""
    found = Conversation.objects.filter(pk=id, owner=user).first()
    if found is None:
        raise Http404
    return found


def readable_conversation(user: User, id: uuid.UUID) -> Conversation:
    """Return a conversation that a user may read; raises Http404 otherwise."""
    found = Conversation.objects.filter(pk=id).first()
    if found is None or not (found.owner_id == user.pk or user.may_moderate):
        raise Http404
    return found


def readable_message(user: User, id: uuid.UUID) -> Message:
    """Return a message of one's own conversation, or any for moderators; raises Http404 otherwise."""
    found = Message.objects.select_related("conversation").filter(pk=id).first()
    if found is None or not (found.conversation.owner_id == user.pk or user.may_moderate):
        raise Http404
    return found
