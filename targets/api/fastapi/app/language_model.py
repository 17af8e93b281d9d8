"""The language model: an OpenAI-compatible endpoint, read in whole network chunks rather than line by line."""

import asyncio
import codecs
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import aiohttp
import orjson

from app.cache import Said
from app.settings import Settings

END_WAIT_S = 0.2
DATA = (b"data:", codecs.BOM_UTF8 + b"data:")  # how a line with data begins
END = b"\n\n"  # completes an event that the end of the stream left open
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
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Accept-Encoding": "identity"}
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
                if pieces := events.pieces(END):
                    yield pieces
                events.check()
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
    except (TimeoutError, aiohttp.ClientError, OSError):
        return  # the answer is whole; the connection is not used again


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
            LanguageModelError: it reported an error, broke off, or holds no text.
        """
        if not (self.finished or self._over):
            self._failure = "The language model broke off."
        elif not self._failure and not self._spoke:
            self._failure = "The language model's answer holds no text."
        if self._failure:
            raise LanguageModelError(502, self._failure)

    def _text(self, data: bytes) -> str:
        if data == b"[DONE]":
            self.finished = True
            return ""
        try:
            event, self._data = orjson.loads(data), b""
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
