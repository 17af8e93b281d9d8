"""A REST API of the contract, in memory: as much of it as the page asks for, and what it was asked."""

import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "correct horse"


class Rest:
    """The API's state; a test changes it at will."""

    def __init__(self) -> None:
        self.users = [
            {"id": 1, "username": "ann", "role": "user", "is_active": True},
            {"id": 2, "username": "mod", "role": "moderator", "is_active": True},
            {"id": 3, "username": "root", "role": "admin", "is_active": True},
        ]
        self.sessions = {f"session-of-{user['username']}": user for user in self.users}
        self.conversations: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.forged: list[str] = []  # unsafe requests whose cookie and header disagreed
        self.cookies: list[str] = []
        self.answer: list[str] = ["Some ", "**answer**"]
        self.refuse_messages: tuple[int, str] | None = None
        self.break_off = False
        self.pause_s = 0.0
        self.left = threading.Event()  # a client went before its answer was over

    def conversation(self, title: str = "", owner: str = "ann", messages: tuple[str, ...] = ()) -> str:
        """Add a conversation with messages of both sides in turn."""
        number = str(uuid.uuid4())
        self.conversations[number] = {"id": number, "title": title, "owner": owner, "created_at": "", "updated_at": ""}
        self.messages[number] = [message(text, i % 2) for i, text in enumerate(messages)]
        return number


def message(content: str, answer: int = 0) -> dict[str, Any]:
    role = "assistant" if answer else "user"
    return {
        "id": str(uuid.uuid4()),
        "role": role,
        "content": content,
        "created_at": "2025-04-08T08:00:00Z",
        "hidden": False,
        "feedback": None,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers one request out of the state."""

    protocol_version = "HTTP/1.1"
    rest: Rest

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _any(self) -> None:
        rest, url = self.rest, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        cookies = dict(pair.split("=", 1) for pair in self.headers.get("Cookie", "").split("; ") if "=" in pair)
        rest.cookies.append(self.headers.get("Cookie", ""))
        path = url.path.removeprefix("/api")
        rest.asked.append((self.command, path, body))
        if self.command != "GET" and cookies.get("csrftoken") != self.headers.get("X-CSRFToken"):
            rest.forged.append(path)
        user = rest.sessions.get(cookies.get("sessionid", ""))
        if path == "/auth/login":
            self._log_in(body)
        elif user is None or not user["is_active"]:
            self._problem(401, "Sign in first.")
        else:
            self._signed_in(user, path, {k: v[0] for k, v in parse_qs(url.query).items()}, body, cookies)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  # the names http.server calls

    def _log_in(self, body: dict[str, str]) -> None:
        user = next((u for u in self.rest.users if u["username"] == body["username"]), None)
        if user is None or body["password"] != PASSWORD:
            self._problem(401, "Wrong.")
        else:
            self._json(user, cookie=f"sessionid=session-of-{user['username']}; HttpOnly; Path=/")

    def _signed_in(
        self, user: dict[str, Any], path: str, query: dict[str, str], body: Any, cookies: dict[str, str]
    ) -> None:
        rest, words = self.rest, path.strip("/").split("/")
        if path == "/auth/me":
            self._json(user)
        elif path == "/auth/logout":
            del rest.sessions[cookies["sessionid"]]
            self._json(None, 204)
        elif path == "/conversations" and self.command == "POST":
            self._json(rest.conversations[rest.conversation(owner=user["username"])], 201)
        elif path == "/conversations":
            own = [c for c in rest.conversations.values() if c["owner"] == user["username"]]
            self._page([c for c in own if query.get("search", "").lower() in c["title"].lower()])
        elif words[0] == "conversations":
            self._conversation(user, words[1:], query, body)
        elif words[0] == "messages":
            found = next(m for kept in rest.messages.values() for m in kept if m["id"] == words[1])
            found |= {"feedback": body["value"]} if words[2] == "feedback" else {"hidden": body["hidden"]}
            self._json(found)
        elif user["role"] != "admin":
            self._problem(403, "Your role does not allow this.")
        elif self.command == "PATCH":
            changed = next(u for u in rest.users if u["id"] == int(words[2]))
            changed |= body
            self._json(changed)
        else:
            self._page([u for u in rest.users if query.get("search", "") in u["username"]])

    def _conversation(self, user: dict[str, Any], words: list[str], query: dict[str, str], body: Any) -> None:
        rest, number = self.rest, words[0]
        found = rest.conversations.get(number)
        if found is None or (found["owner"] != user["username"] and user["role"] == "user"):
            self._problem(404, "There is no such conversation.")
        elif words[1:] == ["messages"] and self.command == "POST":
            self._exchange(number, body["content"])
        elif words[1:] == ["messages"]:
            self._json({"results": rest.messages[number]})
        elif words[1:] == ["export"]:
            self._json({"format": query["format"], "title": found["title"]})
        elif self.command == "DELETE":
            del rest.conversations[number]
            self._json(None, 204)
        else:
            found |= body or {}
            self._json(found)

    def _exchange(self, number: str, content: str) -> None:
        rest = self.rest
        if rest.refuse_messages is not None:
            self._problem(*rest.refuse_messages)
            return
        asked, answer = message(content), message("", 1)
        rest.messages[number].append(asked)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            about = {name: rest.conversations[number][name] for name in ("id", "title", "created_at", "updated_at")}
            self._event("message", {"message": asked, "answer_id": answer["id"], "conversation": about})
            for text in rest.answer:
                self._event("token", {"text": text})
                answer["content"] += text
                time.sleep(rest.pause_s)
        except OSError:
            rest.left.set()
        rest.messages[number].append(answer)
        if rest.break_off:
            self._event("error", {"title": "Bad Gateway", "status": 502, "detail": "The model broke off."})
        elif not rest.left.is_set():
            self._event("done", {"message": answer})
        self.close_connection = True

    def _event(self, name: str, data: Any) -> None:
        self.wfile.write(f": a comment\r\nevent: {name}\r\ndata: {json.dumps(data)}\r\n\r\n".encode())

    def _page(self, results: list[Any]) -> None:
        self._json({"count": len(results), "next": None, "previous": None, "results": results})

    def _problem(self, status: int, detail: str) -> None:
        self._json({"type": "about:blank", "title": "No", "status": status, "detail": detail}, status)

    def _json(self, document: Any, status: int = 200, cookie: str | None = None) -> None:
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)


class Server:
    """The API on a port of the kernel's choice, for the block."""

    def __init__(self) -> None:
        self.rest = Rest()
        handler = type("Bound", (Handler,), {"rest": self.rest})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Server":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
