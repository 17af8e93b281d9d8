"""The language model: an OpenAI-compatible endpoint, read in whole network reads rather than token by token."""

from collections.abc import Iterator
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
        with gevent.Timeout(END_WAIT_S, False):
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
        except (OSError, HTTPParseError, ValueError) as error:
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
        while not events.finished and (chunk := reply.arrived()):
            if pieces := events.pieces(chunk):
                yield pieces
                # Let the next tokens gather in the socket, so that one wait, one read and one write serve several. The
                # first token of an answer is never held back, and nobody sees a delay of this size in flowing text.
                gevent.sleep(self.window_s)
        if not events.finished:
            raise LanguageModelError(502, "The language model broke off.")
        reply.end()


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
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise LanguageModelError(502, "The language model reported an error.") from error
