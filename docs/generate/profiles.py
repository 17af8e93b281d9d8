"""The reference of profiles: those that come with chatbench, and every key of the dataclasses that read them."""

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any

from docs.generate.markdown import table
from harness import profiles
from harness.records import Profile

FOLDER = Path(profiles.__file__).parent
MEANINGS = Path(__file__).with_name("profile_keys.toml")
TYPES = {int: "whole number", float: "number", str: "text", bool: "true or false"}
HEADINGS = {"profile": "Top of the file", "distribution": "A distribution"}
INTRODUCTIONS = {
    "profile": "`purpose`, `think_s` and `[answer]` are required; everything else has a default.",
    "distribution": "A number stands for a constant; a table for a log-normal quantity: "
    "`think_s = { median = 2.75, sigma = 0.4171 }`.",
}


def page() -> str:
    """Return the profiles and their keys."""
    meanings = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    return (
        "# Profiles\n\n"
        "A profile says how to measure. It is a small TOML file.\n"
        "`--profile` takes a name from the table, or the path of a file of your own.\n"
        "An unknown key is an error that names the nearest valid one.\n\n"
        + table(("Profile", "Answers", "Think time", "Purpose"), [_described(name) for name in profiles.names()])
        + "\nThe files are in `harness/profiles`. For a profile of your own, copy the one nearest to your question.\n"
        + "".join(_section(name, cls, meanings[name]) for name, cls in tables(Profile).items())
    )


def _described(name: str) -> tuple[str, ...]:
    profile = profiles.load(name)
    answer, think = profile.answer, profile.think_s
    spread = f"log-normal, median {think.median:g} s, " if think.sigma else ""
    pace = f"{answer.itl_s * 1000:.0f} ms apart, first after {answer.ttft_s.mean():.2g} s"
    thinks = f"{spread}mean {think.mean():.3g} s" if spread else f"{think.median:g} s"
    return f"`{name}`", f"{answer.tokens_mean():.0f} tokens, {pace}", thinks, profile.purpose


def tables(top: type) -> dict[str, type]:
    """Return the tables of a profile with the dataclass that each is read into; ``profile`` is the file's top."""
    found, shared = {"profile": top}, {}
    for name, hint in typing.get_type_hints(top).items():
        kind = _plain(hint)
        if dataclasses.is_dataclass(kind):
            (shared if kind.__name__ == "Distribution" else found)[name] = typing.cast(type, kind)
    return found | {"distribution": next(iter(shared.values()))}


def _plain(hint: Any) -> Any:
    """Return a hint without its ``None``."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _section(name: str, cls: type, meanings: dict[str, str]) -> str:
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if (name, field.name) != ("profile", "name")}
    rows = [(f"`{key}`", _type(hints[key]), _default(field), meanings[key]) for key, field in fields.items()]
    rows += [(f"`{key}`", "text", "none", says) for key, says in meanings.items() if key not in fields]
    introduction = f"{INTRODUCTIONS[name]}\n\n" if name in INTRODUCTIONS else ""
    heading = HEADINGS.get(name, f"[{name}]")
    return f"\n## {heading}\n\n{introduction}" + table(("Key", "Type", "Default", "Meaning"), rows)


def _type(hint: Any) -> str:
    kind = _plain(hint)
    if typing.get_origin(kind) is tuple:
        text = "ascending whole numbers"
    elif dataclasses.is_dataclass(kind):
        text = "number or distribution" if typing.cast(type, kind).__name__ == "Distribution" else "table"
    else:
        text = TYPES[kind]
    return text if kind is hint else f"{text}, or false"


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default_factory is not dataclasses.MISSING:
        return "as below"
    if field.default is dataclasses.MISSING:
        return "required"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
