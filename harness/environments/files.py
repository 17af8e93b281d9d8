"""The files of a part's folder, and a digest of all that they hold."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

#: folders that tools make anew: versions, packages, caches
_LEFT_OUT = {".git", ".hg", ".svn", ".chatbench", "node_modules", "__pycache__", ".cache", ".tox", ".nox", ".angular"}


def tree_digest(folder: Path) -> str:
    """Return a digest of the names and contents of a folder's files, caches and installed packages left out."""
    whole = hashlib.sha256()
    for file in sorted(_files(folder, set())):
        whole.update(os.fsencode(file.relative_to(folder)) + b"\0" + file_digest(file))
    return whole.hexdigest()


def file_digest(file: Path) -> bytes:
    """Return the digest of a file's content; of one that may not be read, that of its size and time."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except PermissionError:
        facts = file.stat()
        return hashlib.sha256(f"{facts.st_size} {facts.st_mtime_ns}".encode()).digest()


def _files(folder: Path, above: set[str]) -> Iterator[Path]:
    """Yield the files below a folder; a link to a folder is followed unless it leads back to one ``above``."""
    place = str(folder.resolve())
    if place in above:
        return
    try:
        inside = list(folder.iterdir())
    except PermissionError:  # the data of a database that runs as another user, for instance
        return
    names = {path.name for path in inside}
    if "pyvenv.cfg" in names or {"run.json", "trials"} <= names:  # a virtual environment, a run of chatbench
        return
    for path in inside:
        if path.is_dir():
            if path.name not in _LEFT_OUT and not path.name.endswith(("_cache", ".egg-info")):
                yield from _files(path, above | {place})
        elif path.is_file():
            yield path
