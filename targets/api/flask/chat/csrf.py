"""Flask-WTF's CSRF protection with the contract's token: the cookie's value comes back in a header."""

import hmac
import re
import secrets
import string

from flask import Response, current_app, g, request
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

LETTERS = string.ascii_letters + string.digits
TOKEN = re.compile(r"[A-Za-z0-9]{32}")
LIFETIME_S = 365 * 24 * 3600


class DoubleSubmit(CSRFProtect):
    """The check of unsafe requests that carry a cookie; a foreign page gains nothing from any other request.

    Flask-WTF's own token belongs to a session. Here there is none before signing in, and the header is compared with
    the cookie, which another site can neither read nor set.
    """

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse the request unless cookie and header agree and it comes from our own pages."""
        if apply_exemptions and (not request.endpoint or self._is_exempt()):
            return
        if request.method not in current_app.config["WTF_CSRF_METHODS"] or not self._acts_by_cookie():
            return
        origin = request.headers.get("Origin")
        if origin and origin not in (request.host_url.rstrip("/"), *current_app.config["TRUSTED_ORIGINS"]):
            self._error_response(f"The request comes from {origin}, which is not trusted.")
        cookie, header = self.cookie(), self._get_csrf_token() or ""
        if cookie is None:
            self._error_response("The csrftoken cookie is missing; ask /api/auth/me first.")
        elif not hmac.compare_digest(cookie.encode(), header.encode()):
            self._error_response("Send the csrftoken cookie's value in X-CSRFToken.")
        g.csrf_valid = True

    def cookie(self) -> str | None:
        """Return the token a browser has; None if it has none worth the name."""
        found = request.cookies.get(current_app.config["CSRF_COOKIE_NAME"], "")
        return found if TOKEN.fullmatch(found) else None

    def give(self, response: Response, token: str | None = None) -> Response:
        """Set the cookie: this token, or a new one."""
        response.set_cookie(
            current_app.config["CSRF_COOKIE_NAME"],
            token or "".join(secrets.choice(LETTERS) for _ in range(32)),
            max_age=LIFETIME_S,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            samesite="Lax",
        )
        return response

    def _acts_by_cookie(self) -> bool:
        """Whether a cookie signs the request in, or the request sets one; others are answered 401 or bring a token."""
        if request.authorization is not None and request.authorization.type == "bearer":
            return False
        return request.endpoint == "auth.login" or bool(current_user.is_authenticated)

    def _get_csrf_token(self) -> str | None:
        """Return the header's token; bodies are JSON, so there is no form to look into."""
        return next(
            (sent for name in current_app.config["WTF_CSRF_HEADERS"] if (sent := request.headers.get(name))), None
        )
