"""OpenAI's Responses: the same answers as other objects and other events."""

import time
from collections.abc import Mapping

import orjson

from . import wire
from .answers import Answer
from .requests import AnswerRequest


def whole(answer: Answer, request: AnswerRequest, usage: Mapping[str, int]) -> dict[str, object]:
    """Return a whole answer as a ``response`` object."""
    return _response(answer, request, "completed", [_item(answer, "completed", answer.text)], usage)


class Events:
    """The events of one answer, each framed as :class:`wire.Events` frames its own."""

    def __init__(self, answer: Answer, request: AnswerRequest, usage: Mapping[str, int], *, chunked: bool) -> None:
        self._chunked = chunked
        self._number = 0
        self._place = {"item_id": _item_id(answer), "output_index": 0, "content_index": 0}
        begun = _response(answer, request, "in_progress", [], None)
        item, part = {"output_index": 0}, {"part": _part("")}
        self.opening = wire.framed(
            self._event("response.created", {"response": begun})
            + self._event("response.in_progress", {"response": begun})
            + self._event("response.output_item.added", {**item, "item": _item(answer, "in_progress", None)})
            + self._event("response.content_part.added", {**self._place, **part}),
            chunked=chunked,
        )
        self._ends = answer, request, usage

    def token(self, text: str) -> bytes:
        """Return the event that carries one token."""
        fields = {**self._place, "delta": text, "logprobs": []}
        return wire.framed(self._event("response.output_text.delta", fields), chunked=self._chunked)

    @property
    def closing(self) -> bytes:
        """What follows the last token."""
        answer, request, usage = self._ends
        text = answer.text
        done = _item(answer, "completed", text)
        data = (
            self._event("response.output_text.done", {**self._place, "text": text, "logprobs": []})
            + self._event("response.content_part.done", {**self._place, "part": _part(text)})
            + self._event("response.output_item.done", {"output_index": 0, "item": done})
            + self._event("response.completed", {"response": whole(answer, request, usage)})
        )
        return wire.framed(data, chunked=self._chunked) + (wire.LAST_CHUNK if self._chunked else b"")

    def _event(self, name: str, fields: Mapping[str, object]) -> bytes:
        data = orjson.dumps({"type": name, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _response(
    answer: Answer, request: AnswerRequest, status: str, output: list[object], usage: Mapping[str, int] | None
) -> dict[str, object]:
    counted = usage and {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage["total_tokens"],
    }
    return {
        "id": f"resp_{_digits(answer)}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "model": request.model,
        "output": output,
        "usage": counted,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    }


def _item(answer: Answer, status: str, text: str | None) -> dict[str, object]:
    content = [] if text is None else [_part(text)]
    return {"id": _item_id(answer), "type": "message", "status": status, "role": "assistant", "content": content}


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _item_id(answer: Answer) -> str:
    return f"msg_{_digits(answer)}"


def _digits(answer: Answer) -> str:
    return answer.id.partition("-")[2]
