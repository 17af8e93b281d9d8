"""The HTTP side of a twin: routing, who is asking, CSRF, bodies, problem documents, the front end."""

import json
import math
import re
import secrets
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any

from harness.probes.world import OPERATIONS
from tests.doubles.conformance_twin.state import Twin

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
}
PAGE = b'<!doctype html><script src="/main-ABCDEFGH.js" type="module"></script><link rel="icon" href="favicon.svg">'
ROUTES = [
    (method, re.compile(re.escape(path).replace(r"\{id\}", "([^/]+)") + "$"), name)
    for name, (method, path) in OPERATIONS.items()
]


class Refusal(Exception):  # noqa: N818 (an answer, not an error)
    """A refusal with its status, and for 400 the field."""

    def __init__(self, status: int, field: str | None = None, **headers: str) -> None:
        super().__init__(status)
        self.status, self.field, self.headers = status, field, headers


class Wire(BaseHTTPRequestHandler):
    """One request; the operations are methods of the class below."""

    protocol_version = "HTTP/1.1"
    twin: Twin

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.handle_request
        raise AttributeError(name)

    def handle_request(self) -> None:
        self.cookies: list[str] = []
        self.streaming = False
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        try:
            self.route()
        except Refusal as refusal:
            self.refuse(refusal)
        except BrokenPipeError:
            self.close_connection = True

    # --- answering

    def reply(self, status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> None:
        self.head(status, kind, **{"Content-Length": str(len(body))} | headers)
        self.wfile.write(body)

    def head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        plain = {} if self.twin.defect == "no security headers" else HEADERS
        for name, value in (plain | {"Content-Type": kind} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        for cookie in self.cookies:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()

    def json(self, value: object, status: int = 200, **headers: str) -> None:
        self.reply(status, json.dumps(value).encode(), **headers)

    def problem(self, status: int, field: str | None = None) -> dict[str, Any]:
        document = {"type": "about:blank", "title": "Refused", "status": status, "detail": "Refused."}
        return document | ({"errors": {field or "non_field_errors": ["Not valid."]}} if status == 400 else {})

    def refuse(self, refusal: Refusal) -> None:
        if self.twin.defect == "HTML errors":
            self.reply(refusal.status, b"<h1>Refused</h1>", "text/html", **refusal.headers)
            return
        document = json.dumps(self.problem(refusal.status, refusal.field)).encode()
        self.reply(refusal.status, document, "application/problem+json", **refusal.headers)

    # --- who is asking, and what for

    def route(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if not url.path.startswith("/api/"):
            self.front_end(url.path)
            return
        matches = [(method, name, found) for method, rule, name in ROUTES if (found := rule.match(url.path))]
        if not matches:
            raise Refusal(404)
        fitting = [(name, found) for method, name, found in matches if method == self.command]
        if not fitting:
            raise Refusal(405, Allow=", ".join(method for method, _, _ in matches))
        name, found = fitting[0]
        operation: Callable[..., None] = getattr(self, re.sub("([A-Z])", r"_\1", name).lower())
        self.identify(name)
        with self.twin.lock if name != "sendMessage" else _nothing():
            operation(*found.groups())

    def identify(self, operation: str) -> None:
        jar = {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("Cookie", "")).items()}
        authorization = self.headers.get("Authorization", "")
        self.session = jar.get("sessionid", "")
        self.bearer = authorization.removeprefix("Bearer ")
        if self.bearer and self.twin.defect != "cookies beside a bearer token":
            name = self.twin.tokens.get(self.bearer)
        else:
            name = self.twin.sessions.get(self.session)
        user = self.twin.users.get(name or "")
        active = user is not None and (user["is_active"] or self.twin.defect == "deactivated users stay")
        self.user: dict[str, Any] = user if user and active else {}
        csrf = jar.get("csrftoken", "")
        if operation in ("me", "login"):
            self.set_cookie("csrftoken", csrf or secrets.token_hex(16))
        if not self.user and operation not in ("login", "createToken", "health", "schema"):
            raise Refusal(401)
        safe = self.command == "GET" or self.bearer or operation == "createToken" or self.twin.defect == "no CSRF"
        if not safe and (not csrf or self.headers.get("X-CSRFToken") != csrf):
            raise Refusal(403)

    def set_cookie(self, name: str, value: str) -> None:
        protection = "; HttpOnly" if name == "sessionid" and self.twin.defect != "readable session cookie" else ""
        self.cookies.append(f"{name}={value}; Path=/; SameSite=Lax{protection}")

    def fields(self, **kinds: Any) -> dict[str, Any]:
        """Return the body's members after checking their names and kinds."""
        if self.body and self.headers.get("Content-Type") != "application/json":
            raise Refusal(415)
        if len(self.body) > 2 * 1024 * 1024:
            raise Refusal(413)
        try:
            body = json.loads(self.body or b"{}")
        except ValueError:
            raise Refusal(400) from None
        if not isinstance(body, dict) or set(body) - set(kinds):
            raise Refusal(400)
        for name, value in body.items():
            if not (value in kinds[name] if isinstance(kinds[name], tuple) else isinstance(value, kinds[name])):
                raise Refusal(400, name)
            if isinstance(value, str) and not isinstance(kinds[name], tuple):
                self.check_text(name, value)
        return body

    def check_text(self, name: str, value: str) -> None:
        """Refuse white space alone and NUL; a pattern that is easily written lets one NUL pass."""
        good = (
            re.fullmatch(r"[^\x00]*\S[^\x00]*", value)
            if self.twin.defect == "one NUL passes"
            else (value.strip() or name in ("username", "password")) and "\x00" not in value
        )
        if not good:
            raise Refusal(400, name)

    def page_of(self, items: list[dict[str, Any]]) -> None:
        try:
            number = int(self.query.get("page", "1"))
        except ValueError:
            raise Refusal(400, "page") from None
        if number > max(1, math.ceil(len(items) / 50)):
            raise Refusal(404)
        path = urllib.parse.urlsplit(self.path).path
        links = {
            "next": f"{path}?page={number + 1}" if number * 50 < len(items) else None,
            "previous": f"{path}?page={number - 1}" if number > 1 else None,
        }
        if self.twin.defect == "second page repeats the first":
            number = 1
        self.json({"count": len(items), **links, "results": items[50 * (number - 1) : 50 * number]})

    # --- the front end

    def front_end(self, path: str) -> None:
        forever = "public, max-age=31536000, immutable"
        if path == "/main-ABCDEFGH.js" and self.twin.defect != "script missing":
            self.reply(200, b"export {};", "text/javascript", Cache_Control=forever)
        elif path == "/favicon.svg":
            self.reply(200, b"<svg/>", "image/svg+xml")
        else:
            foreign = (
                b'<script src="https://cdn.example/x.js"></script>' if self.twin.defect == "foreign script" else b""
            )
            inline = b"<script>1</script>" if self.twin.defect == "inline script" else b""
            self.reply(200, PAGE + foreign + inline, "text/html", Cache_Control="no-cache")


@contextmanager
def _nothing() -> Iterator[None]:
    yield
