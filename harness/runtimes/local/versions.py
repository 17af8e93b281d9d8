"""The versions of a target's parts, as the report names them."""

import subprocess

from harness import environments
from harness.errors import BenchError
from harness.runtimes.local.words import Tools, filled
from harness.targets import Part

NOT_STATED = "version not stated"
LIMIT_S = 60.0


def described(part: Part, tools: Tools) -> dict[str, str]:
    """Return a part's name, title, package and version, and a note where its packages are not pinned by hashes.

    Raises:
        BenchError: its package is not installed, belongs to another program, or its command prints no version.
    """
    known = {"name": part.name, "title": part.title, "package": part.package or part.name}
    found = known | {"version": _version(part, tools)}
    note = _packages(part)
    return found | {"packages": note} if note else found


def _version(part: Part, tools: Tools) -> str:
    where = part.folder / "part.toml"
    if isinstance(part.version, str):
        return part.version
    if part.version:
        return _printed(part, [filled(word, tools.words()) for word in part.version])
    if part.package is None:
        return NOT_STATED
    if part.local.build == "npm" or tools.python is None:
        return environments.locked_npm_version(part.folder, part.package)
    if not part.local.runs_python:
        raise BenchError(
            f"{where}: package {part.package!r} is of an environment that `start` does not use",
            'say the version of what runs: version = "1.0", or a command: version = ["node", "--version"]',
        )
    return environments.installed_version(tools.python, part.package)


def _printed(part: Part, command: list[str]) -> str:
    """Return the first line that a command prints; Java prints its version as if it were an error."""
    place = f"{part.folder / 'part.toml'}: version = {command}"
    try:
        done = subprocess.run(
            command,
            cwd=part.folder,
            env=environments.plain_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise BenchError(f"{place} cannot be run: {failed}", "correct it, or write the version itself") from failed
    printed = done.stdout if done.stdout.strip() else done.stderr
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    if done.returncode or not lines:
        said = " ".join(done.stderr.split())[-200:] or "nothing"
        raise BenchError(
            f"{place} ended with {done.returncode} and printed no version: {said}",
            "correct it, or write the version itself",
        )
    return "".join(sign for sign in lines[0] if sign.isprintable())[:80]


def _packages(part: Part) -> str:
    """Return a note on packages that another machine may have in other versions; empty for a lock with hashes."""
    if part.local.venv:
        return f"packages as found in {part.local.venv}"
    if not part.local.requirements:
        return ""
    file = part.folder / part.local.requirements
    return "" if environments.read_requirements(file, part.folder).locked else "packages not locked with hashes"
