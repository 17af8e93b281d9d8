"""The reference of profiles: those that come with chatbench, and every key from the dataclasses that read them."""

import dataclasses
import inspect
import re
import tomllib
import types
import typing
from pathlib import Path
from typing import Any

from docs.generate.markdown import table
from harness import profiles

FOLDER = Path(profiles.__file__).parent
TYPES = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def page() -> str:
    """Return the profiles and their keys."""
    return (
        "# Profiles\n\n"
        "A profile says how to measure. It is a small TOML file.\n"
        "`--profile` takes a name from the table, or the path of a file of your own.\n"
        "An unknown key is an error that names the nearest valid one.\n\n"
        + table(("Profile", "Purpose"), [(f"`{name}`", _purpose(name)) for name in profiles.names()])
        + "\nThe files are in `harness/profiles`. Start from the one nearest to your question:\n\n"
        "```\ncp harness/profiles/quick.toml mine.toml\n"
        ".venv/bin/chatbench run streamlit --profile mine.toml\n```\n"
        + "".join(_section(where, cls) for where, cls in _tables(profiles.Profile))
    )


def _purpose(name: str) -> str:
    return str(tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["purpose"])


def _tables(top: type) -> list[tuple[str, type]]:
    """Return the profile's tables with the dataclass that each is read into; "" is the file's top."""
    found: list[tuple[str, type]] = [("", top)]
    shared: dict[str, type] = {}
    for name, hint in typing.get_type_hints(top).items():
        kind = _plain(hint)
        if dataclasses.is_dataclass(kind) and kind.__name__ != "Distribution":
            found.append((name, typing.cast(type, kind)))
        elif dataclasses.is_dataclass(kind):
            shared["a distribution"] = typing.cast(type, kind)
    return [*found, *shared.items()]


def _plain(hint: Any) -> Any:
    """Return a hint without its ``None``."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _section(where: str, cls: type) -> str:
    heading = {"": "Keys at the top of the file", "a distribution": "A distribution"}.get(where, f"[{where}]")
    says = _first(inspect.getdoc(cls))
    hints, comments = typing.get_type_hints(cls), _comments(cls)
    rows = [
        (f"`{one.name}`", _type(hints[one.name]), _default(one), comments.get(one.name, ""))
        for one in dataclasses.fields(cls)
        if one.name != "name"
    ]
    return f"\n## {heading}\n\n{says}\n\n" + table(("Key", "Type", "Default", "Meaning"), rows)


def _first(doc: str | None) -> str:
    """Return a docstring's first paragraph."""
    return " ".join((doc or "").split("\n\n")[0].split())


def _type(hint: Any) -> str:
    kind, optional = _plain(hint), _plain(hint) is not hint
    if typing.get_origin(kind) is tuple:
        text = "ascending whole numbers"
    elif dataclasses.is_dataclass(kind):
        text = "number or distribution" if typing.cast(type, kind).__name__ == "Distribution" else "table"
    else:
        text = TYPES[kind]
    return f"{text}, or false" if optional else text


def _default(one: "dataclasses.Field[Any]") -> str:
    if one.default is not dataclasses.MISSING:
        value = list(one.default) if isinstance(one.default, tuple) else one.default
        return "none" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    return "required" if one.default_factory is dataclasses.MISSING else "its own defaults"


def _comments(cls: type) -> dict[str, str]:
    """Return what the source says beside each field."""
    found = re.findall(r"^ {4}(\w+): [^#\n]+#\s*(.+)$", inspect.getsource(cls), re.MULTILINE)
    return {name: says[0].upper() + says[1:] for name, says in found}
