"""The language model: any OpenAI-compatible endpoint."""

import codecs
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx

LLM_BASE_URL = os.environ["LLM_BASE_URL"].rstrip("/")  # with /v1
LLM_MODEL = os.environ.get("LLM_MODEL", "stand-in")
LAST_MESSAGES = 20  # of a conversation, sent to the model
DATA = (b"data:", codecs.BOM_UTF8 + b"data:")  # how a line with data begins
END = b"\n\n"  # completes an event that the end of the stream left open

headers = {"Accept-Encoding": "identity"}
if key := os.environ.get("LLM_API_KEY"):
    headers["Authorization"] = f"Bearer {key}"
# httpx stops at 100 connections by default: the 101st user would wait for another user's answer to end
client = httpx.Client(
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
    timeout=httpx.Timeout(60, connect=5),
    headers=headers,
)


class ModelError(Exception):
    """The model failed, in words for the user who asked."""


def pieces_of_answer(messages: list[dict[str, str]]) -> Iterator[str]:
    """Yield the pieces of the model's answer as they come.

    Raises:
        ModelError: the model refuses, cannot be reached or breaks off; all that came before was yielded.
    """
    body = {"model": LLM_MODEL, "messages": messages[-LAST_MESSAGES:], "stream": True}
    events = Events()
    try:
        with client.stream("POST", f"{LLM_BASE_URL}/chat/completions", json=body) as response:
            if response.status_code != 200:
                raise ModelError(f"The language model answered {response.status_code}.")
            for chunk in response.iter_bytes():
                for piece in events.pieces(chunk):
                    yield piece
                if events.finished:
                    break
    except httpx.HTTPError as error:
        raise ModelError("The language model cannot be reached or broke off.") from error
    for piece in events.pieces(END):
        yield piece
    events.check()


class Events:
    """Takes the text out of the model's server-sent events, however the network cuts them.

    ``finished``: nothing more is to come, because the answer is whole or has failed; ``check`` says which.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data = b""  # of a document that goes on in the next line
        self._spoke = False
        self._failure = ""
        self._over = False  # by the last piece's own word
        self.finished = False

    def pieces(self, chunk: bytes) -> list[str]:
        """Return the pieces of text the chunk completes; what comes before a failure is among them."""
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        pieces: list[str] = []
        for line in lines:
            if self.finished:
                break
            if line.startswith(DATA):
                document = self._data + line.partition(b":")[2].strip()
            elif self._data or line.startswith(b"{"):  # no event: the answer comes whole
                document = self._data + line.strip()
            else:
                continue  # the blank line between events, a comment, another field
            if document != self._data:
                if text := self._text(document):
                    pieces.append(text)
            elif self._data:
                self._fail("The language model sent something that is not an answer.")
        self._spoke = self._spoke or bool(pieces)
        return pieces

    def check(self) -> None:
        """Find the answer whole, now that all its pieces were passed on.

        Raises:
            ModelError: it reported an error, broke off, or holds no text.
        """
        if not (self.finished or self._over):
            self._failure = "The language model broke off."
        elif not self._failure and not self._spoke:
            self._failure = "The language model's answer holds no text."
        if self._failure:
            raise ModelError(self._failure)

    def _text(self, data: bytes) -> str:
        if data == b"[DONE]":
            self.finished = True
            return ""
        try:
            event, self._data = json.loads(data), b""
        except ValueError:
            self._data = data
            return ""
        if not isinstance(event, dict):
            return ""
        if event.get("error") or event.get("object") == "error":
            self._fail("The language model reported an error.")
            return ""
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None  # none: the usage report, a sign of life
        if not isinstance(choice, dict):
            return ""
        said = choice.get("delta") or choice.get("message")
        self._over = bool(choice.get("finish_reason"))
        if self._over:  # some models give a reason with every piece: with text or thoughts it may not be the last
            self.finished = not (isinstance(said, dict) and any(said[name] for name in said if name != "role"))
        return text_of(said)

    def _fail(self, why: str) -> None:
        self._failure, self.finished = why, True


def text_of(said: Any) -> str:
    """Return the text of a message or a piece of one: its content, else its refusal; no database takes a NUL."""
    if not isinstance(said, dict):
        return ""
    text = said.get("content") or said.get("refusal")
    if isinstance(text, list):
        parts = [part.get("text") for part in text if isinstance(part, dict)]
        text = "".join(part for part in parts if isinstance(part, str))
    plain = text.replace("\0", "") if isinstance(text, str) else ""
    return plain if plain.isascii() else plain.encode(errors="replace").decode()  # JSON may bring half of a sign
