"""Django's own middleware without its thread hops.

Under ASGI Django sends each hook of its classes (``process_request``, ``process_view``, ``process_response``) through a
thread, some ten hops a request, because a hook could block. These do not: they read and set headers and cookies. What
does wait (saving a changed session) still goes to a thread.
"""

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware

from chat.threads import in_thread


class InlineHooks:
    """Runs the hooks of a Django middleware on the event loop."""

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        """Do what MiddlewareMixin does, without threads."""
        response = self.process_request(request) if hasattr(self, "process_request") else None
        response = response or await self.get_response(request)
        if hasattr(self, "process_response"):
            response = self.process_response(request, response)
        return response


class Common(InlineHooks, CommonMiddleware):
    """Content-Length, without which every response would be chunked."""


class Security(InlineHooks, SecurityMiddleware):
    """nosniff, Referrer-Policy, Cross-Origin-Opener-Policy, as the settings say."""


class FrameOptions(InlineHooks, XFrameOptionsMiddleware):
    """X-Frame-Options."""


class Authentication(InlineHooks, AuthenticationMiddleware):
    """request.user, looked up when first read: in the view's thread."""


class Session(SessionMiddleware):
    """request.session; only a changed one needs a thread to be saved."""

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        """Save in a thread what was changed, do the rest here."""
        self.process_request(request)
        response = await self.get_response(request)
        if request.session.modified:
            return await in_thread(self.process_response, request, response)
        return self.process_response(request, response)


class Csrf(InlineHooks, CsrfViewMiddleware):
    """Django's CSRF check; reading the form it looks into does not wait, the body has been received by then."""

    async def process_view(self, request: HttpRequest, callback: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse unsafe requests without the token."""
        return super().process_view(request, callback, args, kwargs)


class ContentSecurityPolicy:
    """The Content-Security-Policy header of the settings."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the header."""
        response = await self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response
