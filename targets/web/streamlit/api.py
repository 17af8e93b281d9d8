"""The REST API's client: one event loop in one thread holds all its connections, scripts wait for what they asked.

A user's session at the API is a cookie (``sessionid``) that this server holds and sends along. The client itself
remembers no cookies: it serves everybody.
"""

import asyncio
import json
import queue
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx
import streamlit as st
import uvloop

import settings

# The first text at once, then at most this often: each update of the page sends the whole answer again. The APIs hold
# text back for up to 80 ms themselves, and together it must not be more than 100 ms.
HAND_OVER_S = 0.02
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
STREAM_TIMEOUT = httpx.Timeout(70.0, connect=5.0)  # the API itself gives a silent model up after 60 s
SESSION_COOKIE = "sessionid"
# The API wants cookie and header to agree, and takes a value of the client's own. Pages of other origins cannot reach
# the API with a user's cookie at all: the browser does not have that cookie, this server has.
_CSRF_TOKEN = secrets.token_hex(16)

Json = dict[str, Any]


class ApiError(Exception):
    """The API refused or failed; the text is meant for the user who asked."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """A client with its own event loop, connections kept open."""

    def __init__(self, base_url: str) -> None:
        self._loop = uvloop.new_event_loop()
        self._client = httpx.AsyncClient(
            base_url=f"{base_url}/api",
            timeout=TIMEOUT,
            # httpx allows 100 connections unless told otherwise: the 101st answer would wait for another to end
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=200),
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._thread = threading.Thread(target=self._loop.run_forever, name="api", daemon=True)
        self._thread.start()

    def call(self, session: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to one request.

        Raises:
            ApiError: anything but success.
        """
        asked = self._client.request(method, path, headers=_headers(session), **options)
        try:
            response = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        _check(response)
        return response

    def json(self, session: str, method: str, path: str, **options: Any) -> Any:
        """Return the document that answers one request; errors as ``call``."""
        response = self.call(session, method, path, **options)
        return response.json() if response.content else None

    def log_in(self, username: str, password: str) -> str:
        """Sign a user in and return the session; errors as ``call``."""
        response = self.call(None, "POST", "/auth/login", json={"username": username, "password": password})
        session = response.cookies.get(SESSION_COOKIE)
        if not session:
            raise ApiError("The API gave no session.")
        return session

    def ask(self, session: str, conversation_id: str, content: str, saved: list[Json]) -> Iterator[str]:
        """Send a message and yield the answer's text as it comes; closing the iterator cancels the request.

        ``saved`` gets the message once it is kept, then the answer once that is.

        Raises:
            ApiError: refused (``saved`` is empty then), or the answer broke off.
        """
        batch = _Batch(self._loop)
        answer = asyncio.run_coroutine_threadsafe(
            self._receive(session, f"/conversations/{conversation_id}/messages", content, batch, saved), self._loop
        )
        try:
            while (item := batch.ready.get()) is not None:
                if isinstance(item, ApiError):
                    raise item
                yield item
        finally:
            answer.cancel()

    def close(self) -> None:
        """Close all connections and end the thread."""
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _receive(self, session: str, path: str, content: str, batch: "_Batch", saved: list[Json]) -> None:
        error: ApiError | None = ApiError("The answer could not be read. Try again.")
        headers = _headers(session) | {"Accept": "text/event-stream"}
        try:
            async with self._client.stream(
                "POST", path, json={"content": content}, headers=headers, timeout=STREAM_TIMEOUT
            ) as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    _check(response)
                error = ApiError("The answer broke off before its end.")
                async for name, data in _events(response):
                    if name == "token":
                        batch.add(data["text"])
                    elif name in ("message", "done"):
                        saved.append(data["message"])
                    elif name == "error":
                        error = ApiError(data.get("detail") or data.get("title") or "The model failed.")
                    if name == "done":
                        error = None
        except ApiError as refusal:
            error = refusal
        except httpx.HTTPError as failure:
            error = _unreachable(failure)
        except (KeyError, TypeError, ValueError):
            error = ApiError("The API sent something that is not an answer.")
        finally:
            batch.end(error)


class _Batch:
    """Text on its way from the event loop to a script's thread; all but ``ready`` is used in that loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parts: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_at = float("-inf")
        self.ready: queue.SimpleQueue[str | ApiError | None] = queue.SimpleQueue()

    def add(self, text: str) -> None:
        self._parts.append(text)
        if self._timer is None:
            # never before the loop is free again: what one read brought leaves together
            wait_s = max(0.0, self._flushed_at + HAND_OVER_S - self._loop.time())
            self._timer = self._loop.call_later(wait_s, self._flush)

    def end(self, error: ApiError | None) -> None:
        self._flush()
        self.ready.put(error)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._parts:
            self.ready.put("".join(self._parts))
            self._parts.clear()
            self._flushed_at = self._loop.time()


def _headers(session: str | None) -> dict[str, str]:
    cookies = {"csrftoken": _CSRF_TOKEN} | ({SESSION_COOKIE: session} if session else {})
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": _CSRF_TOKEN,
        "Accept": "application/json",
    }


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        problem = response.json()
        text = problem.get("detail") or problem.get("title")
    except (ValueError, AttributeError):
        text = None
    raise ApiError(text or f"The API answered HTTP {response.status_code}.", response.status_code)


def _unreachable(error: httpx.HTTPError) -> ApiError:
    if isinstance(error, httpx.ConnectError):
        return ApiError("The API cannot be reached at the moment.")
    if isinstance(error, httpx.TimeoutException):
        return ApiError("The API took too long to answer.")
    return ApiError("The connection to the API was lost.")


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, Json]]:
    """Yield the name and document of each server-sent event; comments and empty events are left out."""
    name, data = "message", []
    async for line in _lines(response):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line:
            if data:
                yield name, json.loads("\n".join(data))
            name, data = "message", []


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a stream of events; httpx's own ones also end at U+2028, which an answer may hold."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode()


@st.cache_resource(show_spinner=False)
def get_api() -> Api:
    """Return this process's client."""
    return Api(settings.api_base_url())
