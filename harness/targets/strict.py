"""The strict reading of TOML tables: an error names the value, its place and the remedy."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
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
_MOST = 10**9  # larger numbers are mistakes; no arithmetic has to expect them


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of the known words, or all of them where none is near."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(choices) or 'none'}"


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
    with _explained(file):
        return read_record(cls, table, Notation(none=False, least=least, most=_MOST), **given)


def read_changes(cls: type, table: Mapping[str, Any], file: str, *, least: int = 0) -> dict[str, Any]:
    """Return the fields of ``cls`` that a table states; raises UsageError as ``read_table`` does."""
    with _explained(file):
        return read_values(cls, table, Notation(none=False, least=least, most=_MOST))


@contextmanager
def _explained(file: str) -> Iterator[None]:
    """Turn a value that its record does not take into a UsageError."""
    try:
        yield
    except BadValueError as fault:
        place = f"{file}: {fault.where}" if fault.where else file
        if isinstance(fault, UnknownKeyError):
            raise UsageError(
                f"{place}: unknown key {shortened(fault.value)}", nearest(fault.value, fault.known)
            ) from None
        if isinstance(fault, MissingKeyError):
            table = f" to the table [{fault.where}]" if fault.where else ""
            raise UsageError(f"{place}: {fault.value} is missing", f"add {fault.value}{table}") from None
        raise UsageError(f"{place} is {shortened(fault.value)}", _remedy(fault)) from None


def _remedy(fault: BadValueError) -> str:
    if fault.known and isinstance(fault.value, str):
        return nearest(fault.value, fault.known)
    return f"write a table [{fault.where}]" if fault.expected == "a table" else f"write {fault.expected}"
