"""Small git repositories, whatever the machine's own settings of git are."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

OPTIONS = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")


def git(root: Path, *words: str) -> str:
    """Return what git prints in a folder, stripped; an error where it fails."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", "-C", root, *OPTIONS, *words], check=True, capture_output=True, text=True, env=own)
    return done.stdout.strip()


def new_repository(root: Path) -> Path:
    """Return a new repository without commits, on branch ``main``."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    return root


def commit(root: Path, files: Mapping[str, str], message: str) -> None:
    """Write files and commit all that is there."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
