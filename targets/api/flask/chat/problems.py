"""Every error as a problem document, from the views, Flask, Werkzeug, Flask-WTF, pydantic and the stores."""

import logging
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import HTTPException, InternalServerError

from chat.answers import Fields, problem_document, problem_response

log = logging.getLogger(__name__)
CHALLENGE = 'Bearer realm="api"'
UNAVAILABLE = (RedisError, OperationalError, InterfaceError, NoConnectionLeft)
READ_TO_END_BYTES = 8 * 1024 * 1024
PIECE_BYTES = 64 * 1024
DETAILS = {
    404: "There is no such object.",
    413: "The body is over 2 MiB.",
    500: "Something broke on the server; its log says what.",
}


class Invalid(HTTPException):
    """A request whose values break a rule that its form alone does not show."""

    code = 400

    def __init__(self, errors: Fields) -> None:
        super().__init__("Some fields are not valid.")
        self.errors = errors


def refuse(status: int, detail: str, **headers: str) -> NoReturn:
    """End the request with this problem; header names are written with underscores."""
    abort(problem_response(status, detail, headers={name.replace("_", "-"): text for name, text in headers.items()}))


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(ValidationError, _not_valid)
    app.register_error_handler(InternalServerError, _broken)
    for error in UNAVAILABLE:
        app.register_error_handler(error, _unavailable)
    app.after_request(_read_to_end)


def unavailable(error: BaseException) -> dict[str, Any]:
    """Return the document that says which of the stores cannot be reached."""
    store = "cache" if isinstance(error, RedisError) else "database"
    log.error("the %s cannot be reached: %s", store, error)
    return problem_document(503, f"The {store} cannot be reached.")


def _read_to_end(response: Response) -> Response:
    """Read what a refused request still sends: closing the connection on it would cost the client the answer."""
    if response.status_code >= 400 and request.content_length:
        for _ in range(READ_TO_END_BYTES // PIECE_BYTES):
            if not request.environ["wsgi.input"].read(PIECE_BYTES):
                break
    return response


def _refused(error: HTTPException) -> Response:
    if error.response is not None:  # a document already
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    detail = DETAILS.get(status) or error.description or HTTPStatus(status).phrase
    headers = {name: text for name, text in error.get_headers() if name != "Content-Type"}  # Allow, Retry-After
    return problem_response(status, detail, getattr(error, "errors", None), headers)


def _forged(error: CSRFError) -> Response:
    return problem_response(403, f"CSRF check failed: {error.description}")


def _not_valid(error: ValidationError) -> Response:
    errors: Fields = {}
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        place = found["loc"]
        field = str(place[0]) if place else "non_field_errors"
        errors.setdefault(field, []).append(found["msg"].removeprefix("Value error, "))
    return problem_response(400, "Some fields are not valid.", errors)


def _unavailable(error: BaseException) -> Response:
    document = unavailable(error)
    return problem_response(503, document["detail"], headers={"Retry-After": "5"})


def _broken(error: InternalServerError) -> Response:
    """Answer for what nobody caught; Flask has logged it. Stores may also fail outside of a view."""
    if isinstance(error.original_exception, UNAVAILABLE):
        return _unavailable(error.original_exception)
    return problem_response(500, DETAILS[500])
