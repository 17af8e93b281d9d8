"""The language model, by its OpenAI-compatible HTTP interface.

All answers are received by one event loop in one thread. The thread of a user's script wakes up when text is handed
over: at once for the first token, then at most every ``hand_over_s``, because each update of the page sends the whole
answer again and each wake-up waits for the interpreter lock.
"""

import asyncio
import codecs
import contextlib
import json
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
import streamlit as st
import uvloop

import settings

CONNECT_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 60.0
END_WAIT_S = 0.2
DATA = (b"data:", codecs.BOM_UTF8 + b"data:")  # how a line with data begins
END = b"\n\n"  # completes an event that the end of the stream left open

ChatMessage = dict[str, str]


class ModelError(Exception):
    """The model did not answer, or not to the end; the text is meant for the user who asked."""


class _Batch:
    """Text on its way from the event loop to a script's thread; the event loop's methods run in that loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hand_over_s: float) -> None:
        self._loop = loop
        self._hand_over_s = hand_over_s
        self._parts: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_at = float("-inf")
        self.ready: queue.SimpleQueue[str | ModelError | None] = queue.SimpleQueue()

    def add(self, *pieces: str) -> None:
        self._parts += pieces
        if self._parts and self._timer is None:
            wait_s = max(0.0, self._flushed_at + self._hand_over_s - self._loop.time())
            if wait_s == 0.0:
                self.flush()
            else:
                self._timer = self._loop.call_later(wait_s, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._parts:
            self.ready.put("".join(self._parts))
            self._parts.clear()
            self._flushed_at = self._loop.time()

    def end(self, error: ModelError | None = None) -> None:
        self.flush()
        self.ready.put(error)


class Model:
    """A client of the model with its own event loop, connections kept open."""

    def __init__(self, base_url: str, api_key: str | None, name: str, hand_over_s: float = 0.1) -> None:
        self._url = f"{base_url}/chat/completions"
        self._name = name
        self._hand_over_s = hand_over_s
        self._loop = uvloop.new_event_loop()
        self._client = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {}),
            timeout=httpx.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            # httpx allows 100 connections unless told otherwise: the 101st answer would wait for another to end
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=200),
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name="model", daemon=True)
        self._thread.start()

    def stream(self, messages: Sequence[ChatMessage]) -> Iterator[str]:
        """Yield the answer's text as it comes in; closing the iterator cancels the request.

        Raises:
            ModelError: the model failed, in words for the user who asked.
        """
        batch = _Batch(self._loop, self._hand_over_s)
        answer = asyncio.run_coroutine_threadsafe(self._receive(messages, batch), self._loop)
        try:
            while (item := batch.ready.get()) is not None:
                if isinstance(item, ModelError):
                    raise item
                yield item
        finally:
            answer.cancel()

    def close(self) -> None:
        """Close all connections and end the thread."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _shut(self) -> None:
        await self._client.aclose()
        # an answer that could not be read leaves its generators to the loop, which closes them while it runs
        await self._loop.shutdown_asyncgens()

    async def _receive(self, messages: Sequence[ChatMessage], batch: _Batch) -> None:
        body = {"model": self._name, "messages": list(messages), "stream": True}
        events = Events()
        error: ModelError | None = ModelError("The answer could not be read. Try again.")
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                _check(response)
                chunks = response.aiter_bytes()
                async for chunk in chunks:
                    batch.add(*events.pieces(chunk))
                    if events.finished:
                        break
                batch.add(*events.pieces(END))
                events.check()
                error = None
                await _read_to_end(chunks)
        except ModelError as refusal:
            error = refusal
        except httpx.ConnectError:
            error = ModelError("The model cannot be reached at the moment.")
        except httpx.TimeoutException:
            error = ModelError("The model took too long to answer.")
        except httpx.HTTPError:
            error = ModelError("The connection to the model was lost.")
        finally:
            batch.end(error)


def _check(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        seconds = response.headers.get("retry-after", "")
        wait = f"in {seconds} seconds" if seconds.isdecimal() else "in a moment"
        raise ModelError(f"The model has too much to do. Try again {wait}.")
    if response.status_code != httpx.codes.OK:
        raise ModelError(f"The model reported an error (HTTP {response.status_code}).")


async def _read_to_end(chunks: AsyncIterator[bytes]) -> None:
    """Read the end of the response, so that the connection can be used again; however it ends, the answer is whole."""
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(END_WAIT_S):
            async for _ in chunks:
                pass


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


@st.cache_resource(show_spinner=False)
def get_model() -> Model:
    """Return this process's client of the model."""
    env = settings.load()
    return Model(env.llm_base_url, env.llm_api_key, env.llm_model, env.hand_over_s)
