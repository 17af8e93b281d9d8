"""The operations of a twin: the contract's, each with the defects it may have."""

import hashlib
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

from harness.probes.world import OPERATIONS
from harness.records.recipe import PASSWORD
from tests.doubles.conformance_twin.state import SEED
from tests.doubles.conformance_twin.wire import Refusal, Wire

TAG = re.compile(r"\btag-([0-9a-f]{16})\b(?:\?(\S+))?")


class Handler(Wire):
    """One request and its operation."""

    def health(self) -> None:
        self.json({"status": "ok"})

    def schema(self) -> None:
        paths: dict[str, dict[str, object]] = {}
        for method, path in OPERATIONS.values():
            paths.setdefault(path, {})[method.lower()] = {}
        self.json({"openapi": "3.1.0", "info": {}, "paths": paths})

    def check_password(self) -> str:
        body = self.fields(username=str, password=str)
        name = body["username"]
        if self.twin.failures.get(name, 0) >= 10 and self.twin.defect != "no rate limit":
            raise Refusal(429, Retry_After="60")
        leaks = self.twin.defect == "names leak by time"
        if name in self.twin.users or not leaks:
            rounds = 200_000 if leaks else 20_000  # a leak that a busy machine cannot hide
            hashlib.pbkdf2_hmac("sha256", body["password"].encode(), b"salt", rounds)
        user = self.twin.users.get(name)
        if body["password"] != PASSWORD or user is None or not user["is_active"]:
            self.twin.failures[name] = self.twin.failures.get(name, 0) + 1
            raise Refusal(401)
        return str(name)

    def login(self) -> None:
        name, session = self.check_password(), secrets.token_hex(16)
        self.twin.sessions[session] = name
        self.cookies.clear()
        self.set_cookie("csrftoken", secrets.token_hex(16))
        self.set_cookie("sessionid", session)
        self.json(self.twin.users[name])

    def logout(self) -> None:
        if self.twin.defect != "logout forgets the server":
            self.twin.tokens.pop(self.bearer, None)
            self.twin.sessions.pop("" if self.bearer else self.session, None)
        self.reply(204)

    def me(self) -> None:
        self.json(self.user)

    def create_token(self) -> None:
        token = secrets.token_urlsafe(32)
        self.twin.tokens[token] = self.check_password()
        self.json({"token": token})

    def list_conversations(self) -> None:
        if "\x00" in self.query.get("search", ""):
            raise Refusal(400, "search")
        word = self.query.get("search", "").lower() if self.twin.defect != "search finds all" else ""
        mine = [c for c in self.twin.conversations.values() if c["owner"] == self.user["username"]]
        found = [c for c in mine if word in c["title"].lower()]
        self.page_of([self.public(c) for c in sorted(found, key=lambda c: str(c["updated_at"]), reverse=True)])

    @staticmethod
    def public(conversation: dict[str, Any]) -> dict[str, Any]:
        return {name: conversation[name] for name in ("id", "title", "created_at", "updated_at")}

    def create_conversation(self) -> None:
        title = self.fields(title=str).get("title", "")
        self.json(self.public(self.twin.begin(self.user["username"], title)), 201)

    def find(self, conversation_id: str, *, read: bool = False) -> dict[str, Any]:
        conversation = self.twin.conversations.get(conversation_id)
        moderates = read and self.user["role"] != "user"
        leaks = self.twin.defect == "others' conversations leak"
        if conversation is None or not (conversation["owner"] == self.user["username"] or moderates or leaks):
            raise Refusal(404)
        return conversation

    def get_conversation(self, conversation_id: str) -> None:
        self.json(self.public(self.find(conversation_id, read=True)))

    def rename_conversation(self, conversation_id: str) -> None:
        conversation = self.find(conversation_id)
        conversation["title"] = self.fields(title=str)["title"]
        self.json(self.public(conversation))

    def delete_conversation(self, conversation_id: str) -> None:
        self.find(conversation_id)
        if self.twin.defect != "deleting keeps":
            del self.twin.conversations[conversation_id]
        self.reply(204)

    def seen(self, message: dict[str, Any]) -> dict[str, Any]:
        veiled = message["hidden"] and self.user["role"] == "user"
        return message | ({"content": ""} if veiled else {})

    def list_messages(self, conversation_id: str) -> None:
        self.json({"results": [self.seen(m) for m in self.find(conversation_id, read=True)["messages"]]})

    def export_conversation(self, conversation_id: str) -> None:
        conversation = self.find(conversation_id)
        kind, suffix = {"json": ("application/json", "json"), "markdown": ("text/markdown", "md")}.get(
            self.query.get("format", "json"), ("", "")
        )
        if not kind:
            raise Refusal(400, "format")
        messages = [self.seen(m) for m in conversation["messages"]]
        text = json.dumps(self.public(conversation) | {"messages": messages})
        if suffix == "md":
            text = "\n\n".join(m["content"] for m in messages)
        name = f'attachment; filename="conversation-{conversation_id}.{suffix}"'
        self.reply(200, text.encode(), kind, Content_Disposition=name)

    def answer_of(self, message_id: str, *, anybody: bool) -> dict[str, Any]:
        for conversation in self.twin.conversations.values():
            if anybody or conversation["owner"] == self.user["username"]:
                messages: list[dict[str, Any]] = conversation["messages"]
                for message in messages:
                    if message["id"] == message_id:
                        if message["role"] == "user":
                            raise Refusal(400)
                        return message
        raise Refusal(404)

    def set_feedback(self, message_id: str) -> None:
        message = self.answer_of(message_id, anybody=False)
        message["feedback"] = self.fields(value=("up", "down", None))["value"]
        self.json(self.seen(message))

    def hide_message(self, message_id: str) -> None:
        if self.user["role"] == "user" and self.twin.defect != "wrong roles":
            raise Refusal(403)
        message = self.answer_of(message_id, anybody=True)
        message["hidden"] = self.fields(hidden=bool)["hidden"]
        self.json(self.seen(message))

    def list_users(self) -> None:
        self.only_admins()
        word = self.query.get("search", "")
        users = sorted(self.twin.users.values(), key=lambda user: str(user["username"]))
        self.page_of([user for user in users if word in user["username"]])

    def only_admins(self) -> None:
        if self.user["role"] != "admin" and not (
            self.twin.defect == "wrong roles" and self.user["role"] == "moderator"
        ):
            raise Refusal(403)

    def update_user(self, user_id: str) -> None:
        self.only_admins()
        user = next((u for u in self.twin.users.values() if str(u["id"]) == user_id), None)
        if user is None:
            raise Refusal(404)
        change = self.fields(role=("user", "moderator", "admin"), is_active=(True, False))
        if not change or (user is self.user and self.twin.defect != "admins lock themselves out"):
            raise Refusal(400)
        user.update(change)
        self.json(user)

    # --- messages

    def send_message(self, conversation_id: str) -> None:
        with self.twin.lock:
            conversation = self.find(conversation_id)
            content = self.fields(content=str).get("content")
            if content is None or len(content) > 100_000:
                raise Refusal(400, "content")
            name = self.user["username"]
            self.twin.sent[name] = self.twin.sent.get(name, 0) + 1
            if self.twin.sent[name] > self.twin.per_minute and self.twin.defect != "no rate limit":
                raise Refusal(429, Retry_After="30")
            stored = content.replace("\u202e", "") if self.twin.defect == "texts are cleaned" else content
            message = self.twin.message("user", stored)
            conversation["messages"].append(message)
            conversation["title"] = conversation["title"] or " ".join(content.split())[:60].strip()
            conversation["updated_at"] = message["created_at"]
            begun = {"message": message, "conversation": self.public(conversation)}
            if self.twin.defect == "titled too late":
                begun["conversation"]["title"] = ""
        tag, options = self.options(content)
        if "text/event-stream" in self.headers.get("Accept", ""):
            self.stream(conversation, begun, tag, options)
            return
        if options.get("fault"):
            raise Refusal(502)
        answer = self.twin.message("assistant", "".join(self.tokens(tag, options)))
        conversation["messages"].append(answer)
        self.json({"message": message, "answer": answer}, 201)

    @staticmethod
    def options(content: str) -> tuple[str, dict[str, str]]:
        found = TAG.findall(content)
        tag, query = found[-1] if found else ("0" * 16, "tokens=2")
        return tag, dict(urllib.parse.parse_qsl(query))

    def tokens(self, tag: str, options: dict[str, str]) -> list[str]:
        nonce = hashlib.sha256(f"{SEED}:{tag}".encode()).hexdigest()[:12]
        nonce = "0" * 12 if self.twin.defect == "another answer" else nonce
        end = "word " if self.twin.defect == "no end marker" else "[end]"
        return [nonce + " ", *["word "] * (int(options.get("tokens", 2)) - 2), end]

    def stream(self, conversation: dict[str, Any], begun: dict[str, Any], tag: str, options: dict[str, str]) -> None:
        defect, answer = self.twin.defect, self.twin.message("assistant", "")
        self.head(200, "text/event-stream", Cache_Control="no-cache", X_Accel_Buffering="no", Connection="close")
        self.close_connection = True
        self.event("message", begun | {"answer_id": answer["id"]})
        request_s, emitted = time.monotonic(), list[float]()
        finished = False
        try:
            for text in self.spoken(tag, options):
                emitted.append(time.monotonic() - request_s)
                answer["content"] += text
                try:
                    if defect != "buffers the answer":
                        self.event("token", {"text": text})
                except OSError:
                    if defect != "speaks to nobody":
                        raise
            finished = True
        finally:
            if answer["content"] and (finished or defect != "forgets interrupted answers"):
                conversation["messages"].append(answer)
            self.write_log({"tag": tag, "request_s": request_s, "emit_s": emitted, "finished": finished})
        if defect == "buffers the answer":
            for text in self.tokens(tag, options):
                self.event("token", {"text": text})
        failed = options.get("fault") and defect != "failure looks like an end"
        self.event("error", self.problem(502)) if failed else self.event("done", {"message": answer})

    def spoken(self, tag: str, options: dict[str, str]) -> Iterator[str]:
        """Yield tokens when they are due, as the model would."""
        if options.get("fault") in ("500", "429"):
            return
        due_s = time.monotonic() + float(options.get("ttft_s", 0))
        tokens = self.tokens(tag, options)
        for text in tokens[: len(tokens) // 2] if options.get("fault") else tokens:
            time.sleep(max(0.0, due_s - time.monotonic()))
            yield text
            due_s += float(options.get("itl_s", 0))

    def write_log(self, line: dict[str, Any]) -> None:
        if self.twin.log is not None:
            with self.twin.lock, self.twin.log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")

    def event(self, name: str, data: object) -> None:
        self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
