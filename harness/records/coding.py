"""Records to JSON and back, strictly."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, TypeVar

FORMAT_VERSION = 1
T = TypeVar("T")


def to_json(record: Any) -> dict[str, Any]:
    """Return a record as plain JSON-able data."""
    return asdict(record)


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """Build a record of type ``cls`` from plain data, strictly.

    Raises:
        ValueError: an unknown or missing key, named with the record's type.
    """
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # every caller passes a dataclass
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise ValueError(f"{cls.__name__}: unknown key {unknown[0]!r}")
    missing = [n for n, f in known.items() if n not in data and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise ValueError(f"{cls.__name__}: missing key {missing[0]!r}")
    return cls(**{name: _revive(hints[name], value) for name, value in data.items()})


def _revive(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        return _revive(next(a for a in args if a is not type(None)), value)
    if is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]  # a dataclass type, checked above
    if origin is tuple:
        return tuple(_revive(args[0], v) for v in value)
    if origin is dict:
        return {k: _revive(args[1], v) for k, v in value.items()}
    if hint is float:
        return float(value)
    return value
