"""A program that uses the chatbot by its REST interface, with a bearer token."""

import json
from collections.abc import Iterator
from typing import Any

import requests

CHATS = "/api/conversations"


class Chatbot:
    """One person's access to the chatbot."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = requests.Session()
        self.http.headers["Accept"] = "application/json"

    def call(self, method: str, path: str, body: object = None, **options: Any) -> requests.Response:
        answer = self.http.request(method, self.address + path, json=body, timeout=60, **options)
        answer.raise_for_status()
        return answer

    def sign_in(self, username: str, password: str) -> None:
        token = self.call("POST", "/api/auth/token", {"username": username, "password": password}).json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def create(self) -> str:
        return str(self.call("POST", CHATS, {}).json()["id"])

    def ask(self, conversation: str, text: str) -> str:
        exchange = self.call("POST", f"{CHATS}/{conversation}/messages", {"content": text}).json()
        return str(exchange["answer"]["content"])

    def stream(self, conversation: str, text: str) -> Iterator[str]:
        path, headers, event = f"{CHATS}/{conversation}/messages", {"Accept": "text/event-stream"}, ""
        with self.call("POST", path, {"content": text}, headers=headers, stream=True) as answer:
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "token":
                    yield json.loads(value)["text"]
        if event != "done":
            raise RuntimeError(f"the answer ended with {event}")

    def conversations(self) -> list[tuple[str, str]]:
        return self.search("")

    def search(self, words: str) -> list[tuple[str, str]]:
        page = self.call("GET", CHATS, params={"search": words}).json()
        return [(found["id"], found["title"]) for found in page["results"]]

    def rename(self, conversation: str, title: str) -> None:
        self.call("PATCH", f"{CHATS}/{conversation}", {"title": title})

    def export(self, conversation: str) -> str:
        return self.call("GET", f"{CHATS}/{conversation}/export", params={"format": "json"}).text

    def delete(self, conversation: str) -> None:
        self.call("DELETE", f"{CHATS}/{conversation}")

    def feedback(self, conversation: str, value: str) -> None:
        messages = self.call("GET", f"{CHATS}/{conversation}/messages").json()["results"]
        self.call("PUT", f"/api/messages/{messages[-1]['id']}/feedback", {"value": value})
