"""The language model: an OpenAI-compatible endpoint, read in whole network chunks rather than line by line."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import aiohttp
import orjson

from app.cache import Said
from app.settings import Settings

END_WAIT_S = 0.2
KEEP_ALIVE_S = 30


class LanguageModelError(Exception):
    """The model failed: the status and the words for the client."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class LanguageModel:
    """This process's connections to the model."""

    def __init__(self, settings: Settings) -> None:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if settings.llm_api_key is not None:
            headers["Authorization"] = f"Bearer {settings.llm_api_key.get_secret_value()}"
        self._url = settings.llm_base_url.rstrip("/") + "/chat/completions"
        self._name = settings.llm_model
        self._window_s = settings.relay_window_ms / 1000
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.llm_connect_timeout_s, sock_read=settings.llm_silence_timeout_s
            ),
            headers=headers,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def answer(self, messages: Sequence[Said]) -> AsyncGenerator[list[str], None]:
        """Yield the answer's pieces as they arrive, all that came in one network read together.

        Leaving the generator cancels the request.

        Raises:
            LanguageModelError: refused, silent for too long, or broken off.
        """
        body = orjson.dumps({"model": self._name, "messages": messages, "stream": True})
        events = Events()
        try:
            async with self._session.post(self._url, data=body) as response:
                if response.status != 200:
                    raise LanguageModelError(502, f"The language model answered {response.status}.")
                content = response.content
                while not events.finished and (chunk := await content.readany()):
                    if pieces := events.pieces(chunk):
                        yield pieces
                        await self._gather(response)
                if not events.finished:
                    raise LanguageModelError(502, "The language model broke off.")
                await _read_to_end(content)
        except TimeoutError as exc:
            raise LanguageModelError(504, "The language model stayed silent for too long.") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            raise LanguageModelError(502, "The language model cannot be reached or broke off.") from exc

    async def _gather(self, response: aiohttp.ClientResponse) -> None:
        """Let the next tokens gather in the socket's buffer, so that one wait, read and write serve several.

        The first token of an answer is never held back.
        """
        connection = response.connection
        transport = connection.transport if connection and self._window_s else None
        if transport is None:  # the answer is over
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(self._window_s)
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
        self._rest = b""
        self.finished = False

    def pieces(self, chunk: bytes) -> list[str]:
        """Return the pieces of text the chunk completes.

        Raises:
            LanguageModelError: the model reports an error; ValueError: an event is no JSON.
        """
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
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


def _text(event: Any) -> str | None:
    try:
        choices = event["choices"]
        text = choices[0]["delta"].get("content") if choices else None  # no choices: the usage report
    except (AttributeError, KeyError, TypeError) as exc:
        raise LanguageModelError(502, "The language model reported an error.") from exc
    return text if isinstance(text, str) else None
