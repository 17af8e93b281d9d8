"""Refusals: a page for users, a problem document (RFC 9457) where a script reads the answer."""

from http import HTTPStatus
from typing import Any

import orjson
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def respond(request: HttpRequest, status: int, detail: str, **headers: str) -> HttpResponse:
    """Return a refusal in the form that the request asks for."""
    if "text/event-stream" in request.headers.get("Accept", "") or "X-Fragment" in request.headers:
        body = orjson.dumps(document(status, detail))
        return HttpResponse(body, status=status, content_type="application/problem+json", headers=headers)
    title = HTTPStatus(status).phrase
    response = render(request, "chat/problem.html", {"title": title, "detail": detail}, status=status)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def document(status: int, detail: str) -> dict[str, Any]:
    """Return a problem document."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


def invalid(form: forms.Form) -> str:
    """Return what is wrong with a form, in one line."""
    return " ".join(error for errors in form.errors.values() for error in errors)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be understood."""
    too_large = type(exception).__name__ == "RequestDataTooBig"
    return (
        respond(request, 413, "That is too long.") if too_large else respond(request, 400, "That was not understood.")
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What the role does not allow."""
    return respond(request, 403, "Your role does not allow this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token: of another site, or of a page that was open before signing in again."""
    return respond(request, 403, "This page is out of date. Load it again, then send the form once more.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing there, or nothing of one's own."""
    return respond(request, 404, "There is nothing here, or it is not yours.")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of this program, or a database that is locked for too long."""
    return respond(request, 500, "Something went wrong on our side. Try again in a moment.")
