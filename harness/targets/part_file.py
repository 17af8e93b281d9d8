"""The strict reading of a part.toml."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.targets.part import FEATURES, NAME, PROTOCOLS, Part, Suite, check_local, local_changes
from harness.targets.strict import nearest, read_table

#: keys and kinds of part.toml before chatbench 0.2.0: revisions of that time are still measured against later ones
FORMER_KEYS = {"model": "processes"}
FORMER_KINDS = {"upstream": "model", "direct": "no_app"}
EXTENSIBLE = ("streamlit",)  # protocols whose class of ours is there to be extended by a user class


def read_part(folder: Path) -> Part:
    """Return the part that a folder's ``part.toml`` states.

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
        raise UsageError(f"{path}: {error}", "fix the TOML at that place") from error
    part = read_table(Part, _renamed(table), str(path), folder=folder, edition="", only_local=False)
    _check_part(part, path)
    return part


def _renamed(table: dict[str, Any]) -> dict[str, Any]:
    """Return a part's table with today's names of keys and kind."""
    table = {FORMER_KEYS.get(key, key): value for key, value in table.items()}
    if isinstance(kind := table.get("kind"), str):
        table["kind"] = FORMER_KINDS.get(kind, kind)
    if isinstance(variants := table.get("variants"), dict):
        table["variants"] = {
            name: {FORMER_KEYS.get(key, key): value for key, value in one.items()} if isinstance(one, dict) else one
            for name, one in variants.items()
        }
    return table


def _check_part(part: Part, path: Path) -> None:
    if not NAME.fullmatch(part.name):
        raise UsageError(f"{path}: name is {part.name!r}", "use small letters, digits and hyphens")
    _check_protocol(part, path)
    for index, feature in enumerate(part.features):
        if feature not in FEATURES:
            raise UsageError(f"{path}: features[{index}] is {feature!r}", nearest(feature, FEATURES))
    if part.version is not None and not part.version:
        remedy = 'write the version, or a command that prints it: ["node", "--version"]'
        raise UsageError(f"{path}: version is {part.version!r}", remedy)
    check_local({field.name: getattr(part.local, field.name) for field in fields(part.local)}, f"{path}: local.")
    if part.tests:
        _check_tests(part.tests, path)
    for name, variant in part.variants.items():
        local_changes(path, name, variant)


def _check_tests(tests: Suite, path: Path) -> None:
    if not tests.command:
        raise UsageError(f"{path}: tests.command is []", "write the command that runs the tests, a list of texts")
    if tests.at_least < 1:
        raise UsageError(f"{path}: tests.at_least is {tests.at_least}", "write a whole number from 1 on")
    place = f"{path}: tests.passed is {tests.passed!r}"
    try:
        groups = re.compile(tests.passed).groups
    except re.error as error:
        raise UsageError(f"{place}: {error}", "write a regular expression") from error
    if groups != 1:
        raise UsageError(place, r"give it one group, such as Ran (\d+) tests")


def _check_protocol(part: Part, path: Path) -> None:
    protocol, user_class = part.protocol, part.user_class
    if user_class is None:
        if protocol is not None and protocol not in PROTOCOLS and part.kind != "model":
            hint = f'{nearest(protocol, PROTOCOLS)}; one of your own needs user_class = "user.py:Name"'
            raise UsageError(f"{path}: protocol is {protocol!r}", hint)
        return
    file, _, name = user_class.rpartition(":")
    if not (file.endswith(".py") and name.isidentifier()):
        raise UsageError(
            f"{path}: user_class is {user_class!r}", 'write "user.py:Name" with the name of a class in that file'
        )
    if not (path.parent / file).is_file():
        raise UsageError(f"{path}: user_class names {file!r}, which does not exist", f"add it to {path.parent}")
    if protocol is None or (protocol in PROTOCOLS and protocol not in EXTENSIBLE):
        raise UsageError(
            f"{path}: user_class comes with protocol {protocol!r}, which has users of its own",
            'name the protocol of your user class, such as protocol = "mine", or leave user_class out',
        )
    _check_source(path.parent / file)


def _check_source(file: Path) -> None:
    """Raise UsageError where a file is no Python, with the place that Python names."""
    try:
        compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    except SyntaxError as error:
        shown = (error.text or "").strip()
        raise UsageError(f"{file}, line {error.lineno}: {error.msg}: {shown}", "fix that line") from error
    except ValueError as error:  # null bytes
        raise UsageError(f"{file}: {error}", "write it anew as UTF-8 text") from error
