"""Bytes on the wire: HTTP/1.1 responses, server-sent events and OpenAI's JSON objects."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

import orjson

from .answers import Answer
from .requests import AnswerRequest

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


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


def framed(data: bytes, *, chunked: bool) -> bytes:
    """Return data as a chunk (RFC 9112, section 7.1), or as it is where there are no chunks."""
    return b"%x\r\n%b\r\n" % (len(data), data) if chunked else data


class Events:
    """The server-sent events of one completion, with all that its tokens have in common serialised once.

    Each token is one write; of several choices each has an event in it.
    """

    __slots__ = ("_after", "_around", "_before", "_chunked", "_heads", "_shared", "closing", "opening")

    def __init__(self, answer: Answer, request: AnswerRequest, usage: Mapping[str, int], *, chunked: bool) -> None:
        shape = SHAPES["tool" if request.tool else request.api]
        self._shared = {
            "id": answer.id,
            "object": shape.streamed,
            "created": int(time.time()),
            "model": request.model,
            **({"usage": None} if request.include_usage else {}),
        }
        self._chunked = chunked
        self._heads: dict[int, bytes] = {}  # what precedes a token, by the length of its JSON
        every = range(request.choices)
        self._around = [self._event(shape.piece(""), None, i).split(b'""') for i in every]
        self._before, self._after = self._around[0]
        first = b"".join(self._event(shape.first(answer, request), None, i) for i in every)
        last = b"".join(self._event(shape.last(), shape.finish_reason, i) for i in every)
        if request.include_usage:
            last += b"data: %b\n\n" % orjson.dumps({**self._shared, "choices": [], "usage": usage})
        self.opening = framed(first, chunked=chunked)
        self.closing = framed(last + b"data: [DONE]\n\n", chunked=chunked) + (LAST_CHUNK if chunked else b"")
        if chunked:
            self._after += b"\r\n"

    def token(self, text: str) -> bytes:
        """Return the event that carries one token."""
        content = orjson.dumps(text)
        if len(self._around) > 1:
            return framed(b"".join(a + content + b for a, b in self._around), chunked=self._chunked)
        head = self._heads.get(len(content))
        if head is None:
            head = self._heads[len(content)] = self._head(len(content))
        return head + content + self._after

    def _head(self, content_bytes: int) -> bytes:
        if not self._chunked:
            return self._before
        length = len(self._before) + content_bytes + len(self._after) - len(b"\r\n")
        return b"%x\r\n%b" % (length, self._before)

    def _event(self, said: Mapping[str, object], finish_reason: str | None, index: int) -> bytes:
        choice = {"index": index, **said, "finish_reason": finish_reason}
        return b"data: %b\n\n" % orjson.dumps({**self._shared, "choices": [choice]})


class Chat:
    """The parts of a chat completion that carry its text."""

    streamed, whole, finish_reason = "chat.completion.chunk", "chat.completion", "stop"

    def first(self, answer: Answer, request: AnswerRequest) -> dict[str, object]:
        return {"delta": {"role": "assistant", "content": ""}}

    def piece(self, text: str) -> dict[str, object]:
        return {"delta": {"content": text}}

    def last(self) -> dict[str, object]:
        return {"delta": {}}

    def message(self, answer: Answer, request: AnswerRequest) -> dict[str, object]:
        return {"message": {"role": "assistant", "content": answer.text, "refusal": None}}


class ToolCall(Chat):
    """A chat completion that calls a function."""

    finish_reason = "tool_calls"

    def first(self, answer: Answer, request: AnswerRequest) -> dict[str, object]:
        call = {"index": 0, **_call(answer, request, "")}
        return {"delta": {"role": "assistant", "content": None, "tool_calls": [call]}}

    def piece(self, text: str) -> dict[str, object]:
        return {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}}

    def message(self, answer: Answer, request: AnswerRequest) -> dict[str, object]:
        calls = [_call(answer, request, answer.text)]
        return {"message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}}


class Text(Chat):
    """The parts of a completion of the old kind."""

    streamed = whole = "text_completion"

    def first(self, answer: Answer, request: AnswerRequest) -> dict[str, object]:
        return {"text": ""}

    def piece(self, text: str) -> dict[str, object]:
        return {"text": text}

    def last(self) -> dict[str, object]:
        return {"text": ""}

    def message(self, answer: Answer, request: AnswerRequest) -> dict[str, object]:
        return {"text": answer.text}


SHAPES: dict[str, Chat] = {"chat": Chat(), "tool": ToolCall(), "text": Text()}


def _call(answer: Answer, request: AnswerRequest, arguments: str) -> dict[str, object]:
    function = {"name": request.tool, "arguments": arguments}
    return {"id": f"call_{answer.id.partition('-')[2]}", "type": "function", "function": function}


def completion(answer: Answer, request: AnswerRequest, usage: Mapping[str, int]) -> dict[str, object]:
    """Return a whole answer as one of OpenAI's completion objects."""
    shape = SHAPES["tool" if request.tool else request.api]
    said = shape.message(answer, request)
    ends = {"logprobs": None, "finish_reason": shape.finish_reason}
    return {
        "id": answer.id,
        "object": shape.whole,
        "created": int(time.time()),
        "model": request.model,
        "choices": [{"index": i, **said, **ends} for i in range(request.choices)],
        "usage": usage,
    }
