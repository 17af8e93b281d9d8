"""The steps that make a part's needs: each with its log, and what it makes whole or not at all."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.environments.uv import uv, uv_environment
from harness.errors import BenchError
from harness.host.launch import last_lines, run_to_end

BUILD_LIMIT_S = 900

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


class Steps:
    """Steps that make what is kept below ``root``/.chatbench; ``report`` gets a line for each that takes time."""

    def __init__(self, root: Path, report: Callable[[str], None]) -> None:
        self._root = root
        self._home = root / ".chatbench"
        self._report = report

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


def digest(*pieces: bytes) -> str:
    """Return a short digest of some pieces."""
    return hashlib.sha256(b"\0".join(pieces)).hexdigest()[:12]


def output(command: Sequence[str | Path]) -> str:
    """Return the output of a quick command, stripped; empty when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
