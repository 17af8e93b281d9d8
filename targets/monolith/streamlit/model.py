"""The language model, by its OpenAI-compatible HTTP interface.

All answers are received by one event loop in one thread. The thread of a user's script wakes up when text is handed
over: at once for the first token, then at most every ``hand_over_s``, because each update of the page sends the whole
answer again and each wake-up waits for the interpreter lock.
"""

import asyncio
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

    def add(self, text: str) -> None:
        self._parts.append(text)
        if self._timer is None:
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
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
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
        error: ModelError | None = ModelError("The answer could not be read. Try again.")
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                _check(response)
                finished = False
                async for event in _events(response):
                    text, done = _read(event)
                    finished = finished or done
                    if text:
                        batch.add(text)
            error = None if finished else ModelError("The model stopped before the end of its answer.")
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


async def _events(response: httpx.Response) -> AsyncIterator[Any]:
    """Yield the JSON documents of a server-sent event stream up to its ``[DONE]``."""
    async for line in response.aiter_lines():
        data = line[5:].strip() if line.startswith("data:") else ""
        if data and data != "[DONE]":
            try:
                yield json.loads(data)
            except ValueError as error:
                raise ModelError("The model sent something that is not an answer.") from error


def _read(event: Any) -> tuple[str, bool]:
    """Return an event's text and whether the model says that the answer is over."""
    try:
        if "error" in event:
            raise ModelError("The model broke off with an error.")
        if not event["choices"]:
            return "", False
        choice = event["choices"][0]
        return choice.get("delta", {}).get("content") or "", choice.get("finish_reason") is not None
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError("The model sent something that is not an answer.") from error


@st.cache_resource(show_spinner=False)
def get_model() -> Model:
    """Return this process's client of the model."""
    env = settings.load()
    return Model(env.llm_base_url, env.llm_api_key, env.llm_model, env.hand_over_s)
