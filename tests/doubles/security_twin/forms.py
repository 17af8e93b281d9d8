"""A twin of a target of server-rendered pages, with flaws to be found."""

import hmac
import html
import json
import re
import secrets
import sqlite3
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from harness.records.recipe import PASSWORD, session_token
from tests.doubles.conformance_twin import SEED
from tests.serving import serving
from tests.unit.harness.probes.contract.test_forms import HEADERS

NAMES = ("admin", "moderator", "user0001", *(f"user{number:04d}" for number in range(41, 47)))
ALLOWED_GUESSES = 10
SLEEP_S = 0.4


class State:
    """All that the site keeps."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw
        self.users = {
            name: {"id": str(number), "role": name if number < 3 else "user", "active": True}
            for number, name in enumerate(NAMES, 1)
        }
        self.sessions = {session_token(SEED, name): name for name in NAMES}
        self.threads: dict[str, dict[str, Any]] = {}
        self.guesses: dict[str, int] = {}

    def owner_of(self, answer: str) -> str:
        return next((id for id, one in self.threads.items() if answer in one["answers"]), "")

    def found(self, who: str, word: str) -> list[tuple[str, str]]:
        """Search one's titles; flawed, by a statement that the word is pasted into."""
        mine = [(id, one["title"]) for id, one in self.threads.items() if one["owner"] == who]
        if self.flaw != "pasted search":
            return [one for one in mine if word.lower() in one[1].lower()]
        database = sqlite3.connect(":memory:")
        database.set_progress_handler(lambda: 1, 100_000)
        database.execute("CREATE TABLE titles (id TEXT, title TEXT)")
        database.executemany("INSERT INTO titles VALUES (?, ?)", mine)
        try:
            return list(database.execute(f"SELECT id, title FROM titles WHERE title LIKE '%{word}%'"))  # noqa: S608
        finally:
            database.close()


class Site(BaseHTTPRequestHandler):
    """One request."""

    state: ClassVar[State]

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def flaw(self, name: str) -> bool:
        return self.state.flaw == name

    def do_GET(self) -> None:
        self.begin()
        if self.flaw("GET acts") and self.path.startswith("/sign-out"):
            self.state.sessions.pop(self.session, None)
        path = self.route
        if path == "/health":
            self.send(200, "ok")
        elif path == "/sign-in":
            self.page(200, "")
        elif path == "/metrics" and self.flaw("metrics open"):
            self.send(200, "# HELP requests")
        elif self.who is None and not (self.flaw("exports open") and path.endswith("/export")):
            known = path in ("/", "/users") or re.fullmatch(r"/c/[0-9a-f-]{36}(/export)?", path)
            self.send(302 if known else 404, "", Location="/sign-in")
        elif path == "/":
            self.list()
        elif path == "/users":
            self.list_users()
        elif path.startswith("/c/"):
            self.show(*path.split("/")[2:4])
        else:
            self.send(405 if path in ("/sign-out",) or path.startswith("/messages/") else 404, "")

    def do_OPTIONS(self) -> None:
        self.begin()
        self.send(405, "")

    def do_POST(self) -> None:
        self.begin()
        if not self.has_token():
            self.send(403, "")
        elif self.route == "/sign-in":
            self.sign_in()
        elif self.route == "/sign-out":
            if not self.flaw("session outlives signing out"):
                self.state.sessions.pop(self.session, None)
            self.send(302, "", Location="/sign-in")
        elif self.who is None:
            self.send(401, "")
        else:
            self.act()

    def begin(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        self.fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True)) if form else {}
        split = urllib.parse.urlsplit(self.path)
        self.route = urllib.parse.unquote(split.path)
        self.query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        given = {name: morsel.value for name, morsel in cookies.items()}
        self.session, self.csrf = given.get("sessionid", ""), given.get("csrftoken", "")
        self.cookies: list[str] = []
        name = self.state.sessions.get(self.session)
        if self.flaw("any session signs in") and self.session:
            name = name or "user0041"
        active = name is not None and (self.state.users[name]["active"] or self.flaw("deactivated users stay"))
        self.who = name if active else None
        self.role = self.state.users[name]["role"] if name and active else ""

    def has_token(self) -> bool:
        if self.flaw("scripts need no token") and self.headers.get("X-Requested-With"):
            return True
        if self.flaw("no CSRF") or (self.flaw("no CSRF at sign-in") and self.route == "/sign-in"):
            return True
        given = self.fields.get("csrfmiddlewaretoken", "")
        own = hmac.compare_digest(given, self.csrf) or (self.flaw("anybody's token") and len(given) == 32)
        foreign = "attacker" in self.headers.get("Origin", "") and not self.flaw("origin not looked at")
        return bool(given) and own and not foreign

    def sign_in(self) -> None:
        name, state = self.fields.get("username", ""), self.state
        guesses = sum(state.guesses.values()) if self.flaw("names locked together") else state.guesses.get(name, 0)
        if guesses >= ALLOWED_GUESSES and not self.flaw("no rate limit"):
            self.page(429, "too often")
            return
        user = state.users.get(name)
        right = user is not None and user["active"] and self.fields.get("password") == PASSWORD
        if self.flaw("sign-in by injection") and "' OR '1'='1" in name:
            right, name = True, "user0042"
        if not right:
            state.guesses[name] = state.guesses.get(name, 0) + 1
            self.page(401, "unknown name" if self.flaw("names told") and user is None else "wrong")
            return
        value = self.session if self.flaw("planted session kept") else secrets.token_hex(16)
        value = value[:8] if self.flaw("short session") else value
        state.sessions[value] = name
        flags = "" if self.flaw("readable session cookie") else "; HttpOnly"
        site = "None" if self.flaw("SameSite=None") else "Lax"
        flags += "; Domain=127.0.0.1" if self.flaw("cookies of the whole domain") else ""
        self.cookies.append(f"sessionid={value}; Path=/; SameSite={site}{flags}")
        self.new_csrf()
        onward = self.fields.get("next", "/")
        self.send(302, "", Location=onward if self.flaw("sent elsewhere") else "/")

    def new_csrf(self) -> None:
        if not (self.flaw("CSRF token kept") and self.csrf):
            self.csrf = secrets.token_hex(16)
        self.cookies.append(f"csrftoken={self.csrf}; Path=/; SameSite=Lax")

    def act(self) -> None:
        parts = self.route.strip("/").split("/")
        if parts in (["c"], ["messages"]):
            self.begin_thread()
        elif parts[0] == "users" and len(parts) == 2:
            self.change_user(parts[1])
        elif parts[0] == "messages" and parts[-1] == "hide":
            self.hide(parts[1])
        elif parts[0] == "messages" and parts[-1] == "feedback":
            self.rate(parts[1])
        elif parts[0] == "c" and len(parts) == 3:
            self.change(parts[1], parts[2])
        else:
            self.send(404, "")

    def begin_thread(self) -> None:
        id = str(uuid.uuid4())
        owner = self.fields.get("owner", self.who) if self.flaw("owner by field") else self.who
        content = self.fields.get("content", "")
        self.state.threads[id] = {"owner": owner, "title": content[:60], "messages": [], "answers": []}
        if content:
            self.say(id, content)
        self.send(302, "", Location=f"/c/{id}")

    def say(self, id: str, content: str) -> None:
        thread = self.state.threads[id]
        thread["messages"] += [{"role": "user", "content": content}, {"role": "assistant", "content": "yes"}]
        thread["answers"].append(str(uuid.uuid4()))

    def may_write(self, id: str) -> bool:
        thread = self.state.threads.get(id)
        if thread is None:
            return False
        allowed = {"moderators write": ("moderator", "admin"), "admins write": ("admin",)}.get(self.state.flaw, ())
        return thread["owner"] == self.who or self.role in allowed

    def change(self, id: str, what: str) -> None:
        if not self.may_write(id):
            self.send(404, "")
            return
        if what == "rename" and self.flaw("nobody renames"):
            self.send(403, "")
            return
        if what == "rename":
            self.state.threads[id]["title"] = self.fields["title"]
            if self.flaw("stacked statements") and "UPDATE users" in self.fields["title"]:
                self.state.users["user0042"]["role"] = "admin"
        elif what == "delete":
            del self.state.threads[id]
        else:
            self.say(id, self.fields["content"])
        self.send(302, "", Location=f"/c/{id}")

    def rate(self, answer: str) -> None:
        if not self.may_write(self.state.owner_of(answer)):
            self.send(404, "")
        else:
            self.send(302 if self.fields.get("feedback") in ("up", "down", "") else 400, "", Location="/")

    def hide(self, answer: str) -> None:
        if self.role == "user" and not self.flaw("everybody moderates"):
            self.send(403, "")
        elif not self.state.owner_of(answer):
            self.send(404, "")
        else:
            self.send(302 if self.fields.get("hidden") in ("true", "false") else 400, "", Location="/")

    def change_user(self, id: str) -> None:
        user = next((one for one in self.state.users.values() if one["id"] == id), None)
        if self.role != "admin":
            self.send(403, "")
        elif user is None:
            self.send(404, "")
        elif self.fields.get("role") in ("user", "moderator", "admin"):
            user["role"] = self.fields["role"]
            self.send(302, "", Location="/users")
        elif self.fields.get("is_active") in ("true", "false"):
            user["active"] = self.fields["is_active"] == "true"
            self.send(302, "", Location="/users")
        else:
            self.send(400, "")

    def list(self) -> None:
        word, who = self.query.get("q", ""), self.who or ""
        if self.flaw("lists by field"):
            who = self.query.get("owner", who)
        if self.flaw("waits") and "pg_sleep" in word:
            time.sleep(SLEEP_S)
        try:
            rows = self.state.found(who, word)
        except sqlite3.Error as error:
            self.send(500, f"sqlite3.{type(error).__name__}: {error}")
            return
        links = (
            f'<a class="conversation" href="/c/{id}" title="{html.escape(str(title))}">x</a>' for id, title in rows
        )
        self.page(200, "".join(links))

    def list_users(self) -> None:
        if self.role != "admin":
            self.send(403, "")
            return
        word = self.query.get("name", "").lower()
        rows = [
            f'<tr><form action="/users/{one["id"]}"><select aria-label="Role of {name}"><option selected>{one["role"]}'
            f'</option></select><button aria-label="{"Deactivate" if one["active"] else "Activate"} {name}"></tr>'
            for name, one in self.state.users.items()
            if word in name
        ]
        self.page(200, f'<span class="hint">{len(rows)}</span>' + "".join(rows))

    def show(self, id: str, export: str = "") -> None:
        thread = self.state.threads.get(id)
        reads = thread is not None and (thread["owner"] == self.who or (self.role != "user" and not export))
        if thread is not None and (self.flaw("others' conversations leak") or (self.flaw("exports open") and export)):
            reads = True
        if export not in ("", "export"):
            self.send(405, "")
        elif thread is None or not reads:
            text = "not yours" if self.flaw("ids told apart") and thread is not None else "nothing"
            self.send(404, text)
        elif export and self.query.get("format", "json") not in ("json", "markdown"):
            self.send(400, "")
        elif export:
            self.send(200, json.dumps({"title": thread["title"], "messages": thread["messages"]}))
        else:
            buttons = "".join(f'<button formaction="/messages/{one}/feedback">' for one in thread["answers"])
            self.page(200, html.escape(json.dumps(thread["messages"])) + buttons)

    def page(self, status: int, content: str) -> None:
        if not self.csrf:
            self.new_csrf()
        self.send(status, f'<input name="csrfmiddlewaretoken" value="{self.csrf}">{content}', "text/html")

    def send(self, status: int, text: str, media_type: str = "text/html", **headers: str) -> None:
        content = text.encode()
        self.send_response(status)
        secure = {} if self.flaw("no security headers") else HEADERS
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **secure}.items():
            self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.flaw("reads across"):
            self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        for cookie in self.cookies:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running(flaw: str = "") -> Iterator[str]:
    """Serve a twin with one flaw, or none; give its address."""
    handler = type("Flawed", (Site,), {"state": State(flaw)})
    with serving(handler) as base_url:
        yield base_url
