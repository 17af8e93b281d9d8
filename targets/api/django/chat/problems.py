"""Every error as an RFC 9457 problem document."""

from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from redis.exceptions import RedisError
from rest_framework import exceptions

CONTENT_TYPE = "application/problem+json"
NOT_SIGNED_IN = "Sign in first."
UNAVAILABLE = (RedisError, OperationalError, InterfaceError)


def document(status: int, detail: str, errors: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return a problem document."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        problem["errors"] = errors
    return problem


def response(
    status: int, detail: str, errors: dict[str, list[str]] | None = None, headers: dict[str, str] | None = None
) -> HttpResponse:
    """Return a problem document as a response."""
    body = orjson.dumps(document(status, detail, errors))
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def from_exception(exc: Exception) -> HttpResponse:
    """Return the problem an exception of Django or DRF stands for; any other is raised again."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound("There is no such object.")
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, RequestDataTooBig):
        return response(413, "The body is over 2 MiB.")
    if not isinstance(exc, exceptions.APIException):
        raise exc
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header
    wait_s = getattr(exc, "wait", None)
    if wait_s is not None:
        headers["Retry-After"] = str(max(1, round(wait_s)))
    if isinstance(exc, exceptions.ValidationError):
        return response(400, "Some fields are not valid.", _by_field(exc.detail), headers)
    return response(exc.status_code, str(exc.detail), None, headers)


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook: its own handler decides what is an API error (and rolls back), the document is ours."""
    from rest_framework import views  # its import reads the settings that name this module's importers

    if isinstance(exc, RequestDataTooBig):
        return from_exception(exc)
    handled = views.exception_handler(exc, context)
    if handled is None:
        return None
    problem = from_exception(exc)
    if handled.status_code == 405:
        problem["Allow"] = ", ".join(context["view"].allowed_methods)
    return problem


def _by_field(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, dict):
        return {str(field): _texts(value) for field, value in detail.items()}
    return {"non_field_errors": _texts(detail)}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def unavailable(exc: Exception) -> str:
    """Return in words which of the stores cannot be reached."""
    return f"The {'cache' if isinstance(exc, RedisError) else 'database'} cannot be reached."


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's hook for a missing or wrong CSRF token."""
    return response(403, f"CSRF check failed: {reason} Send the csrftoken cookie's value in X-CSRFToken.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's hook for a request it cannot read."""
    if isinstance(exception, RequestDataTooBig):
        return from_exception(exception)
    return response(400, "The request cannot be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's hook for a refusal."""
    return response(403, "This is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's hook for an unknown path."""
    return response(404, "There is no such object.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's hook for a bug; the log has the trace."""
    return response(500, "Something broke on the server; its log says what.")
