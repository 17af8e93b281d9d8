"""Bytes on the wire: HTTP/1.1 responses, server-sent events and OpenAI's JSON objects."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

import orjson

from .answers import Answer

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def head(status: int, headers: Mapping[str, str], *, keep_alive: bool) -> bytes:
    """Return a status line and headers up to the empty line."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def json_response(
    status: int, content: object, *, keep_alive: bool, headers: Mapping[str, str] | None = None, body: bool = True
) -> bytes:
    """Return a whole response; without ``body`` only its head, as HEAD wants it."""
    payload = orjson.dumps(content)
    fields = {"content-type": "application/json", "content-length": str(len(payload)), **(headers or {})}
    return head(status, fields, keep_alive=keep_alive) + (payload if body else b"")


def stream_head(*, chunked: bool, keep_alive: bool) -> bytes:
    """Return the head of a streamed answer; HTTP/1.0 knows no chunks, there the end of the connection ends it."""
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
    }
    if chunked:
        headers["transfer-encoding"] = "chunked"
    return head(200, headers, keep_alive=keep_alive)


class Events:
    """The server-sent events of one answer, with all that its tokens have in common serialised once.

    With ``chunked`` each event is framed by the chunked transfer coding (RFC 9112, section 7.1).
    """

    __slots__ = ("_after", "_before", "_chunked", "_heads", "_shared", "_usage", "closing", "opening")

    def __init__(self, answer_id: str, model: str, usage: dict[str, int] | None, *, chunked: bool) -> None:
        created = int(time.time())
        self._shared = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._usage = {} if usage is None else {"usage": None}
        self._chunked = chunked
        self._heads: dict[int, bytes] = {}  # what precedes a token, by the length of its JSON
        self._before, self._after = self._event({"content": ""}, None).split(b'""')
        self.opening = self._framed(self._event({"role": "assistant", "content": ""}, None))
        last = self._event({}, "stop")
        if usage is not None:
            last += b"data: %b\n\n" % orjson.dumps({**self._shared, "choices": [], "usage": usage})
        self.closing = self._framed(last + b"data: [DONE]\n\n") + (b"0\r\n\r\n" if chunked else b"")
        if chunked:
            self._after += b"\r\n"

    def token(self, text: str) -> bytes:
        """Return the event that carries one token."""
        content = orjson.dumps(text)
        head = self._heads.get(len(content))
        if head is None:
            head = self._heads[len(content)] = self._head(len(content))
        return head + content + self._after

    def _head(self, content_bytes: int) -> bytes:
        if not self._chunked:
            return self._before
        length = len(self._before) + content_bytes + len(self._after) - len(b"\r\n")
        return b"%x\r\n%b" % (length, self._before)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def _event(self, delta: dict[str, str], finish_reason: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return b"data: %b\n\n" % orjson.dumps({**self._shared, "choices": [choice], **self._usage})


def completion(answer: Answer, model: str, usage: dict[str, int]) -> dict[str, object]:
    """Return a whole answer as OpenAI's ``chat.completion`` object."""
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage,
    }
