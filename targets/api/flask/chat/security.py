"""Who is asking, what they may do, and the headers every response carries."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Request, Response
from flask_login import current_user, login_required
from sqlalchemy import select

from chat.answers import problem_response
from chat.extensions import db, login_manager
from chat.models import AccessToken, User, digest_of, now
from chat.problems import CHALLENGE, refuse

View = TypeVar("View", bound=Callable[..., Any])
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
}
# Seeded sessions know nothing of a browser's address and name, which this check of Flask-Login compares.
login_manager.session_protection = None


def init_app(app: Flask) -> None:
    """Add the headers to every response, refusals included."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, text in HEADERS.items():
            response.headers.setdefault(name, text)
        return response


@login_manager.user_loader
def user_of_session(user_id: str) -> User | None:
    """Return whose session it is; a deactivated user is signed out at once."""
    user = db.session.get(User, int(user_id))
    return user if user is not None and user.is_active else None


@login_manager.request_loader
def user_of_token(request: Request) -> User | None:
    """Return whose bearer token the request brings."""
    token = bearer_token(request)
    if token is None:
        return None
    return db.session.scalar(
        select(User)
        .join(AccessToken, AccessToken.user_id == User.id)
        .where(AccessToken.digest == digest_of(token), AccessToken.expires_at > now(), User.is_active)
    )


@login_manager.unauthorized_handler
def not_signed_in() -> Response:
    """Answer a request without a sign-in."""
    return problem_response(401, "Sign in first.", headers={"WWW-Authenticate": CHALLENGE})


def bearer_token(request: Request) -> str | None:
    """Return the token of an Authorization header, None where there is none."""
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def role_required(*roles: str) -> Callable[[View], View]:
    """Let only users of these roles in; the role is looked at before the object."""

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def checked(*args: Any, **kwargs: Any) -> Any:
            if current_user.role not in roles:
                refuse(403, "Your role does not allow this.")
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate
