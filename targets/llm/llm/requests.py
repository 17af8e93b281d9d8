"""Reads the body of a request for an answer, strictly where it matters for the answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from .errors import ApiError
from .payloads import TOKEN_CHARS

MAX_CHOICES = 128
#: fields of a body that may hold the message's tag where the prompt does not
MARKED = ("user", "safety_identifier", "prompt_cache_key")
T = TypeVar("T")
PARAMETERS = ("temperature", "top_p", "max_tokens", "seed")  # what the payload of that name tells of


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """What a client asks for: ``message`` is the last user message, ``marks`` are other texts that may hold its tag.

    ``parameters`` names its sampling settings.
    """

    api: str  # "chat", "text" or "responses"
    model: str
    message: str
    marks: tuple[str, ...] = ()
    parameters: str = ""
    stream: bool
    include_usage: bool = False
    choices: int = 1
    schema: Mapping[str, Any] | None = None  # the answer is to be JSON of this JSON Schema
    tool: str | None = None  # the answer is to be a call of this function
    prompt_tokens: int
    chatbench: Mapping[str, object] = field(default_factory=dict)


def chat(body: bytes) -> AnswerRequest:
    """Return the request of a chat completion.

    Raises:
        ApiError: 400, for what is no JSON, lacks a field or has one of the wrong type.
    """
    data = _object(body)
    turns = _turns(_required(data, "messages", list, "an array"), "messages")
    stream = typed(data.get("stream") or False, bool, "stream", "a boolean")
    options = typed(data.get("stream_options") or {}, dict, "stream_options", "an object")
    tool, schema = _forced_tool(data)
    if tool is None:
        schema = _schema(data.get("response_format"), "response_format")
    return AnswerRequest(
        api="chat",
        message=_last_said(turns, "messages"),
        stream=stream,
        include_usage=stream and bool(options.get("include_usage")),
        choices=_choices(data, MAX_CHOICES),
        schema=schema,
        tool=tool,
        prompt_tokens=_tokens_of(turns),
        **_shared(data),
    )


def text(body: bytes) -> AnswerRequest:
    """Return the request of a completion of the old kind, whose prompt is a text; raise as :func:`chat` does."""
    data = _object(body)
    prompt = data.get("prompt")
    prompt = prompt[-1] if isinstance(prompt, list) and prompt and isinstance(prompt[-1], str) else prompt
    said = typed(prompt, str, "prompt", "a string or an array of strings")
    stream = typed(data.get("stream") or False, bool, "stream", "a boolean")
    options = typed(data.get("stream_options") or {}, dict, "stream_options", "an object")
    return AnswerRequest(
        api="text",
        message=said,
        stream=stream,
        include_usage=stream and bool(options.get("include_usage")),
        choices=_choices(data, 1),
        prompt_tokens=_tokens_of([("user", said)]),
        **_shared(data),
    )


def responses(body: bytes) -> AnswerRequest:
    """Return the request of a response (``/v1/responses``); raise as :func:`chat` does."""
    data = _object(body)
    given = data.get("input")
    if isinstance(given, str):
        turns = [("user", given)]
    else:
        items = _required(data, "input", list, "a string or an array")
        turns = _turns([item for item in items if not (isinstance(item, dict) and "role" not in item)], "input")
    wanted = typed(data.get("text") or {}, dict, "text", "an object")
    return AnswerRequest(
        api="responses",
        message=_last_said(turns, "input"),
        stream=typed(data.get("stream") or False, bool, "stream", "a boolean"),
        schema=_schema(wanted.get("format"), "text.format"),
        prompt_tokens=_tokens_of(turns),
        **_shared(data),
    )


def marks_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts beside the prompt that may hold the message's tag."""
    metadata = data.get("metadata")
    values = [*(data.get(name) for name in MARKED), *(metadata.values() if isinstance(metadata, dict) else ())]
    return tuple(value for value in values if isinstance(value, str))


def typed(value: object, kind: type[T], where: str, wanted: str) -> T:
    """Return a value of this type.

    Raises:
        ApiError: 400, it has another.
    """
    if not isinstance(value, kind):
        raise ApiError(
            400, f"Invalid type for '{where}': expected {wanted}, got {_name(value)}.", param=where, code="invalid_type"
        )
    return value


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"The body is not valid JSON: {error}.", code="invalid_json") from None
    return typed(data, dict, "the body", "an object")


def _required(data: Mapping[str, Any], name: str, kind: type[T], wanted: str) -> T:
    if data.get(name) is None:
        raise ApiError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    return typed(data[name], kind, name, wanted)


def _shared(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": typed(data.get("model") or "stand-in", str, "model", "a string"),
        "marks": marks_of(data),
        "parameters": " ".join(f"{name}={data[name]}" for name in PARAMETERS if data.get(name) is not None),
        "chatbench": typed(data.get("chatbench") or {}, dict, "chatbench", "an object"),
    }


def _choices(data: Mapping[str, Any], most: int) -> int:
    wanted = data.get("n")
    if wanted is None:
        return 1
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= most:
        raise ApiError(400, f"n is {wanted!r}: give a whole number from 1 to {most}, or leave n out.", param="n")
    return wanted


def _schema(wanted: object, where: str) -> Mapping[str, Any] | None:
    """Return the JSON Schema that an answer is to follow; None for plain text, empty for any JSON object."""
    if not isinstance(wanted, dict) or wanted.get("type") in (None, "text"):
        return None
    inner = wanted.get("json_schema", wanted)
    schema = inner.get("schema") if isinstance(inner, dict) else None
    return typed(schema or {}, dict, f"{where}.schema", "an object")


def _forced_tool(data: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any] | None]:
    """Return the function that has to be called and the schema of its arguments; a call that is offered is declined."""
    choice = data.get("tool_choice")
    tools = data.get("tools")
    known = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    functions = {one["name"]: one for one in known if isinstance(one, dict) and isinstance(one.get("name"), str)}
    if isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        name = choice["function"].get("name")
    else:
        name = next(iter(functions), None) if choice == "required" else None
    if name not in functions:
        return None, None
    schema = functions[name].get("parameters")
    return name, schema if isinstance(schema, dict) else {}


def _turns(items: list[Any], where: str) -> list[tuple[str, str]]:
    return [_message(item, f"{where}[{i}]") for i, item in enumerate(items)]


def _last_said(turns: list[tuple[str, str]], where: str) -> str:
    """Return the last user message; a prompt without one may put the question into another role."""
    if not turns:
        raise ApiError(400, f"'{where}' holds no message with the role 'user': add one.", param=where)
    return next((said for role, said in reversed(turns) if role == "user"), turns[-1][1])


def _tokens_of(turns: list[tuple[str, str]]) -> int:
    return sum(math.ceil(len(said) / TOKEN_CHARS) for _, said in turns)


def _message(item: object, where: str) -> tuple[str, str]:
    message = typed(item, dict, where, "an object")
    role = typed(message.get("role"), str, f"{where}.role", "a string")
    content = message.get("content")
    if isinstance(content, list):  # parts; what is not text has no words to answer to
        parts = [typed(part, dict, f"{where}.content", "an array of objects") for part in content]
        content = "".join(typed(p.get("text", ""), str, f"{where}.content.text", "a string") for p in parts)
    if content is None and role != "user":
        content = ""
    return role, typed(content, str, f"{where}.content", "a string or an array of parts")


def _name(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
