"""Tables of a TOML file, read strictly: an unknown key or a wrong kind of value is named with its remedy."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from harness.errors import UsageError


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of the known words, or all of them where none is near."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(choices) or 'none'}"


def reject_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Raise UsageError for the first key of a table that is not known, naming the nearest one that is."""
    names = list(known)
    for key in table:
        if key not in names:
            raise UsageError(f"{where}: unknown key {key!r}", nearest(key, names))


_SIMPLE: Mapping[Any, str] = {int: "int", bool: "bool"}


def typed(cls: type, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check a table against a dataclass's fields: known keys, and values of the fields' plain types."""
    hints = {f.name: f for f in dataclasses.fields(cls)}
    reject_unknown(table, [name for name in hints if name not in ("folder", "edition")], where)
    values: dict[str, Any] = {}
    for key, value in table.items():
        hint = hints[key].type
        values[key] = _plain(value, _SIMPLE.get(hint, str(hint)), f"{where}: {key}")
    return values


def _plain(value: Any, hint: str, where: str) -> Any:
    if "tuple[tuple" in hint:
        good = isinstance(value, list) and all(
            isinstance(c, list) and c and all(isinstance(w, str) for w in c) for c in value
        )
        expected = "a list of commands, each a list of words"
        result: Any = tuple(tuple(c) for c in value) if good else None
    elif "tuple[str" in hint:
        good = isinstance(value, list) and all(isinstance(w, str) for w in value)
        expected = "a list of words"
        result = tuple(value) if good else None
    elif hint == "int":
        good, expected, result = isinstance(value, int) and not isinstance(value, bool), "a whole number", value
        good = good and value >= 1
    elif hint == "bool":
        good, expected, result = isinstance(value, bool), "true or false", value
    elif "Mapping" in hint:
        good = isinstance(value, dict) and ("Any" in hint or all(isinstance(v, str) for v in value.values()))
        expected, result = "a table of texts", value
    else:
        good, expected, result = isinstance(value, str), "a text", value
    if not good:
        raise UsageError(f"{where} is {value!r}", f"write {expected}")
    return result
