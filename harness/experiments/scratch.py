"""A scratch copy of a target's parts, outside of the checkout, and a patch applied to it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.environments import FrontEnds
from harness.errors import BenchError
from harness.targets import Target

PREFIX = "chatbench-wish-"
#: in .chatbench: made from lock files alone and named after their hash, so a patched copy cannot spoil them
SHARED = ("envs", "node-*", "redis-*", "postgres-*")
LEFT_OUT = ("node_modules", "dist", ".angular", "__pycache__", "data", ".pytest_cache")
BESIDE = ("openapi.yaml",)  # files of targets/ that parts read


class PatchError(Exception):
    """A patch does not apply; the text is git's."""


@contextmanager
def scratch(root: Path, target: Target, model: Path) -> Iterator[Path]:
    """Make a folder with copies of a target's parts and the model, as below ``root``; remove it after the block.

    Raises:
        BenchError: a part lies outside of ``root``.
    """
    remove_leftovers(Path(tempfile.gettempdir()))
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    home.chmod(0o755)  # PostgreSQL runs as another user where this process is root
    try:
        for folder in (model, *(part.folder for part in target.parts)):
            shutil.copytree(folder, home / inside(root, folder), ignore=shutil.ignore_patterns(*LEFT_OUT))
        for name in BESIDE:
            if (root / "targets" / name).is_file():
                shutil.copy2(root / "targets" / name, home / "targets" / name)
        _share(root, home)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def inside(root: Path, folder: Path) -> Path:
    """Return a part's folder relative to the checkout; raises BenchError for one that lies elsewhere."""
    try:
        return folder.resolve().relative_to(root.resolve())
    except ValueError:
        raise BenchError(
            f"{folder} is not in {root}", "wishes are tried on parts of this checkout: put the part below targets/"
        ) from None


def apply(home: Path, patch: Path) -> None:
    """Apply a patch in git's format; raises PatchError with git's words where it does not fit."""
    try:
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", str(patch)],
            cwd=home,
            # a checkout above the scratch folder must not be taken for the patch's own
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(home.parent)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    except FileNotFoundError:
        raise BenchError("git is not on this machine", "install it: it applies the patches") from None
    if done.returncode != 0:
        raise PatchError(next(iter(done.stderr.strip().splitlines()), f"git apply ended with {done.returncode}"))


def lend_packages(root: Path, home: Path, target: Target, front_ends: FrontEnds) -> None:
    """Copy installed npm packages of unchanged lock files into the scratch folder."""
    for part in target.parts:
        if part.local.build == "npm":
            front_ends.borrow_packages(home / inside(root, part.folder), part.folder)


def remove_leftovers(folder: Path) -> None:
    """Remove scratch folders of processes that were killed."""
    for found in folder.glob(f"{PREFIX}*"):
        pid = found.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(found, ignore_errors=True)


def _share(root: Path, home: Path) -> None:
    """Link what is named after a lock file's hash; seeded data, stamps, logs and secret are the copy's own."""
    own = home / ".chatbench"
    own.mkdir()
    (root / ".chatbench" / "envs").mkdir(parents=True, exist_ok=True)
    for pattern in SHARED:
        for found in (root / ".chatbench").glob(pattern):
            (own / found.name).symlink_to(found)
    (home / "requirements").symlink_to(root / "requirements")
