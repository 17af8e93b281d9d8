"""A program that uses the chatbot by the forms of its pages, with the session cookie and the token of a form."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import requests


class Chatbot:
    """One person's session."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = requests.Session()

    def page(self, path: str, **params: str) -> str:
        answer = self.http.get(self.address + path, params=params, timeout=60)
        answer.raise_for_status()
        return answer.text

    def post(self, path: str, fields: dict[str, str], **options: Any) -> requests.Response:
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page("/"))[0]
        data = fields | {"csrfmiddlewaretoken": token}
        answer = self.http.post(self.address + path, data=data, timeout=60, **options)
        answer.raise_for_status()
        return answer

    def sign_in(self, username: str, password: str) -> None:
        self.post("/sign-in", {"username": username, "password": password})

    def create(self) -> str:
        return self.post("/c", {}).url.rpartition("/")[2]

    def ask(self, conversation: str, text: str) -> str:
        return "".join(self.stream(conversation, text))

    def stream(self, conversation: str, text: str) -> Iterator[str]:
        path, headers, event = f"/c/{conversation}/messages", {"Accept": "text/event-stream"}, ""
        with self.post(path, {"content": text}, headers=headers, stream=True) as answer:
            answer.encoding = "utf-8"
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
        links = re.findall(
            r'<a class="conversation"[^>]* href="/c/([^"]+)"[^>]* title="([^"]*)"', self.page("/", q=words)
        )
        return [(conversation, html.unescape(title)) for conversation, title in links]

    def rename(self, conversation: str, title: str) -> None:
        self.post(f"/c/{conversation}/rename", {"title": title})

    def export(self, conversation: str) -> str:
        return self.page(f"/c/{conversation}/export", format="json")

    def delete(self, conversation: str) -> None:
        self.post(f"/c/{conversation}/delete", {})

    def feedback(self, conversation: str, value: str) -> None:
        answers = re.findall(r'formaction="(/messages/[^"]+/feedback)"', self.page(f"/c/{conversation}"))
        self.post(answers[-1], {"feedback": value})
