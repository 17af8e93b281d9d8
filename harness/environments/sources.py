"""The files of a part as one digest, by which a run knows its chatbot again, and those that measure it."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from harness.environments.files import file_digest
from harness.environments.git import git
from harness.environments.requirements import read_requirements
from harness.targets import Part

#: what tools leave beside sources
LEFT_OUT = {".git", ".venv", "node_modules", ".angular", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
MADE_ANEW = re.compile(r"_cache$|\.egg-info$")
ENVIRONMENT = "pyvenv.cfg"  # a folder that holds it is an environment
#: what a running program writes beside its sources
WRITTEN = re.compile(r"\.(?:py[co]|log|pid|db|sqlite3?)(?:-wal|-shm|-journal)?")
#: what decides how a trial is measured and judged; the rest of chatbench tells of it
MEASURING = ("compose", "loadtests", "targets/llm", "requirements/bench.txt", "requirements/generator.txt")
MEASURING_OF_HARNESS = ("analysis", "environments", "host", "probes", "records", "runtimes", "trials")
SETTINGS = ".env"  # a user's own, beside the Compose files


def digest_of_part(part: Part) -> str:
    """Return the SHA-256 of a part's files by name and content, and of what its packages come from elsewhere.

    Builds and data are left out.
    """
    own, others = _digest(part.folder, files_of_part(part)), installed(part)
    for place in packages_elsewhere(part):
        others.append(_digest(place, _files_of(place, LEFT_OUT)) if place.is_dir() else file_digest(place).hex())
    return hashlib.sha256("\0".join([own, *others]).encode()).hexdigest() if others else own


def packages_elsewhere(part: Part) -> list[Path]:
    """Return what lies outside of a part's folder and is installed for it: lists of packages, projects, archives."""
    file, inside = part.folder / (part.local.requirements or ""), part.folder.resolve()
    if not file.is_file():
        return []
    wanted = read_requirements(file, part.folder)
    found = dict.fromkeys((*wanted.files, *wanted.local, *wanted.editable))
    return [place for place in found if place.exists() and not place.is_relative_to(inside)]


def installed(part: Part) -> list[str]:
    """Return the names and versions of the packages in a part's ready environment; none without one."""
    if not part.local.venv:
        return []
    sites = (part.folder / part.local.venv).glob("lib/python*/site-packages")
    return sorted(found.name for site in sites for found in site.glob("*.dist-info"))


def files_of_part(part: Part) -> list[Path]:
    """Return a part's files, relative to its folder: not those that git ignores, or that building and running writes.

    Without git these are all but builds, environments, caches and data.
    """
    return _files_of(part.folder, _left_out(part))


def ignored_files(part: Part) -> list[Path]:
    """Return files and folders in a part's folder that git ignores, relative to it: not those that tools make anew."""
    asked = ("--others", "--ignored", "--exclude-standard", "--directory")
    listed = git(part.folder, "ls-files", "-z", *asked)
    found = {Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name}
    made = {path for path in found if (part.folder / path / ENVIRONMENT).is_file() or MADE_ANEW.search(path.name)}
    return [path for path in _sources_of(found, _left_out(part)) if path not in made]


def _left_out(part: Part) -> set[str]:
    return LEFT_OUT | ({Path(part.local.dist).parts[0]} if part.local.dist else set())


def _files_of(folder: Path, left_out: set[str]) -> list[Path]:
    return _sources_of(_listed(folder) or {path.relative_to(folder) for path in _walk(folder)}, left_out)


def _sources_of(found: set[Path], left_out: set[str]) -> list[Path]:
    environments = {path.parent for path in found if path.name == ENVIRONMENT and path.parent.name}
    return sorted(
        path
        for path in found
        if not left_out & set(path.parts)
        and not environments & set(path.parents)
        and not WRITTEN.fullmatch(path.suffix)
    )


def changed_since(part: Part, moment: datetime) -> list[Path]:
    """Return the files of a part, relative to its folder, that were written after a moment."""
    at_s = moment.timestamp()
    dated = ((path, part.folder / path) for path in files_of_part(part))
    return [path for path, file in dated if file.exists() and file.stat().st_mtime > at_s]


def digest_of_measuring(root: Path) -> str:
    """Return the SHA-256 of all in a checkout that decides how a trial is measured and judged."""
    places = [root / name for name in MEASURING] + [root / "harness" / name for name in MEASURING_OF_HARNESS]
    files = (file for place in places for file in ([place] if place.is_file() else _walk(place)))
    counted = (file for file in files if file.name != SETTINGS and not WRITTEN.fullmatch(file.suffix))
    return _digest(root, (file.relative_to(root) for file in counted))


def _listed(folder: Path) -> set[Path]:
    """Return the files that git does not ignore, empty where git cannot tell."""
    if not shutil.which("git"):
        return set()
    listed = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed.returncode:
        return set()
    names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    # of a repository inside git lists the folder alone
    inside = [path for name in names if (path := folder / name).is_dir() and not path.is_symlink()]
    return {*map(Path, names)} | {file.relative_to(folder) for path in inside for file in _walk(path)}


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        yield from (Path(parent, name) for name in files)


def _digest(root: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = _content(root / path)
        if content is not None:
            digest.update(f"{path.as_posix()}\0{len(content)}\0".encode(errors="surrogateescape") + content)
    return digest.hexdigest()


def _content(file: Path) -> bytes | None:
    """Return a file's content, or where a link leads that is none; None for what cannot be read."""
    try:
        return file.read_bytes() if file.is_file() else os.fsencode(file.readlink()) if file.is_symlink() else None
    except OSError:
        return None  # of another user, or gone meanwhile
