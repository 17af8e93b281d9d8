"""The checks of server-rendered pages pass on a right site and name the defects of wrong ones."""

import json
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import pytest

from harness.probes.contract import Check, check
from harness.probes.subject import Subject
from harness.records.recipe import PASSWORD, nonce_of, session_token
from tests.serving import serving

SEED = 42
TOKEN = "T" * 64
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
PEOPLE = {session_token(SEED, name): name for name in ("user0031", "user0032", "moderator", "admin")}


class _Site(BaseHTTPRequestHandler):
    defect = ""
    owners: ClassVar[dict[str, str]] = {}
    kept: ClassVar[dict[str, str]] = {}

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    @property
    def who(self) -> str | None:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        return PEOPLE.get(cookies["sessionid"].value) if "sessionid" in cookies else None

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/chat.js":
            self.send(404 if self.defect == "script missing" else 200, "1", "text/javascript")
        elif path == "/health":
            self.send(200, "no" if self.defect == "not healthy" else "ok", "text/plain")
        elif path == "/sign-in":
            self.page()
        elif self.who is None and self.defect != "open to strangers":
            self.send(302, "", Location="/sign-in")
        elif path == "/users":
            allowed = self.who == "admin" or self.defect == "users for all"
            self.send(200 if allowed else 403, "people")
        elif path.startswith("/c/") and not self.mine(path.split("/")[2]):
            self.send(404, "")
        elif path.endswith("/export"):
            markdown = "markdown" in self.path
            kept = {} if self.defect == "export inline" else {"Content-Disposition": "attachment"}
            self.send(200, "{}", "text/markdown" if markdown else "application/json", **kept)
        else:
            self.page(self.kept.get(path.removeprefix("/c/"), ""))

    def mine(self, id: str) -> bool:
        return self.owners.get(id) == self.who or self.defect == "other people's things"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = dict(urllib.parse.parse_qsl(body))
        if fields.get("csrfmiddlewaretoken") != TOKEN and self.defect != "no csrf":
            self.send(403, "")
        elif self.path == "/sign-in":
            self.sign_in(fields)
        elif self.who is None:
            self.send(302 if self.defect == "strangers' forms" else 401, "", Location="/sign-in")
        elif self.path == "/c":
            id = str(uuid.uuid4())
            self.owners[id] = self.who
            self.send(302, "", Location=f"/c/{id}")
        elif not self.mine(self.path.split("/")[2]):
            self.send(404, "")
        elif self.path.endswith("/messages"):
            self.answer(self.path.split("/")[2], fields["content"])
        else:
            self.send(302, "", Location="/")

    def sign_in(self, fields: dict[str, str]) -> None:
        if fields["password"] == PASSWORD or self.defect == "any password":
            flags = "" if self.defect == "cookie without flags" else "; HttpOnly; SameSite=Lax"
            cookie = f"sessionid={session_token(SEED, fields['username'])}; Path=/{flags}"
            self.send(302, "", Location="/", **{"Set-Cookie": cookie})
        else:
            self.page("" if self.defect == "no alert" else '<p role="alert">wrong</p>', status=401)

    def answer(self, id: str, content: str) -> None:
        tag = content.rpartition("tag-")[2].partition("?")[0]
        texts = [f"{nonce_of(SEED, tag)} ", "tok1 ", "[cut]" if self.defect == "cut" else "[end]"]
        if self.defect == "one piece":
            texts = ["".join(texts)]
        if self.defect != "forgets":
            self.kept[id] = "".join(texts)
        if "event-stream" not in self.headers["Accept"]:
            self.send(200 if self.defect == "needs a script" else 302, "", Location=f"/c/{id}")
            return
        events = [("message", {}), *(("token", {"text": text}) for text in texts)]
        events += [] if self.defect == "no done" else [("done", {"html": ""})]
        self.send(200, "".join(f"event: {n}\ndata: {json.dumps(d)}\n\n" for n, d in events), "text/event-stream")

    def page(self, content: str = "", status: int = 200) -> None:
        token = "" if self.defect == "no token" else f'<input name="csrfmiddlewaretoken" value="{TOKEN}">'
        inline = "<script>1</script>" if self.defect == "inline script" else ""
        self.send(status, f'<script src="/chat.js"></script>{inline}{self.who}<form>{token}</form>{content}')

    def send(self, status: int, text: str, media_type: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        secure = {} if self.defect == "no headers" else HEADERS
        length = str(len(text.encode()))
        for name, value in {"Content-Type": media_type, "Content-Length": length, **secure, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def _site(defect: str) -> Iterator[str]:
    handler = type("Handler", (_Site,), {"defect": defect, "owners": {}, "kept": {}})
    with serving(handler) as base_url:
        yield base_url


def _checks(base_url: str) -> list[Check]:
    return check(Subject(target="site", base_url=base_url, protocol="forms", web=False, features=(), seed=SEED))


def test_right_site_passes() -> None:
    with _site("") as base_url:
        checks = _checks(base_url)
    assert [one.text for one in checks if not one.passed] == []
    assert len(checks) == 11


@pytest.mark.parametrize(
    ("defect", "operations", "seen"),
    [
        ("script missing", {"page"}, "/chat.js answered 404"),
        ("inline script", {"page"}, "inline scripts"),
        ("no headers", {"page", "chat"}, "X-Content-Type-Options"),
        ("not healthy", {"page"}, "it answered 200 b'no'"),
        ("open to strangers", {"page"}, "GET / answered 200"),
        ("strangers' forms", {"page"}, "POST /c answered 302, not 401"),
        ("cookie without flags", {"sign-in"}, "not HttpOnly"),
        ("any password", {"sign-in"}, "a wrong password was answered with 302"),
        ("no alert", {"sign-in"}, "shows no alert"),
        ("no csrf", {"csrf"}, "POST /sign-in with the token None"),
        ("one piece", {"chat"}, "it is not streamed"),
        ("cut", {"chat"}, "not with [end]"),
        ("no done", {"chat"}, "the events are"),
        ("forgets", {"chat"}, "does not hold the answer"),
        ("needs a script", {"chat"}, "it answered 200, not 302"),
        ("other people's things", {"access"}, "was answered with 200, not 404"),
        ("users for all", {"access"}, "user0031 was answered with 200, not 403"),
        ("export inline", {"export"}, "does not come as a file"),
        ("no token", {"page", "sign-in", "csrf", "chat", "access", "export"}, "no form with a token"),
    ],
)
def test_defect_is_found(defect: str, operations: set[str], seen: str) -> None:
    with _site(defect) as base_url:
        failed = [one for one in _checks(base_url) if not one.passed]
    assert {one.operation for one in failed} == operations
    assert any(seen in one.text for one in failed), [one.text for one in failed]


def test_nothing_listening_fails_every_check() -> None:
    checks = _checks("http://127.0.0.1:9")
    assert len(checks) == 11
    assert not any(one.passed for one in checks)
