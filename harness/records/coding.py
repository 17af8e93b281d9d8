"""Records to JSON and back: one walk over a table by the type hints of its record."""

import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar

FORMAT_VERSION = 2
READERS = {1: "0.1.0"}  # earlier format -> the last chatbench that reads it
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """A file format's notation of values: its word for None, and the range of its numbers."""

    none: Any = None
    least: float = -sys.float_info.max
    most: float = sys.float_info.max

    def number(self, kind: str) -> str:
        """Return the words for a number of this kind, with its range where there is one."""
        return kind if self == JSON else f"{kind} from {self.least:,} to {self.most:,}"


JSON = Notation()


class BadValueError(ValueError):
    """A value that its record does not take.

    Attributes:
        where: Dotted path with indices, such as ``idle.steps[2]``; empty for the table itself.
        value: The value at that place.
        expected: Words for a valid value, such as ``a whole number``.
        known: The valid words, where these can be listed.
    """

    def __init__(self, value: Any, expected: str, known: Iterable[str] = ()) -> None:
        super().__init__(value, expected)
        self.where = ""
        self.value = value
        self.expected = expected
        self.known = tuple(known)

    def move_into(self, place: str) -> None:
        """Put a place before the path: a field's name, or an index in brackets."""
        self.where = f"{place}{'.' if self.where and not self.where.startswith('[') else ''}{self.where}"

    def __str__(self) -> str:
        return f"{self.where} is {shortened(self.value)}, expected {self.expected}"


class UnknownKeyError(BadValueError):
    """A key that its record does not have; ``value`` is the key."""

    def __str__(self) -> str:
        return f"{self.where}: unknown key {shortened(self.value)}"


class MissingKeyError(BadValueError):
    """A key without a default that the table lacks; ``value`` is the key."""

    def __str__(self) -> str:
        return f"{self.where}: missing key {self.value!r}"


def shortened(value: Any) -> str:
    """Return a value as Python writes it, in at most 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def to_json(record: Any) -> dict[str, Any]:
    """Return a record as plain JSON-able data."""
    return asdict(record)


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """Return the record of type ``cls`` in plain data, read strictly.

    Raises:
        BadValueError: an unknown or missing key, or a value of another type; its path begins with the record's name.
    """
    try:
        return read_record(cls, data)
    except BadValueError as fault:
        fault.move_into(cls.__name__)
        raise


def read_record(cls: type[T], table: Any, notation: Notation = JSON, **given: Any) -> T:
    """Return the record of type ``cls`` in a table.

    Args:
        cls: A dataclass.
        table: Plain data: numbers, texts, lists, tables.
        notation: That of the file.
        given: Fields with values that no table holds.

    Raises:
        BadValueError: an unknown or missing key, or a value of another type.
    """
    values = read_values(cls, table, notation, without=given) | given
    for field in fields(cls):  # type: ignore[arg-type]  # every caller passes a dataclass
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise MissingKeyError(field.name, "a value")
    return cls(**values)


def read_values(cls: type, table: Any, notation: Notation = JSON, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return the values of a table by field of ``cls``; a key that the table lacks is absent here too."""
    if not isinstance(table, Mapping):
        raise BadValueError(table, "a table")
    hints = _hints(cls)
    known = [name for name in hints if name not in without]
    for key in table:
        if key not in known:
            raise UnknownKeyError(key, "a known key", known)
    return {key: _read_at(key, hints[key], value, notation) for key, value in table.items()}


@lru_cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _read_at(place: str, hint: Any, value: Any, notation: Notation) -> Any:
    try:
        return _read(hint, value, notation)
    except BadValueError as fault:
        fault.move_into(place)
        raise


def _read(hint: Any, value: Any, notation: Notation) -> Any:
    """Return a value as its type hint wants it."""
    if hint is Any:
        return value
    if hint in _PLAIN:
        return _plain(hint, value, notation)
    if is_dataclass(hint):
        return read_record(typing.cast(type, hint), value, notation)
    return _GENERIC[typing.get_origin(hint)](typing.get_args(hint), value, notation)


def _optional(options: Any, value: Any, notation: Notation) -> Any:
    """Return a value of one of several types: None, a list where that is one of them, else the first."""
    if value is notation.none:
        return None
    wanted = [option for option in options if option is not types.NoneType]
    lists = [option for option in wanted if typing.get_origin(option) is tuple]
    return _read((lists if lists and isinstance(value, list) else wanted)[0], value, notation)


def _choice(choices: Any, value: Any, _: Notation) -> Any:
    if value not in choices:
        raise BadValueError(value, f"one of {', '.join(map(str, choices))}", choices)
    return value


def _list(args: Any, value: Any, notation: Notation) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise BadValueError(value, f"a list of {_PLAIN[args[0]][1]}" if args[0] in _PLAIN else "a list")
    return tuple(_read_at(f"[{index}]", args[0], item, notation) for index, item in enumerate(value))


def _table(args: Any, value: Any, notation: Notation) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadValueError(value, "a table")
    return {key: _read_at(str(key), args[1], item, notation) for key, item in value.items()}


_GENERIC: Mapping[Any, Callable[[Any, Any, Notation], Any]] = {
    typing.Union: _optional,
    types.UnionType: _optional,
    typing.Literal: _choice,
    tuple: _list,
    dict: _table,
    Mapping: _table,
}
_PLAIN: Mapping[Any, tuple[str, str]] = {
    bool: ("true or false", "true or false"),
    float: ("a number", "numbers"),
    int: ("a whole number", "whole numbers"),
    str: ("a text", "texts"),
}


def _plain(kind: type, value: Any, notation: Notation) -> Any:
    expected = _PLAIN[kind][0]
    if kind in (bool, str):
        good = isinstance(value, kind)
    else:
        whole = isinstance(value, int) and not isinstance(value, bool)
        good = (whole or (kind is float and isinstance(value, float))) and notation.least <= value <= notation.most
        expected = notation.number(expected)
    if not good:
        raise BadValueError(value, expected)
    return float(value) if kind is float else value
