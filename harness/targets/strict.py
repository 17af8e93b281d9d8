"""The strict reading of TOML tables: an error names the value, its place and the remedy."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from harness.errors import UsageError
from harness.records.coding import (
    BadValueError,
    MissingKeyError,
    Notation,
    UnknownKeyError,
    read_record,
    read_values,
    shortened,
)

T = TypeVar("T")
Tables = Mapping[str, Collection[str]]  # the keys of a file by table, "" for its top
_MOST = 10**9  # larger numbers are mistakes; no arithmetic has to expect them
_ALIKE = 0.75  # of two words' letters, in order: a slip in a word of four letters leaves as many
#: words that people write for a key, and the key
_MEANT = {
    "environment": "env",
    "variables": "env",
    "command": "start",
    "entrypoint": "start",
    "run": "start",
    "health": "ready",
    "timeout": "ready_within_s",
    "dependencies": "requirements",
    "packages": "requirements",
    "virtualenv": "venv",
    "prefix": "path",
    "base_path": "path",
    "workers": "instances",
    "replicas": "instances",
}


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word that was meant, or all of them where none is likely."""
    choices = sorted(known)
    near = _likely(word, choices)
    return f"did you mean {near!r}?" if near else f"known: {', '.join(choices) or 'none'}"


def _likely(word: str, known: Iterable[str]) -> str | None:
    """Return the known word of which a word is a slip, or the end behind a dot; None where it can be any."""
    lower, choices = word.lower(), {one.lower(): one for one in known}
    near = difflib.get_close_matches(lower, choices, cutoff=_ALIKE)
    slips = [one for one in near if one[0] == lower[0] or sorted(one) == sorted(lower)]  # few miss the first letter
    ends = [one for one in choices if one.endswith(f".{lower}")]
    return next((choices[one] for one in (*slips, *ends)), None)


def read_table(cls: type[T], table: Mapping[str, Any], file: str, *, least: int = 0, **given: Any) -> T:
    """Return the record of type ``cls`` in a table of a TOML file.

    Args:
        cls: A dataclass.
        table: As read from the file; ``false`` stands for None, where the field may be None.
        file: The file's name, which begins every error's message.
        least: The smallest number that the table may hold.
        given: Fields with values that the table must not hold.

    Raises:
        UsageError: an unknown or missing key, or a value of another type.
    """
    with _explained(file, _tables(cls, without=given)):
        return read_record(cls, table, Notation(none=False, least=least, most=_MOST), **given)


def read_changes(cls: type, table: Mapping[str, Any], file: str, *, least: int = 0) -> dict[str, Any]:
    """Return the fields of ``cls`` that a table states; raises UsageError as ``read_table`` does."""
    with _explained(file, {}):
        return read_values(cls, table, Notation(none=False, least=least, most=_MOST))


@contextmanager
def _explained(file: str, tables: Tables) -> Iterator[None]:
    """Turn a value that its record does not take into a UsageError."""
    try:
        yield
    except BadValueError as fault:
        place = f"{file}: {fault.where}" if fault.where else file
        if isinstance(fault, UnknownKeyError):
            raise UsageError(
                f"{place}: unknown key {shortened(fault.value)}", _wanted(str(fault.value), fault, tables)
            ) from None
        if isinstance(fault, MissingKeyError):
            table = f" to the table [{fault.where}]" if fault.where else ""
            raise UsageError(f"{place}: {fault.value} is missing", f"add {fault.value}{table}") from None
        raise UsageError(f"{place} is {shortened(fault.value)}", _remedy(fault)) from None


def _tables(cls: type, above: str = "", without: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the keys of a record and of the records in it, by table; lists and tables of records are left out."""
    hints = {name: hint for name, hint in typing.get_type_hints(cls).items() if name not in without}
    found = {above: tuple(hints)}
    for name, hint in hints.items():
        options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
        for one in options:
            if isinstance(one, type) and dataclasses.is_dataclass(one):
                found |= _tables(one, f"{above}.{name}".lstrip("."))
    return found


def _wanted(word: str, fault: BadValueError, tables: Tables) -> str:
    """Return the key that was meant: another word for one of this table, one of another table, the nearest."""
    if word == "port" and any("start" in keys for keys in (fault.known, *tables.values())):
        return "write {port} in start or in [local.env]: chatbench picks the port"
    meant = _MEANT.get(word.lower(), word) if "local" in fault.known else word  # [local] is below: its keys were meant
    elsewhere = [table for table, keys in tables.items() if meant in keys and table != fault.where]
    if elsewhere and _MEANT.get(word) not in fault.known:
        # [variants.NAME.local] is read as [local] is: the table inside of this one is meant
        inside = [f"{fault.where}.{table}" for table in elsewhere if fault.where and table in fault.known]
        named = [f"[{table}]" if table else "the top of the file" for table in inside or elsewhere]
        places = " or ".join(named)
        return f"move {word} to {places}" if word == meant else f"did you mean {meant!r} in {places}?"
    words = [*fault.known, *(meant for meant, key in _MEANT.items() if key in fault.known)]
    near = _likely(word, words)
    if near is None or near in fault.known:
        return nearest(word, fault.known)
    key = _MEANT[near]
    table = f"{fault.where}.{key}".lstrip(".")
    return f"did you mean {key!r}?" if key != "env" else f"did you mean the table [{table}]?"


def _remedy(fault: BadValueError) -> str:
    if fault.known and isinstance(fault.value, str):
        return nearest(fault.value, fault.known)
    return f"write a table [{fault.where}]" if fault.expected == "a table" else f"write {fault.expected}"
