"""The language model: an OpenAI-compatible endpoint, read in whole network chunks rather than line by line."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import orjson
from django.conf import settings

URL = settings.LLM_BASE_URL + "/chat/completions"
HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}
if settings.LLM_API_KEY:
    HEADERS["Authorization"] = f"Bearer {settings.LLM_API_KEY}"
END_WAIT_S = 0.2

_session: aiohttp.ClientSession | None = None


class LanguageModelError(Exception):
    """The model failed: the status and the words for the client."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def session() -> aiohttp.ClientSession:
    """Return this process's connections to the model, opened when first needed, on its event loop."""
    global _session
    if _session is None or _session.closed:
        _session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.LLM_CONNECT_TIMEOUT_S, sock_read=settings.LLM_SILENCE_TIMEOUT_S
            ),
            headers=HEADERS,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
    return _session


async def close() -> None:
    """Close the connections."""
    if _session is not None:
        await _session.close()


async def answer(messages: list[dict[str, str]]) -> AsyncGenerator[list[str], None]:
    """Yield the answer's pieces as they arrive, all that came in one network read together.

    Leaving the generator cancels the request.

    Raises:
        LanguageModelError: refused, silent for too long, or broken off.
    """
    body = orjson.dumps({"model": settings.LLM_MODEL, "messages": messages, "stream": True})
    events = Events()
    try:
        async with session().post(URL, data=body) as response:
            if response.status != 200:
                raise LanguageModelError(502, f"The language model answered {response.status}.")
            content = response.content
            while not events.finished and (chunk := await content.readany()):
                if pieces := events.pieces(chunk):
                    yield pieces
                    await _gather(response)
            if not events.finished:
                raise LanguageModelError(502, "The language model broke off.")
            await _read_to_end(content)
    except TimeoutError as exc:
        raise LanguageModelError(504, "The language model stayed silent for too long.") from exc
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        raise LanguageModelError(502, "The language model cannot be reached or broke off.") from exc


async def _gather(response: aiohttp.ClientResponse) -> None:
    """Let the next tokens gather in the socket's buffer, so that one read and one write serve several.

    On a loaded server the system calls for a token (wait, read, write) cost several times the Python around them. The
    first token of an answer is never held back, and the window is below what users notice in text that streams in.
    """
    connection = response.connection
    transport = connection.transport if connection and settings.RELAY_WINDOW_S else None
    if transport is None:  # the answer is over
        return
    transport.pause_reading()
    try:
        await asyncio.sleep(settings.RELAY_WINDOW_S)
    finally:
        transport.resume_reading()


async def _read_to_end(content: aiohttp.StreamReader) -> None:
    """Read the end of the response, so that the connection can be used again."""
    try:
        async with asyncio.timeout(END_WAIT_S):
            while await content.readany():
                pass
    except TimeoutError:
        return


class Events:
    """Takes the text out of the model's server-sent events, however the network cuts them."""

    def __init__(self) -> None:
        self.rest = b""
        self.finished = False

    def pieces(self, chunk: bytes) -> list[str]:
        """Return the pieces of text the chunk completes.

        Raises:
            LanguageModelError: the model reports an error; ValueError: an event is no JSON.
        """
        lines = (self.rest + chunk).split(b"\n")
        self.rest = lines.pop()
        pieces: list[str] = []
        for line in lines:
            if not line.startswith(b"data:"):
                continue  # the blank line between events, a comment, another field
            data = line[5:].strip()
            if data == b"[DONE]":
                self.finished = True
            elif text := _text(orjson.loads(data)):
                pieces.append(text)
        return pieces


def _text(event: dict[str, Any]) -> str | None:
    try:
        choices = event["choices"]
        return choices[0]["delta"].get("content") if choices else None  # no choices: the usage report
    except (KeyError, TypeError) as exc:
        raise LanguageModelError(502, "The language model reported an error.") from exc
