"""The server: Streamlit's own, with the cookie route and the security headers that Streamlit leaves to the app.

``streamlit run app.py`` starts it; main.py is the script that each session runs.
"""

import contextlib
import gc
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

# st.write_stream imports pandas when it is first called: in the first answer, which everyone else waits for too
import pandas as pd  # noqa: F401
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import auth
import settings
from headers import SECURITY_HEADERS
from model import get_model
from store import SESSION_S, get_store

_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class SecurityHeaders:
    """Adds the security headers to each HTTP response; WebSockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def session(request: Request) -> Response:
    """Trade the sign-in code of a header for the session's cookie (POST), or forget the cookie (DELETE).

    A page of another origin cannot send that header, so it cannot sign a visitor in as someone else.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return Response(status_code=403)
    response = Response(status_code=204)
    if request.method == "DELETE":
        response.delete_cookie(auth.COOKIE, httponly=True, samesite="lax")
        return response
    token = auth.claim_cookie(request.headers.get("x-sign-in-code", ""))
    if token is None:
        return Response(status_code=403)
    secure = request.url.scheme == "https"
    response.set_cookie(auth.COOKIE, token, max_age=int(SESSION_S), httponly=True, samesite="lax", secure=secure)
    return response


@contextlib.asynccontextmanager
async def ready(_: st.App) -> AsyncIterator[None]:
    """Open the database and the model's client before the first user comes."""
    get_store()
    get_model()
    if settings.load().freeze_imports:
        gc.freeze()  # what is loaded by now stays: a full collection need not walk it while everyone waits
    yield


settings.load()  # a wrong setting stops the start instead of a user's first page

app = st.App(
    "main.py",
    lifespan=ready,
    routes=[Route("/session", session, methods=["POST", "DELETE"])],
    middleware=[Middleware(SecurityHeaders)],
)
