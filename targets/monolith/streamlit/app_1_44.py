"""The server under Streamlit 1.44, which has no ``st.App``: Streamlit's Tornado application, added to as it is made.

``python app_1_44.py run main.py`` starts it, with Streamlit's own options; app.py does the same for Streamlit today.
"""

import gc
import sys
from typing import Any
from urllib.parse import urlsplit

# st.write_stream imports pandas when it is first called: in the first answer, which everyone else waits for too
import pandas as pd  # noqa: F401
import tornado.httputil
import tornado.web
from streamlit.web import cli
from streamlit.web.server import Server

import auth
import settings
from headers import SECURITY_HEADERS
from model import get_model
from store import SESSION_S, get_store


class SecurityHeaders(tornado.web.OutputTransform):
    """Adds the security headers to each HTTP response; WebSockets pass untouched."""

    def transform_first_chunk(
        self, status_code: int, headers: tornado.httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, tornado.httputil.HTTPHeaders, bytes]:
        """Change the head of one response."""
        headers.update(SECURITY_HEADERS)
        return status_code, headers, chunk


class SessionHandler(tornado.web.RequestHandler):
    """Trades the sign-in code of a header for the session's cookie (POST), or forgets the cookie (DELETE)."""

    def check_xsrf_cookie(self) -> None:
        """A page of another origin cannot send that header, so it cannot sign a visitor in as someone else."""
        origin = self.request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.request.host:
            raise tornado.web.HTTPError(403)

    def post(self) -> None:
        """Set the cookie."""
        token = auth.claim_cookie(self.request.headers.get("X-Sign-In-Code", ""))
        if token is None:
            raise tornado.web.HTTPError(403)
        secure = self.request.protocol == "https"
        self.set_cookie(
            auth.COOKIE, token, max_age=int(SESSION_S), httponly=True, samesite="lax", secure=secure, path="/"
        )
        self.set_status(204)

    def delete(self) -> None:
        """Forget the cookie."""
        self.clear_cookie(auth.COOKIE, httponly=True, samesite="lax", path="/")
        self.set_status(204)


_create_app = Server._create_app  # no supported way leads to the application


def create_app(server: Any) -> tornado.web.Application:
    """Return Streamlit's application with the route and the headers; open what each user needs."""
    application = _create_app(server)
    application.add_handlers(".*", [("/session", SessionHandler)])
    application.add_transform(SecurityHeaders)
    get_store()
    get_model()
    gc.freeze()  # what is loaded by now stays: a full collection need not walk it while everyone waits
    return application


if __name__ == "__main__":
    settings.load()  # a wrong setting stops the start instead of a user's first page
    Server._create_app = create_app
    sys.exit(cli.main())
