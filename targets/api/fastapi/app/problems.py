"""Every error as an RFC 9457 problem document, those of the framework too."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException as StarletteHTTPException

from app.headers import SECURITY_HEADERS

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
UNAVAILABLE = (RedisError, OperationalError, InterfaceError, PoolTimeoutError)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}
DESCRIPTIONS = {
    400: "The request is malformed or breaks a rule of the schema.",
    401: "Nobody is signed in, or the credentials are wrong or of a deactivated account.",
    403: "The role does not allow it, or the CSRF token is missing or wrong.",
    404: "There is no such object, or it is somebody else's.",
    413: "The body is over 2 MiB.",
    415: "The body is not `application/json`.",
    429: "The rate limit is reached; try again after `Retry-After` seconds.",
    502: "The language model failed or could not be reached.",
    503: "The database or the cache cannot be reached, or the build is out of capacity.",
    504: "The language model stayed silent for too long.",
}


class InvalidError(Exception):
    """A field whose value is of the right form but not allowed here."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.errors = {field: [message]}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return for the schema which problems an operation may answer with."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {
            "description": DESCRIPTIONS[status],
            "content": content,
            **({"headers": RETRY_AFTER} if status in (429, 503) else {}),
        }
        for status in statuses
    }


def not_signed_in(detail: str = "Sign in first.") -> HTTPException:
    """Return the refusal of somebody nobody knows."""
    return HTTPException(401, detail, CHALLENGE)


def document(status: int, detail: str, errors: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """Return a problem document."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return problem if errors is None else {**problem, "errors": errors}


def response(
    status: int,
    detail: str,
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document as a response."""
    body = orjson.dumps(document(status, detail, errors))
    return Response(body, status, headers, media_type=CONTENT_TYPE)


def unavailable(exc: Exception) -> str:
    """Return in words which of the stores cannot be reached."""
    return f"The {'cache' if isinstance(exc, RedisError) else 'database'} cannot be reached."


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""
    app.exception_handler(StarletteHTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(InvalidError)(_invalid)
    app.exception_handler(Exception)(_broken)
    for lost in UNAVAILABLE:
        app.exception_handler(lost)(_lost)


async def _refused(request: Request, exc: StarletteHTTPException) -> Response:
    headers = dict(exc.headers or {})
    detail = exc.detail
    if exc.status_code == 405:
        headers["Allow"] = _allowed(request, headers.get("Allow", "GET, HEAD"))
        detail = f"Use {headers['Allow']}."
    elif exc.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "There is no such object."
    return response(exc.status_code, detail, headers=headers)


def _allowed(request: Request, of_route: str) -> str:
    """Return all methods of a path; each route knows only its own."""
    path = getattr(request.scope.get("route"), "path_format", None)
    methods = request.app.openapi()["paths"].get(path, {})
    known = sorted(method.upper() for method in methods if method != "parameters")
    return ", ".join(known) or of_route


async def _malformed(request: Request, exc: RequestValidationError) -> Response:
    if isinstance(exc.body, bytes):  # FastAPI leaves a body alone whose type is not JSON
        return response(415, "The body must be application/json.")
    errors: dict[str, list[str]] = {}
    for error in exc.errors():
        place, *rest = error["loc"]
        if place == "path":
            return response(404, "There is no such object.")
        field = ".".join(map(str, rest)) if rest and error["type"] != "json_invalid" else "non_field_errors"
        errors.setdefault(field, []).append(_reason(error))
    return response(400, "Some fields are not valid.", errors)


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"The body is no valid JSON: {error['ctx']['error']}"
    return str(error["ctx"]["error"] if error["type"] == "value_error" else error["msg"])


async def _invalid(request: Request, exc: InvalidError) -> Response:
    return response(400, "Some fields are not valid.", exc.errors)


async def _lost(request: Request, exc: Exception) -> Response:
    log.error("%s %s", unavailable(exc), exc)
    return response(503, unavailable(exc), headers={"Retry-After": "5"})


async def _broken(request: Request, exc: Exception) -> Response:
    # This one is sent from outside the middleware; the server logs the trace.
    return response(500, "Something broke on the server; its log says what.", headers=SECURITY_HEADERS)
