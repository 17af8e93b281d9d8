"""A part's part.toml, read strictly."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from harness.errors import UsageError
from harness.targets.part import FEATURES, NAME, PROTOCOLS, Kind, Local, Part, Suite
from harness.targets.strict import nearest, typed


def read_part(folder: Path) -> Part:
    """Read a part's ``part.toml``, strictly.

    Raises:
        UsageError: an unknown key or a value of the wrong kind, with the file and the nearest valid key.
    """
    path = folder / "part.toml"
    try:
        with path.open("rb") as stream:
            table = tomllib.load(stream)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", "a part is a folder with a part.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "mend the TOML at that place") from error
    tables = {name: table.pop(name, {}) for name in ("local", "tests")}
    for name, found in tables.items():
        if not isinstance(found, dict):
            raise UsageError(f"{path}: {name} is {found!r}", f"write a table [{name}]")
    values = typed(Part, table, str(path))
    _check_part(values, path)
    values["local"] = Local(**typed(Local, tables["local"], f"{path}: local"))
    values["tests"] = _suite(tables["tests"], f"{path}: tests") if tables["tests"] else None
    return Part(folder=folder, **values)


def _suite(table: Mapping[str, Any], where: str) -> Suite:
    values = typed(Suite, table, where)
    for key in ("command", "passed", "at_least"):
        if not values.get(key):
            raise UsageError(f"{where}: {key} is missing", f"add {key} to the table [tests]")
    try:
        groups = re.compile(values["passed"]).groups
    except re.error as error:
        raise UsageError(f"{where}: passed is {values['passed']!r}: {error}", "write a regular expression") from error
    if groups != 1:
        raise UsageError(f"{where}: passed is {values['passed']!r}", r"give it one group: Ran (\d+) tests")
    return Suite(**values)


def _check_part(values: Mapping[str, Any], path: Path) -> None:
    for key in ("name", "kind", "title"):
        if key not in values:
            raise UsageError(f"{path}: {key} is missing", f'add {key} = "…"')
    if values["kind"] not in get_args(Kind):
        raise UsageError(f"{path}: kind is {values['kind']!r}", nearest(values["kind"], get_args(Kind)))
    if not NAME.fullmatch(values["name"]):
        raise UsageError(f"{path}: name is {values['name']!r}", "use small letters, digits and hyphens")
    _check_protocol(values, path)
    for feature in values.get("features", ()):
        if feature not in FEATURES:
            raise UsageError(f"{path}: unknown feature {feature!r}", nearest(feature, FEATURES))
    for name, variant in values.get("variants", {}).items():
        where = f"{path}: variants.{name}"
        if not isinstance(variant, dict) or set(variant) - {"local", "title", "processes"}:
            raise UsageError(f"{where} is {variant!r}", "a variant has the keys local, title, processes")
        typed(Local, variant.get("local", {}), f"{where}.local")


def _check_protocol(values: Mapping[str, Any], path: Path) -> None:
    protocol, user_class = values.get("protocol"), values.get("user_class")
    if user_class is None:
        if protocol is not None and protocol not in PROTOCOLS and values["kind"] != "model":
            hint = f'{nearest(protocol, PROTOCOLS)}; one of your own needs user_class = "user.py:Name"'
            raise UsageError(f"{path}: protocol is {protocol!r}", hint)
        return
    file, _, name = user_class.rpartition(":")
    if not (file.endswith(".py") and name.isidentifier()):
        raise UsageError(
            f"{path}: user_class is {user_class!r}", 'write "user.py:Name", Name being a class in that file'
        )
    if not (path.parent / file).is_file():
        raise UsageError(f"{path}: user_class names {file!r}, which does not exist", f"add it to {path.parent}")
    if protocol is None or protocol in PROTOCOLS:
        hint = 'name what your user class speaks, as in protocol = "mine"; or leave user_class out'
        raise UsageError(f"{path}: user_class comes with protocol {protocol!r}, which has users of its own", hint)
