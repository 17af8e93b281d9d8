"""The conformance checks' twin of a REST target with a real database behind its searches, and flaws of its own."""

import secrets
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.cookies import SimpleCookie
from typing import Any

from harness.records.recipe import session_token
from tests.doubles.conformance_twin.operations import Handler
from tests.doubles.conformance_twin.state import SEED, Twin
from tests.doubles.conformance_twin.wire import Refusal
from tests.serving import serving

SLEEP_S = 0.4


class Database:
    """Titles, names and passwords in SQLite, asked soundly or by pasting text into a statement."""

    def __init__(self, *, pasting: bool) -> None:
        self.pasting = pasting
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.set_progress_handler(lambda: 1, 1_000_000)  # what would hold it up for seconds is cut short
        self.connection.execute("CREATE TABLE titles (id TEXT, owner TEXT, title TEXT)")
        self.connection.execute("CREATE TABLE users (username TEXT, password TEXT)")
        self.connection.executemany(
            "INSERT INTO users VALUES (?, ?)", [(f"user{n:04d}", f"pbkdf2_sha256$1${n}") for n in range(1, 61)]
        )

    def keep(self, conversation: dict[str, Any]) -> None:
        row = (conversation["id"], conversation["owner"], conversation["title"])
        with self.lock:
            self.connection.execute("DELETE FROM titles WHERE id = ?", row[:1])
            self.connection.execute("INSERT INTO titles VALUES (?, ?, ?)", row)

    def find(self, owner: str, word: str) -> list[tuple[str, str, int, int]]:
        with self.lock:
            if self.pasting:
                sql = f"SELECT id, title, 1, 1 FROM titles WHERE owner = '{owner}' AND title LIKE '%{word}%'"  # noqa: S608
                return list(self.connection.execute(sql))
            sql = "SELECT id, title, 1, 1 FROM titles WHERE owner = ? AND instr(lower(title), lower(?))"
            return list(self.connection.execute(sql, (owner, word)))

    def close(self) -> None:
        self.connection.close()


class FlawedHandler(Handler):
    """One request to a twin whose flaw is one of those below, or one of the conformance checks' defects."""

    database: Database

    def flaw(self, name: str) -> bool:
        return self.twin.defect == name

    def begin(self, body: dict[str, Any]) -> dict[str, Any]:
        owner = body.pop("owner", self.user["username"])
        return self.twin.begin(owner, body.get("title", "")[: 10 if self.flaw("titles are cut") else None])

    def create_conversation(self) -> None:
        kinds = {"title": str} | ({"owner": str} if self.flaw("owner by field") else {})
        conversation = self.begin(self.fields(**kinds))
        self.database.keep(conversation)
        self.json(self.public(conversation), 201)

    def rename_conversation(self, conversation_id: str) -> None:
        if self.flaw("nobody renames"):
            raise Refusal(403)
        conversation = self.find(conversation_id)
        conversation["title"] = self.fields(title=str)["title"]
        if self.flaw("stacked statements") and "UPDATE users" in conversation["title"]:
            self.twin.users["user0042"]["role"] = "admin"
        self.database.keep(conversation)
        self.json(self.public(conversation))

    def list_conversations(self) -> None:
        word = self.query.get("search")
        if self.flaw("lists by field"):
            self.user = self.twin.users.get(self.query.get("owner", ""), self.user)
        if not word:
            super().list_conversations()
            return
        if self.flaw("waits") and "pg_sleep" in word:
            time.sleep(SLEEP_S)
        try:
            found = self.database.find(self.user["username"], word)
        except sqlite3.Error as error:
            told = self.flaw("tells the error")
            self.reply(500 if not told else 400, f"sqlite3.{type(error).__name__}: {error}".encode() if told else b"")
            return
        rows = [{"id": one, "title": title, "created_at": "", "updated_at": ""} for one, title, *_ in found]
        self.json({"count": len(rows), "next": None, "previous": None, "results": rows})

    def find(self, conversation_id: str, *, read: bool = False) -> dict[str, Any]:
        conversation = self.twin.conversations.get(conversation_id)
        role = self.user["role"]
        if conversation is not None and self.flaw("moderators write") and role != "user":
            return conversation
        if conversation is not None and self.flaw("admins write") and role == "admin":
            return conversation
        if conversation is not None and self.flaw("ids told apart") and conversation["owner"] != self.user["username"]:
            raise Refusal(403 if role == "user" else 404) if not read or role == "user" else Refusal(404)
        return super().find(conversation_id, read=read)

    def check_password(self) -> str:
        if self.flaw("sign-in by injection") and "' OR '1'='1" in self.body.decode(errors="replace"):
            return "user0042"
        if self.flaw("names locked together") and sum(self.twin.failures.values()) >= 10:
            raise Refusal(429)
        if self.flaw("names told") and b"nobody-of-this-name" in self.body:
            raise Refusal(404)
        return super().check_password()

    def login(self) -> None:
        if self.flaw("planted session kept"):  # before the answer is out: what it lets in is tried at once
            self.twin.sessions[self.session] = str(self.user.get("username") or "user0044")
        super().login()

    def set_cookie(self, name: str, value: str) -> None:
        if self.flaw("CSRF token kept") and name == "csrftoken":
            value = self.cookie(name) or value
        if self.flaw("planted id stays") and name == "sessionid":
            self.twin.sessions[self.session] = self.twin.sessions[value]
            value = self.session
        super().set_cookie(name, value)
        if self.flaw("cookies of the whole domain"):
            self.cookies[-1] += "; Domain=127.0.0.1"
        if self.flaw("SameSite=None"):
            self.cookies[-1] = self.cookies[-1].replace("Lax", "None")
        if self.flaw("short session") and name == "sessionid":
            self.cookies[-1] = self.cookies[-1].replace(value, value[:8])
            self.twin.sessions[value[:8]] = self.twin.sessions[value]

    def cookie(self, name: str) -> str:
        morsel = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return morsel.value if morsel else ""

    def identify(self, operation: str) -> None:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.flaw("any session signs in") and self.cookie("sessionid"):
            self.twin.sessions.setdefault(self.cookie("sessionid"), "user0041")
        if self.flaw("any token signs in") and bearer:
            self.twin.tokens.setdefault(bearer, "user0041")
        if self.flaw("open to nobody") and not bearer and not self.cookie("sessionid"):
            del self.headers["Cookie"]
            self.headers["Cookie"] = f"sessionid={session_token(SEED, 'user0041')}"
        form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        if self.flaw("forms let through") and form:
            self.body = b'{"title": "forged"}'
        lax = (
            (self.flaw("forms let through") and form)
            or (self.flaw("any token") and self.headers.get("X-CSRFToken"))
            or (self.flaw("text/plain") and self.headers.get("Content-Type") == "text/plain")
        )
        if lax:
            token = secrets.token_hex(16)
            self.headers["X-Given"] = token
            cookie = self.headers.get("Cookie", "")
            del self.headers["Cookie"]
            kept = [part for part in cookie.split("; ") if not part.startswith("csrftoken=")]
            self.headers["Cookie"] = "; ".join([*kept, f"csrftoken={token}"])
            del self.headers["X-CSRFToken"], self.headers["Content-Type"]
            self.headers["X-CSRFToken"], self.headers["Content-Type"] = token, "application/json"
        elif self.foreign() and self.command != "GET":
            raise Refusal(403)
        super().identify(operation)

    def foreign(self) -> bool:
        """Whether a browser says that a page of another origin asks."""
        origin, here = self.headers.get("Origin"), f"http://{self.headers.get('Host')}"
        if self.flaw("ports not looked at") and origin:
            origin, here = (one.rpartition(":")[0] for one in (origin, here))
        return bool(origin) and origin != here and not self.flaw("origin not looked at")

    def head(self, status: int, kind: str, **headers: str) -> None:
        origin = self.headers.get("Origin")
        if self.flaw("reads across") and origin:
            headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        super().head(status, kind, **headers)

    def front_end(self, path: str) -> None:
        path = urllib.parse.unquote(path)
        if self.flaw("metrics open") and path == "/metrics":
            self.reply(200, b"# HELP people signed in", "text/plain")
        elif self.flaw("files outside") and path.endswith("etc/passwd"):
            self.reply(200, b"root:x:0:0:", "text/plain")
        elif path.startswith("/api"):
            self.refuse(Refusal(404))
        else:
            super().front_end(path)

    def route(self) -> None:
        if self.flaw("GET acts") and self.command == "GET" and self.path == "/api/auth/logout":
            self.command = "POST"
            self.headers["Authorization"] = "Bearer x"
            cookies = self.headers.get("Cookie", "")
            session = cookies.partition("sessionid=")[2].partition(";")[0]
            self.twin.sessions.pop(session, None)
            self.reply(204)
            return
        if self.flaw("GET deletes") and self.command == "GET" and "_method=DELETE" in self.path:
            self.twin.conversations.pop(self.path.rpartition("/")[2].partition("?")[0], None)
            self.reply(204)
            return
        if self.flaw("GET hides") and self.command == "GET" and "/hide?" in self.path:
            self.reply(204)
            return
        super().route()


@contextmanager
def running(flaw: str = "", *, pasting: bool = False) -> Iterator[str]:
    """Serve a twin with a flaw; ``pasting`` builds SQL of what it is sent."""
    database = Database(pasting=pasting)
    handler = type("Flawed", (FlawedHandler,), {"twin": Twin(flaw), "database": database})
    with closing(database), serving(handler) as base_url:
        yield base_url
