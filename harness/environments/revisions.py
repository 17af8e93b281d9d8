"""The targets of another revision of this checkout, unpacked beside it."""

import io
import subprocess
import tarfile
from pathlib import Path

from harness.environments.parts import settle
from harness.errors import BenchError, UsageError

WORKING_TREE = "."


def checkout(root: Path, revision: str) -> tuple[str, Path]:
    """Return a revision's readable name and the folder that holds its ``targets``; ``.`` is the checkout as it is.

    Raises:
        UsageError: no such revision, or no git checkout.
        BenchError: it cannot be unpacked.
    """
    if revision == WORKING_TREE:
        return "working tree", root
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode != 0:
        raise UsageError(
            f"no revision {revision!r} in {root}", "name a commit, branch or tag, or . for the files as they are"
        )
    commit = found.stdout.decode().strip()
    folder = root / ".chatbench" / "revisions" / commit[:12]
    if not folder.is_dir():
        _unpack(root, commit, folder)
    return f"{revision} ({commit[:12]})", folder


def _unpack(root: Path, commit: str, folder: Path) -> None:
    packed = _git(root, "archive", "--format=tar", commit, "targets")
    if packed.returncode != 0:
        why = packed.stderr.decode(errors="replace").strip()
        raise BenchError(
            f"git archive of {commit[:12]} ended with {packed.returncode}: {why}",
            "name a revision that has a folder `targets`; in a shallow clone run `git fetch --unshallow` first",
        )
    making = folder.with_name(f".{folder.name}")
    making.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(making, filter="data")
    settle(making, folder)


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False, timeout=120)
    except FileNotFoundError:
        raise BenchError(
            "git is not on this machine", "install it: revisions are compared from their history"
        ) from None
