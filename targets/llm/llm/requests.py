"""Reads the body of a chat request, strictly where it matters for the answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import orjson

from .errors import ApiError
from .payloads import TOKEN_CHARS

T = TypeVar("T")
PARAMETERS = ("temperature", "top_p", "max_tokens", "seed")  # what the payload of that name tells of


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What a client asks for; ``message`` is the text of the last user message, ``parameters`` names its settings."""

    model: str
    message: str
    parameters: str
    stream: bool
    include_usage: bool
    prompt_tokens: int
    chatbench: Mapping[str, object]


def parse(body: bytes) -> ChatRequest:
    """Return the request in a body.

    Raises:
        ApiError: 400, for what is no JSON, lacks a field or has one of the wrong type.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"The body is not valid JSON: {error}.", code="invalid_json") from None
    data = _typed(data, dict, "the body", "an object")
    if data.get("messages") is None:
        raise ApiError(
            400, "Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter"
        )
    messages = _typed(data["messages"], list, "messages", "an array")
    turns = [_message(item, f"messages[{i}]") for i, item in enumerate(messages)]
    said = [text for role, text in turns if role == "user"]
    if not said:
        raise ApiError(400, "'messages' holds no message with the role 'user': add one.", param="messages")
    stream = _typed(data.get("stream") or False, bool, "stream", "a boolean")
    options = _typed(data.get("stream_options") or {}, dict, "stream_options", "an object")
    if data.get("n") not in (None, 1):
        raise ApiError(400, f"n is {data['n']!r}: this model gives one choice, leave n out.", param="n")
    return ChatRequest(
        model=_typed(data.get("model") or "stand-in", str, "model", "a string"),
        message=said[-1],
        parameters=" ".join(f"{name}={data[name]}" for name in PARAMETERS if data.get(name) is not None),
        stream=stream,
        include_usage=stream and bool(options.get("include_usage")),
        prompt_tokens=sum(math.ceil(len(text) / TOKEN_CHARS) for _, text in turns),
        chatbench=_typed(data.get("chatbench") or {}, dict, "chatbench", "an object"),
    )


def _message(item: object, where: str) -> tuple[str, str]:
    message = _typed(item, dict, where, "an object")
    role = _typed(message.get("role"), str, f"{where}.role", "a string")
    content = message.get("content")
    if isinstance(content, list):  # parts; what is not text has no words to answer to
        parts = [_typed(part, dict, f"{where}.content", "an array of objects") for part in content]
        content = "".join(_typed(p.get("text", ""), str, f"{where}.content.text", "a string") for p in parts)
    if content is None and role != "user":
        content = ""
    return role, _typed(content, str, f"{where}.content", "a string or an array of parts")


def _typed(value: object, kind: type[T], where: str, wanted: str) -> T:
    if not isinstance(value, kind):
        raise ApiError(
            400, f"Invalid type for '{where}': expected {wanted}, got {_name(value)}.", param=where, code="invalid_type"
        )
    return value


def _name(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
