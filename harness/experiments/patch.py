"""A patch read: its cost in lines, files and parts, and its level by the list of patterns."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from harness.errors import UsageError
from harness.records import Cost, Level, Mark
from harness.targets import read_table

LEVELS_FILE = Path(__file__).parent / "levels.toml"
MARK_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One entry of ``levels.toml``.

    Attributes:
        files: Globs of files it is looked for in.
        pattern: A regular expression for an added line; of settings and uncounted files the globs alone decide.
        reason: Why it is of this level.
        source: The documentation that says so.
    """

    name: str
    files: tuple[str, ...]
    pattern: str = ""
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The list of patterns: ``setting`` (level 0), ``escape`` (level 2), and what no cost counts."""

    setting: tuple[Pattern, ...]
    escape: tuple[Pattern, ...]
    uncounted: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """The changes of one file."""

    name: str
    added: tuple[str, ...]
    deleted: int
    binary: bool = False


def read_levels(path: Path = LEVELS_FILE) -> Levels:
    """Return the list of patterns; raises UsageError for one that is no regular expression."""
    found = read_table(Levels, tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    for one in found.escape:
        try:
            re.compile(one.pattern)
        except re.error as error:
            raise UsageError(f"{path}: {one.name}: {error}", "write a regular expression") from error
    return found


def read_patch(text: str) -> list[ChangedFile]:
    """Return the files that a patch in git's format changes."""
    return [_changed(section) for section in re.split(r"^diff --git ", text, flags=re.MULTILINE)[1:]]


def _changed(section: str) -> ChangedFile:
    lines = section.splitlines()
    name = lines[0].rpartition(" b/")[2].strip('"')
    begin = next((n for n, line in enumerate(lines) if line.startswith("@@")), len(lines))
    body = lines[begin:]
    return ChangedFile(
        name=name,
        added=tuple(line[1:] for line in body if line.startswith("+")),
        deleted=sum(line.startswith("-") for line in body),
        binary=any(line.startswith("GIT binary patch") for line in lines),
    )


def cost(changed: Sequence[ChangedFile], folders: Sequence[str], levels: Levels) -> Cost:
    """Return the effort of a patch; ``folders`` are those of the target's parts, as the patch names them."""
    counted = [one for one in changed if not _matches(one.name, levels.uncounted)]
    touched = {folder for folder in folders for one in changed if PurePosixPath(one.name).is_relative_to(folder)}
    return Cost(
        lines=sum(len(one.added) + one.deleted for one in counted),
        files=len(counted),
        parts_touched=len(touched),
        parts=len(folders),
    )


def level(changed: Sequence[ChangedFile], levels: Levels) -> tuple[Level, tuple[Mark, ...]]:
    """Return a patch's level, and the places that decide it.

    An escape anywhere makes it 2. It is 0 where it changes settings alone. All else is 1.
    """
    escapes = tuple(mark for one in changed for mark in _escapes(one, levels.escape))
    if escapes:
        return 2, escapes
    telling = [one for one in changed if not _matches(one.name, levels.uncounted)]
    settings = [_matches(one.name, levels.setting) for one in telling]
    if telling and all(settings):
        return 0, tuple(
            Mark(name=found.name, file=one.name, line="") for one, found in zip(telling, settings, strict=True) if found
        )
    return 1, ()


def _escapes(one: ChangedFile, patterns: Sequence[Pattern]) -> Iterator[Mark]:
    for pattern in patterns:
        if any(fnmatch(one.name, glob) for glob in pattern.files):
            for line in one.added:
                if re.search(pattern.pattern, line):
                    yield Mark(name=pattern.name, file=one.name, line=line.strip()[:MARK_CHARS])


def _matches(name: str, patterns: Sequence[Pattern]) -> Pattern | None:
    return next((one for one in patterns if any(fnmatch(name, glob) for glob in one.files)), None)
