"""The contract's objects: exactly these members, of these kinds."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from harness.probes.claims import expect

ROLES = ("user", "moderator", "admin")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_link(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


USER: Mapping[str, Callable[[Any], bool]] = {
    "id": _is_number,
    "username": _is_text,
    "role": lambda value: value in ROLES,
    "is_active": _is_flag,
}
CONVERSATION: Mapping[str, Callable[[Any], bool]] = {
    "id": _is_uuid,
    "title": _is_text,
    "created_at": _is_time,
    "updated_at": _is_time,
}
MESSAGE: Mapping[str, Callable[[Any], bool]] = {
    "id": _is_uuid,
    "role": lambda value: value in ("user", "assistant"),
    "content": _is_text,
    "created_at": _is_time,
    "hidden": _is_flag,
    "feedback": lambda value: value in ("up", "down", None),
}
PAGE: Mapping[str, Callable[[Any], bool]] = {
    "count": _is_number,
    "next": _is_link,
    "previous": _is_link,
    "results": _is_list,
}
EXPORT: Mapping[str, Callable[[Any], bool]] = {**CONVERSATION, "messages": _is_list}


def expect_shape(value: Any, shape: Mapping[str, Callable[[Any], bool]], where: str) -> dict[str, Any]:
    """Return an object after checking that it has exactly the members of a shape; raises RefutedError."""
    expect(isinstance(value, dict), f"{where} is {value!r}")
    expect(set(value) == set(shape), f"{where} has the members {sorted(value)}, not {sorted(shape)}")
    for name, fits in shape.items():
        expect(fits(value[name]), f"{where}: {name} is {value[name]!r}")
    return dict(value)
