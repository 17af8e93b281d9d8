"""Who is asking: a bearer token (programs), or the session cookie with the CSRF token (browsers)."""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Header, HTTPException, Request, Response
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Table, bindparam, delete, insert, select

from app import problems
from app.database import Connections, Database
from app.schemas import User
from app.settings import Settings
from app.tables import Role, access_tokens, browser_sessions, now, users

SESSION_COOKIE = "sessionid"
CSRF_COOKIE = "csrftoken"
CSRF_HEADER = "X-CSRFToken"
CSRF_FORM = re.compile(r"[A-Za-z0-9]{32,64}")
CSRF_SECONDS = 365 * 24 * 3600
LETTERS_AND_DIGITS = string.ascii_letters + string.digits
MODERATING: tuple[Role, ...] = ("moderator", "admin")

Cookie = Annotated[
    str | None,
    Depends(
        APIKeyCookie(
            name=SESSION_COOKIE,
            scheme_name="session",
            description="Unsafe requests also need `X-CSRFToken`.",
            auto_error=False,
        )
    ),
]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(scheme_name="bearer", auto_error=False))]


def session_digest(secret_key: str, token: str) -> str:
    """Return what is stored of a session: keyed, so that a row written into the table alone signs nobody in."""
    return hmac.digest(secret_key.encode(), token.encode(), "sha256").hex()


def token_digest(token: str) -> str:
    """Return what is stored of a bearer token."""
    return hashlib.sha256(token.encode()).hexdigest()


def bearer_of(request: Request) -> str | None:
    """Return the token of an Authorization header, which may be empty; None where there is no such header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _owner_of(credentials: Table) -> Any:
    return (
        select(users)
        .join(credentials)
        .where(
            users.c.is_active,
            credentials.c.digest == bindparam("digest"),
            credentials.c.expires_at > bindparam("moment"),
        )
    )


# Built once: building a statement costs more than running it.
OWNER_OF_TOKEN = _owner_of(access_tokens)
OWNER_OF_SESSION = _owner_of(browser_sessions)


async def identified(request: Request, database: Database, cookie: Cookie, _: Bearer) -> User | None:
    """Return who is asking; a request with a bearer token is judged by that alone."""
    token = bearer_of(request)
    if token is not None:
        query, digest = OWNER_OF_TOKEN, token_digest(token)
    elif cookie:
        secret_key = request.state.settings.secret_key.get_secret_value()
        query, digest = OWNER_OF_SESSION, session_digest(secret_key, cookie)
    else:
        return None
    async with database.read() as connection:
        row = (await connection.execute(query, {"digest": digest, "moment": now()})).one_or_none()
    return None if row is None else User.model_validate(row)


async def signed_in(user: Annotated[User | None, Depends(identified)]) -> User:
    """Return who is asking.

    Raises:
        HTTPException: 401, nobody who is known.
    """
    if user is None:
        raise problems.not_signed_in()
    return user


Identified = Annotated[User | None, Depends(identified)]
SignedIn = Annotated[User, Depends(signed_in)]
CsrfToken = Annotated[
    str,
    Header(
        alias=CSRF_HEADER,
        description="The value of the `csrftoken` cookie; required with the session cookie, not with a bearer token.",
    ),
]


async def check_csrf(request: Request, csrf_token: CsrfToken = "") -> None:
    """Refuse what a foreign page could have sent: cookie and header must agree, and the page must be our own.

    Raises:
        HTTPException: 403.
    """
    cookie = request.cookies.get(CSRF_COOKIE, "")
    if not CSRF_FORM.fullmatch(cookie) or not secrets.compare_digest(cookie.encode(), csrf_token.encode()):
        raise HTTPException(403, f"CSRF check failed: send the {CSRF_COOKIE} cookie's value in {CSRF_HEADER}.")
    origin = request.headers.get("Origin")
    settings: Settings = request.state.settings
    if (
        origin is not None
        and urlsplit(origin).netloc != request.headers.get("Host")
        and origin not in settings.trusted_origins.split(",")
    ):
        raise HTTPException(403, f"CSRF check failed: {origin!r} is not where this page is served from.")


async def acting(request: Request, user: SignedIn, csrf_token: CsrfToken = "") -> User:
    """Return who wants to change something; a bearer token is no ambient authority, a cookie is.

    Raises:
        HTTPException: 401, nobody who is known; 403, the CSRF token is missing or wrong.
    """
    if bearer_of(request) is None:
        await check_csrf(request, csrf_token)
    return user


Acting = Annotated[User, Depends(acting)]


def require(who: Callable[..., Coroutine[Any, Any, User]], *roles: Role) -> Any:
    """Return a dependency that admits some roles only."""

    async def admitted(user: Annotated[User, Depends(who)]) -> User:
        if user.role not in roles:
            raise HTTPException(403, "Your role does not allow this.")
        return user

    return Depends(admitted)


Moderator = Annotated[User, require(acting, *MODERATING)]
Admin = Annotated[User, require(signed_in, "admin")]
ActingAdmin = Annotated[User, require(acting, "admin")]


async def open_session(request: Request, response: Response, database: Connections, user: User) -> None:
    """Sign a user in: a new session, a new CSRF token, and whatever the browser had before is over."""
    settings: Settings = request.state.settings
    secret_key = settings.secret_key.get_secret_value()
    token = secrets.token_hex(16)
    before = session_digest(secret_key, request.cookies.get(SESSION_COOKIE, ""))
    async with database.write() as connection:
        await connection.execute(delete(browser_sessions).where(browser_sessions.c.digest == before))
    await _issue(database, browser_sessions, session_digest(secret_key, token), user, settings)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_seconds,
        httponly=True,
        samesite="lax",
        secure=settings.https,
    )
    set_csrf_cookie(response, settings, new_csrf_token())


async def issue_token(database: Connections, user: User, settings: Settings) -> str:
    """Return a new bearer token; it cannot be read again."""
    token = secrets.token_urlsafe(32)
    await _issue(database, access_tokens, token_digest(token), user, settings)
    return token


async def _issue(database: Connections, credentials: Table, digest: str, user: User, settings: Settings) -> None:
    """Store a new credential of a user; those that have expired go."""
    moment = now()
    expired = (credentials.c.user_id == user.id) & (credentials.c.expires_at <= moment)
    row = {"digest": digest, "user_id": user.id, "expires_at": moment + timedelta(seconds=settings.session_seconds)}
    async with database.write() as connection:
        await connection.execute(delete(credentials).where(expired))
        await connection.execute(insert(credentials), row)


async def close_session(request: Request, database: Connections) -> None:
    """Sign out: the token or the session the request was made with ends."""
    token = bearer_of(request)
    if token is not None:
        credentials, digest = access_tokens, token_digest(token)
    else:
        secret_key = request.state.settings.secret_key.get_secret_value()
        credentials = browser_sessions
        digest = session_digest(secret_key, request.cookies.get(SESSION_COOKIE, ""))
    async with database.write() as connection:
        await connection.execute(delete(credentials).where(credentials.c.digest == digest))


def csrf_token_of(request: Request) -> str:
    """Return the CSRF token the browser has, or a new one."""
    cookie = request.cookies.get(CSRF_COOKIE, "")
    return cookie if CSRF_FORM.fullmatch(cookie) else new_csrf_token()


def new_csrf_token() -> str:
    """Return a CSRF token."""
    return "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(32))


def set_csrf_cookie(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its CSRF token; the page's script reads it."""
    response.set_cookie(CSRF_COOKIE, token, max_age=CSRF_SECONDS, samesite="lax", secure=settings.https)
