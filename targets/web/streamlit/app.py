"""The server: Streamlit's own, with the cookie route and the security headers that Streamlit leaves to the app.

``streamlit run app.py`` starts it; main.py is the script that each session runs.
"""

import base64
import contextlib
import gc
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

# st.write_stream imports pandas when it is first called: in the first answer, which everyone else waits for too
import pandas as pd  # noqa: F401
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import auth
from api import get_api

# the inline scripts of the page that Streamlit ships
_PAGE = (Path(st.__file__).parent / "static" / "index.html").read_text()
_PAGE_SCRIPTS = " ".join(
    f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
    for script in re.findall(r"<script>(.*?)</script>", _PAGE, re.DOTALL)
)
# No image, script or connection from elsewhere: a picture in an answer cannot tell a stranger that it was read.
# Styles are set inline by Streamlit's front end; components are imported from blob addresses.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' blob: 'wasm-unsafe-eval' {_PAGE_SCRIPTS}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


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
    token = auth.get_codes().claim(request.headers.get("x-sign-in-code", ""))
    if token is None:
        return Response(status_code=403)
    secure = request.url.scheme == "https"
    response.set_cookie(auth.COOKIE, token, max_age=auth.COOKIE_S, httponly=True, samesite="lax", secure=secure)
    return response


def conversation(request: Request) -> Response:
    """Lead an address as the other front ends have it to the page that shows that conversation."""
    return RedirectResponse(f"/?conversation={request.path_params['conversation']}")


@contextlib.asynccontextmanager
async def ready(_: st.App) -> AsyncIterator[None]:
    """Open the API's client before the first user comes; a wrong setting stops the start."""
    get_api()
    gc.freeze()  # what is loaded by now stays: a full collection need not walk it while everyone waits
    yield


app = st.App(
    "main.py",
    lifespan=ready,
    routes=[
        Route("/session", session, methods=["POST", "DELETE"]),
        Route("/c/{conversation:uuid}", conversation, methods=["GET"]),
    ],
    middleware=[Middleware(SecurityHeaders)],
)
