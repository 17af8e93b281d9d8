"""A requirements file as pip reads it: what it includes, what it takes from this machine, whether all has hashes."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.environments.files import file_digest, tree_digest
from harness.errors import BenchError

_INCLUDES = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s*)(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s*)(\S.*)")
_NAMED = re.compile(r"[A-Za-z0-9][\w.-]*\s*(?:\[[^]]*\])?\s*@\s*(\S+)")  # name @ address
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz")
#: what an editable project's dependencies come from
_PROJECT = ("pyproject.toml", "setup.cfg", "setup.py", "requirements*.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a requirements file leads to.

    Attributes:
        files: The file itself, then those that it includes.
        local: Folders and archives on this machine whose content is installed.
        editable: Folders that are installed as they stand, so that a change in them needs no new installation.
        hashed: Every requirement has a hash.
    """

    files: tuple[Path, ...]
    local: tuple[Path, ...]
    editable: tuple[Path, ...]
    hashed: bool

    @property
    def locked(self) -> bool:
        """Tell if it is a lock with hashes, so that the same files are installed everywhere."""
        return self.hashed and not self.local and not self.editable

    def states(self) -> Iterator[bytes]:
        """Yield what decides whether an environment made from it is still the same."""
        for file in self.files:
            yield file.read_bytes()
        for place in self.local:
            yield os.fsencode(place)
            if place.is_dir():
                yield tree_digest(place).encode()
            elif place.is_file():
                yield file_digest(place)
        for place in self.editable:
            yield os.fsencode(place)
            yield from (file_digest(file) for name in _PROJECT for file in sorted(place.glob(name)) if file.is_file())


def read_requirements(file: Path, folder: Path) -> Requirements:
    """Return what a requirements file leads to; paths of folders and archives are relative to ``folder``.

    Raises:
        BenchError: it, or a file that it includes, does not exist or is no text.
    """
    files, local, editable, hashed = [file.resolve()], list[Path](), list[Path](), True
    for one in files:  # grows while it is read
        for line in _lines(one):
            if found := _INCLUDES.match(line):
                included = (one.parent / _unquoted(found[1])).resolve()  # so that a circle is seen
                if not _is_remote(found[1]) and included not in files:
                    if not included.is_file():
                        raise BenchError(f"{one}: {line}: {included} does not exist", "correct the path in that line")
                    files.append(included)
                continue
            if line.startswith("-") and not _EDITABLE.match(line):
                continue  # an option, such as an index
            hashed = hashed and "--hash" in line
            if place := _place(line):
                (editable if _EDITABLE.match(line) else local).append((folder / place).resolve())
    return Requirements(files=tuple(files), local=tuple(local), editable=tuple(editable), hashed=hashed)


def _lines(file: Path) -> Iterator[str]:
    """Yield the logical lines of a file, without comments."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchError(f"{file} is no UTF-8 text: {error}", "save it as UTF-8") from error
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if plain := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield plain


def _place(line: str) -> str:
    """Return the path of a requirement on this machine, without extras, marker and hash; empty for any other."""
    editable, named = _EDITABLE.match(line), _NAMED.match(line)
    word = re.split(r"\s+;|\s+--|;\s", editable[1] if editable else named[1] if named else line)[0].strip()
    if urlsplit(word).scheme == "file":
        return unquote(urlsplit(word).path)
    if _is_remote(word):
        return ""
    plain = re.sub(r"\[[^]]*\]$", "", re.sub(r"#\w+=\S*$", "", _unquoted(word)))
    local = editable or plain.startswith((".", "/")) or plain.endswith(_ARCHIVES)
    return plain if local else ""


def _unquoted(word: str) -> str:
    return word.strip().strip("\"'")


def _is_remote(word: str) -> bool:
    return bool(re.match(r"[a-z+]{2,}://", word.strip()))
