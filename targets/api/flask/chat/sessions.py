"""Sessions on the server: rows in the database, so that they survive a restart of Redis, which holds those it saw.

Flask's own are cookies that hold everything: signing out, or deactivating somebody, could not end them.
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

import orjson
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, insert

from chat import models
from chat.extensions import cache, db


class Session(SessionMixin):
    """A session whose data is looked up when first asked for; a lookup that failed leaves it empty."""

    modified = False

    def __init__(self, token: str, load: Callable[[str], dict[str, Any]]) -> None:
        self.token = token  # empty: there is no session yet
        self._load = load

    @cached_property
    def _data(self) -> dict[str, Any]:
        self.__dict__["_data"] = {}
        return self._load(models.digest_of(self.token)) if self.token else {}

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._data[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)


class StoredSessions(SessionInterface):
    """Flask's way to sessions of another kind."""

    def open_session(self, app: Flask, request: Request) -> Session | None:
        """Return the session of the cookie; none for pages, and with a bearer token cookies are not looked at."""
        if not request.path.startswith("/api/"):
            return None
        by_token = request.authorization is not None and request.authorization.type == "bearer"
        return Session("" if by_token else request.cookies.get(self.get_cookie_name(app), ""), self._load)

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        """Store what was changed under a new token: one known before signing in must not work after it."""
        if session.accessed:
            response.vary.add("Cookie")
        if not session.modified:
            return
        old, data, lifetime = session.token, dict(session), app.permanent_session_lifetime
        cookie = {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
        }
        if old:
            self._remove(models.digest_of(old))
        if data:
            session.token = secrets.token_urlsafe(32)
            self._add(models.digest_of(session.token), data, lifetime)
            response.set_cookie(self.get_cookie_name(app), session.token, max_age=lifetime, **cookie)
        else:
            response.delete_cookie(self.get_cookie_name(app), **cookie)

    def _load(self, digest: str) -> dict[str, Any]:
        data = cache.session(digest)
        if data is None:
            stored = db.session.get(models.StoredSession, digest)
            if stored is None or stored.expires_at <= (moment := models.now()):
                return {}
            data = stored.data.encode()
            cache.keep_session(digest, data, int((stored.expires_at - moment).total_seconds()))
        loaded: dict[str, Any] = orjson.loads(data)
        return loaded

    def _remove(self, digest: str) -> None:
        db.session.execute(delete(models.StoredSession).where(models.StoredSession.digest == digest))
        db.session.commit()
        cache.drop_session(digest)

    def _add(self, digest: str, data: dict[str, Any], lifetime: timedelta) -> None:
        text = orjson.dumps(data).decode()
        moment = models.now()
        # A sign-in also removes the expired sessions of users who never signed out.
        db.session.execute(delete(models.StoredSession).where(models.StoredSession.expires_at <= moment))
        db.session.execute(insert(models.StoredSession).values(digest=digest, data=text, expires_at=moment + lifetime))
        db.session.commit()
        cache.keep_session(digest, text.encode(), int(lifetime.total_seconds()))
