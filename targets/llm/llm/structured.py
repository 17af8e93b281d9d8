"""JSON of a wanted shape: what a client gets that asks for it by a JSON Schema."""

from collections.abc import Mapping
from typing import Any

import orjson

DEEPEST = 12  # steps into a schema, which may name itself
EXAMPLES = {"integer": 1, "number": 1.0, "boolean": True, "null": None}


def filled(schema: Mapping[str, Any], text: str) -> str:
    """Return the JSON of a value that fits a schema, each of its texts being ``text``; any object fits an empty one."""
    return orjson.dumps(_value(schema, schema, text, 0) if schema else {"answer": text}).decode()


def _value(schema: object, root: Mapping[str, Any], text: str, depth: int) -> Any:
    if depth > DEEPEST:
        return None
    if not isinstance(schema, Mapping):
        return text
    if isinstance(reference := schema.get("$ref"), str):
        return _value(_found(reference, root), root, text, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return _value(schema[choice][0], root, text, depth + 1)
    return _of_type(schema, root, text, depth)


def _of_type(schema: Mapping[str, Any], root: Mapping[str, Any], text: str, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" or (kind is None and "properties" in schema):
        members = schema.get("properties") or {}
        return {name: _value(member, root, text, depth + 1) for name, member in members.items()}
    if kind == "array":
        return [_value(schema.get("items"), root, text, depth + 1)] * max(1, int(schema.get("minItems") or 1))
    if kind in EXAMPLES:
        return _number(schema, kind)
    return text[: schema["maxLength"]] if isinstance(schema.get("maxLength"), int) else text


def _number(schema: Mapping[str, Any], kind: str) -> Any:
    lowest = schema.get("minimum")
    return lowest if kind in ("integer", "number") and isinstance(lowest, int | float) else EXAMPLES[kind]


def _found(reference: str, root: Mapping[str, Any]) -> object:
    """Return what a reference within the schema points to; an empty schema, which any text fits, where nothing is."""
    place: object = root
    for name in reference.removeprefix("#").split("/")[1:]:
        place = place.get(name) if isinstance(place, Mapping) else None
    return place if place is not None else {}
