"""The language model: an OpenAI-compatible endpoint, read in whole network reads rather than token by token."""

import codecs
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import gevent
import orjson
from flask import Flask
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPParseError, HTTPSocketPoolResponse

from chat.departures import Client, ClientLeft

CONNECTIONS = 4096
READ_BYTES = 65536
END_WAIT_S = 0.2
DATA = (b"data:", codecs.BOM_UTF8 + b"data:")  # how a line with data begins
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
END = b"\n\n"  # completes an event that the end of the stream left open


class LanguageModelError(Exception):
    """The model failed: the status and the words for the client."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Reply(HTTPSocketPoolResponse):
    """The model's response; its connection is given back, or closed if broken off, when it ends."""

    def __init__(self, sock: Any, pool: ConnectionPool, client: Client) -> None:
        self._client = client
        client.upon_leaving = sock.close  # ends the wait for the model, wherever it is
        super().__init__(sock, pool, method="POST", block_size=READ_BYTES)

    def arrived(self) -> bytes:
        """Return all of the body that has come and was not returned; wait if that is nothing. Empty at the end.

        (The library's own ``read`` waits for a number of bytes, ``readline`` gives one line at a time.)
        """
        while not self._body_buffer and not self.message_complete:
            self.feed(self._sock.recv(READ_BYTES))
        taken = bytes(self._body_buffer)
        self._body_buffer.clear()
        return taken

    def end(self) -> None:
        """Read the end of the response, so that the connection can be used again."""
        # However it ends, the answer is whole.
        with suppress(OSError, HTTPParseError), gevent.Timeout(END_WAIT_S, False):
            while self.arrived():
                pass

    def release(self) -> None:
        """Give the connection back; from here on it may serve another client."""
        self._client.upon_leaving = None
        super().release()


class LanguageModel:
    """An extension: the model of an application's settings."""

    def init_app(self, app: Flask) -> None:
        """Take the settings; connections are opened when first needed."""
        config = app.config
        address = urlsplit(config["LLM_BASE_URL"])
        kind, port = (SSLConnectionPool, 443) if address.scheme == "https" else (ConnectionPool, 80)
        host, port = address.hostname or "", address.port or port
        self.pool = kind(
            host,
            port,
            host,
            port,
            size=CONNECTIONS,
            connection_timeout=config["LLM_CONNECT_TIMEOUT_S"],
            network_timeout=config["LLM_SILENCE_TIMEOUT_S"],
        )
        self.name = config["LLM_MODEL"]
        self.window_s = config["RELAY_WINDOW_S"]
        headers = {"Host": address.netloc, "Content-Type": "application/json", "Accept": "text/event-stream"}
        headers["Accept-Encoding"] = "identity"
        if config["LLM_API_KEY"]:
            headers["Authorization"] = f"Bearer {config['LLM_API_KEY']}"
        lines = [f"POST {address.path}/chat/completions HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        self.head = "\r\n".join(lines).encode("latin-1")

    def answer(self, messages: list[dict[str, str]], client: Client) -> Iterator[list[str]]:
        """Yield the answer's pieces as they arrive, all that came in one network read together.

        Leaving the generator ends the request, and so does the client's departure.

        Raises:
            LanguageModelError: refused, silent for too long, or broken off; ClientLeft: nobody waits any more.
        """
        body = orjson.dumps({"model": self.name, "messages": messages, "stream": True})
        try:
            with client, self._ask(body, client) as reply:
                if reply.status_code != 200:
                    raise LanguageModelError(502, f"The language model answered {reply.status_code}.")
                yield from self._pieces(reply)
        except (OSError, HTTPParseError, ValueError, zlib.error) as error:
            if client.left:
                raise ClientLeft from None
            if isinstance(error, TimeoutError):
                raise LanguageModelError(504, "The language model stayed silent for too long.") from error
            raise LanguageModelError(502, "The language model cannot be reached or broke off.") from error

    def _ask(self, body: bytes, client: Client) -> Reply:
        try:
            sock = self.pool.get_socket()
        except TimeoutError as error:
            raise LanguageModelError(502, "The language model cannot be reached.") from error
        try:
            if client.left:
                raise ClientLeft
            sock.sendall(b"%b\r\nContent-Length: %d\r\n\r\n%b" % (self.head, len(body), body))
        except BaseException:
            self.pool.release_socket(sock)
            raise
        return Reply(sock, self.pool, client)

    def _pieces(self, reply: Reply) -> Iterator[list[str]]:
        events = Events()
        decoded = decoder(reply.get("content-encoding"))
        while not events.finished and (chunk := reply.arrived()):
            if pieces := events.pieces(decoded(chunk)):
                yield pieces
                # Let the next tokens gather in the socket, so that one wait, one read and one write serve several. The
                # first token of an answer is never held back, and nobody sees a delay of this size in flowing text.
                gevent.sleep(self.window_s)
        if pieces := events.pieces(END):
            yield pieces
        events.check()
        reply.end()


def decoder(encoding: str | list[str] | None) -> Callable[[bytes], bytes]:
    """Return what decodes a body; a model may compress although it is asked not to.

    Raises:
        LanguageModelError: the encoding is none of HTTP's old ones.
    """
    if encoding in (None, "", "identity"):
        return bytes
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(GZIP_OR_ZLIB).decompress
    raise LanguageModelError(502, f"The language model's answer is encoded as {encoding}.")


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
