"""Asks git, and hands on its own words where it refuses, with the remedy."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.errors import BenchError, UsageError

PATIENCE_S = 600  # a revision of a large repository, or one whose files are fetched only now
#: a hook sets these for its own repository: the one that holds a folder is meant here
LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")
PLAIN = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
NO_HISTORY = "commit it with git, or compare two runs of it: `chatbench run` before and after, then `chatbench compare`"


def git(folder: Path, *words: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Return how git ended in a folder; it speaks English, asks nothing and takes paths literally.

    Raises:
        BenchError: there is no git, or it takes too long.
    """
    kept = {name: value for name, value in os.environ.items() if name not in LOCAL}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words],
            env={**kept, **PLAIN, **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )
    except FileNotFoundError:
        raise BenchError(
            "git is not on this machine", "install it: revisions are compared from their history"
        ) from None
    except subprocess.TimeoutExpired:
        raise BenchError(
            f"`git {words[0]}` in {folder} took longer than {PATIENCE_S} s", "run it by hand to see what it waits for"
        ) from None


def text(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return what git printed, stripped; empty where it failed."""
    return "" if done.returncode else os.fsdecode(done.stdout).strip()


def reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the first line of git's own reason."""
    said = done.stderr.decode(errors="replace").strip() or f"it ended with {done.returncode}"
    return said.splitlines()[0].removeprefix("fatal: ").removeprefix("error: ")


def repository_of(folder: Path) -> Path:
    """Return the root of the repository that holds a folder.

    Raises:
        UsageError: there is none, or git does not trust it.
    """
    found = git(folder, "rev-parse", "--show-toplevel")
    if found.returncode == 0:
        return Path(os.fsdecode(found.stdout.removesuffix(b"\n")))
    trust = re.search(r"git config --global --add safe\.directory .+", found.stderr.decode(errors="replace"))
    remedy = f"if you trust its files: {trust[0].strip()}" if trust else NO_HISTORY
    raise UsageError(f"git finds no revisions of {folder}: {reason(found)}", remedy)


def is_shallow(repository: Path) -> bool:
    """Tell if a clone lacks the older part of its history."""
    return text(git(repository, "rev-parse", "--is-shallow-repository")) == "true"


def fetch_command(repository: Path) -> str | None:
    """Return the command that fetches every branch with its history; None without a remote repository."""
    remotes = text(git(repository, "remote")).split()
    if not remotes:
        return None
    name = "origin" if "origin" in remotes else remotes[0]
    unshallow = "--unshallow " if is_shallow(repository) else ""
    return f"git fetch {unshallow}{name} '+refs/heads/*:refs/remotes/{name}/*'"
