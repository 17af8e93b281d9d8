"""Server-sent events of an answer, parsed after the trial: texts, their places, the end of the stream."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

_EVENT = re.compile(rb"(.*?)(?>\r\n|\n|\r){2}", re.DOTALL)  # a line may end in any of the three
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MESSAGE_CHARS = 200


@dataclass(slots=True)
class Answer:
    """The texts of a stream in order, each with the offset in the body at which its event was complete."""

    ends: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    finished: bool = False
    error: str | None = None


def events(body: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Yield (end offset, event name, data) of every complete event."""
    for event in _EVENT.finditer(body, len(_BYTE_ORDER_MARK) if body.startswith(_BYTE_ORDER_MARK) else 0):
        name, data = "message", []
        for line in event.group(1).splitlines():
            if line.startswith(b"data:"):
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"event:"):
                name = line[6:].strip().decode("utf-8", "replace")
        if data:
            yield event.end(), name, b"\n".join(data)


def rest_answer(body: bytes) -> Answer:
    """Return the answer in a stream of the REST contract: ``message``, ``token`` …, ``done`` or ``error``."""
    answer = Answer()
    for end, name, data in events(body):
        if name == "token":
            _add(answer, end, orjson.loads(data)["text"])
        elif name == "done":
            answer.finished = True
        elif name == "error":
            answer.error = problem(data)
    return answer


def openai_answer(body: bytes) -> Answer:
    """Return the answer in a stream of OpenAI chat completion chunks, closed by ``[DONE]`` or a reason to finish."""
    answer = Answer()
    for end, _, data in events(body):
        if data == b"[DONE]":
            answer.finished = True
            continue
        chunk = orjson.loads(data)
        if not isinstance(chunk, dict):
            continue  # a sign of life
        if chunk.get("error") or chunk.get("object") == "error":
            answer.error = problem(data)
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict):
            _add(answer, end, _said(choice.get("delta")))
            answer.finished = answer.finished or bool(choice.get("finish_reason"))
    return answer


def _said(delta: Any) -> str | None:
    """Return a piece's text: its content, which may come in parts, else its refusal."""
    if not isinstance(delta, dict):
        return None
    content = delta.get("content") or delta.get("refusal")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else None


def _add(answer: Answer, end: int, text: str | None) -> None:
    if text:
        answer.ends.append(end)
        answer.texts.append(text)


def problem(body: bytes) -> str:
    """Return the text of a problem document, an OpenAI error or any other body, in at most 200 characters."""
    try:
        document = orjson.loads(body)
    except ValueError:
        return body[:_MESSAGE_CHARS].decode("utf-8", "replace").strip()
    if isinstance(document, dict):
        error = document.get("error")
        if isinstance(error, dict):
            document = error
        for key in ("detail", "message", "title"):
            if document.get(key):
                return str(document[key])[:_MESSAGE_CHARS]
    return str(document)[:_MESSAGE_CHARS]
