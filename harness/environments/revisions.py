"""The files of a repository at another revision, unpacked below ``.chatbench``."""

import difflib
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.environments.git import fetch_command, git, is_shallow, reason, text
from harness.errors import BenchError, UsageError

WORKING_TREE = "."
BRANCH = re.compile(r"([^~^@:*?\[\\\s]+)([~^].*)?")  # a name, and steps back from it
LINK, SUBMODULE = "120000", "160000"  # modes of git's index


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The files of a repository as one revision has them."""

    name: str  # for people
    typed: str  # its name as given
    commit: str  # of the files as they are: the one that they were changed from
    folder: Path  # of the repository's root
    as_they_are: bool = False
    links: tuple[Path, ...] = ()  # symbolic links, relative to the root
    submodules: tuple[Path, ...] = ()


def checkout(repository: Path, revision: str, kept: Path) -> Revision:
    """Return a revision of a repository, its files unpacked below ``kept``; ``.`` is the repository as it is.

    A folder that was unpacked before is compared and put right: programs that run in it may write there.

    Raises:
        UsageError: no such revision.
        BenchError: it cannot be unpacked.
    """
    if revision == WORKING_TREE:
        head = text(git(repository, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"))
        return Revision(name="working tree", typed=revision, commit=head, folder=repository, as_they_are=True)
    name, commit = _find(repository, revision)
    folder = kept / commit
    folder.mkdir(parents=True, exist_ok=True)
    modes = _unpack(repository, commit, folder)
    return Revision(
        name=f"{name} ({commit[:12]})",
        typed=revision,
        commit=commit,
        folder=folder,
        links=tuple(path for mode, path in modes if mode == LINK),
        submodules=tuple(path for mode, path in modes if mode == SUBMODULE),
    )


def _find(repository: Path, revision: str) -> tuple[str, str]:
    """Return a revision's name and commit; a branch that only a remote repository has is named after that."""
    if commit := _commit(repository, revision):
        return revision, commit
    remote = _remote(repository, revision)
    if len(set(remote.values())) == 1:
        return next(iter(remote.items()))
    if remote:
        raise UsageError(
            f"no revision {revision!r} in {repository}, and several remote repositories have one",
            f"name one: {', '.join(remote)}",
        )
    asked = _asked(repository, revision)  # it is silent about a name that it does not know
    why = f": {reason(asked)}" if asked.stderr else ""
    raise UsageError(f"no revision {revision!r} in {repository}{why}", _remedy(repository, revision))


def _remote(repository: Path, revision: str) -> dict[str, str]:
    """Return the commits of a branch, or of steps back from it, in remote repositories, by name."""
    parted = BRANCH.fullmatch(revision)
    if not parted or parted[1] == "HEAD":
        return {}
    listed = git(repository, "for-each-ref", "--format=%(refname:short)", f"refs/remotes/*/{parted[1]}")
    names = [f"{one}{parted[2] or ''}" for one in text(listed).splitlines()]
    return {name: commit for name in names if (commit := _commit(repository, name))}


def _commit(repository: Path, revision: str) -> str:
    """Return a revision's commit, empty where git knows none."""
    return text(_asked(repository, revision))


def _asked(repository: Path, revision: str) -> subprocess.CompletedProcess[bytes]:
    return git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def _remedy(repository: Path, revision: str) -> str:
    fetch = fetch_command(repository)
    if is_shallow(repository):
        return f"this clone is shallow; fetch the history: {fetch or 'git fetch --unshallow'}"
    listed = git(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    near = difflib.get_close_matches(revision, text(listed).splitlines(), n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    fetching = f"; to fetch all branches: {fetch}" if fetch else ""
    return f"name a commit, branch or tag, or . for the files as they are{meant}{fetching}"


def _unpack(repository: Path, commit: str, folder: Path) -> list[tuple[str, Path]]:
    """Make a folder hold a commit's files, and return each path with its mode; the repository stays untouched."""
    place = os.fsdecode(git(repository, "rev-parse", "--absolute-git-dir").stdout.removesuffix(b"\n"))
    with tempfile.TemporaryDirectory(prefix="chatbench-index-") as apart:
        settings = {"GIT_DIR": place, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": f"{apart}/index"}
        for words in (
            ("read-tree", "--no-sparse-checkout", commit),
            ("update-index", "-q", "--refresh"),  # fails where files differ: the next step writes those
            ("checkout-index", "--all", "--force", "--quiet"),
        ):
            done = git(folder, *words, settings=settings)
            if done.returncode and words[0] != "update-index":
                raise BenchError(
                    f"git {words[0]} of {commit[:12]} failed: {reason(done)}",
                    f"fix that; where files are missing, fetch them: {fetch_command(repository) or 'git fetch'}",
                )
        listed = git(folder, "ls-files", "--stage", "-z", settings=settings)
    lines = [os.fsdecode(line) for line in listed.stdout.split(b"\0") if line]
    return [(line.split(" ", 1)[0], Path(line.split("\t", 1)[1])) for line in lines]


def remarks(repository: Path, base: Revision, head: Revision, folders: Sequence[Path]) -> list[str]:
    """Return in words where base and head differ by more, or by less, than head's own change of these folders.

    Args:
        repository: Both are its revisions.
        base: The revision to compare with.
        head: The revision to judge.
        folders: Of the target, relative to the repository's root.
    """
    if not base.commit or not head.commit:
        return []
    places = [str(folder) for folder in folders]
    said = []
    if not base.as_they_are and _same(repository, base, head, places):
        said.append("base and head hold the same files of the target: only the machine's noise is measured")
    fork = text(git(repository, "merge-base", base.commit, head.commit))
    if not fork:
        said.append("git does not know where base and head part: base may hold changes that head lacks")
    elif fork != base.commit:
        if _changed(repository, fork, base.commit, places):
            said.append(f"base changed the target after head parted from it: to judge head alone, name {fork[:12]}")
    else:
        said += _of_a_merge(repository, base, head, places) or _of_a_branch_behind(repository, base, head, places)
    return said


def _of_a_merge(repository: Path, base: Revision, head: Revision, places: list[str]) -> list[str]:
    """Return a remark where head merges a change into a later state than base."""
    _, *parents = text(git(repository, "rev-list", "--parents", "--max-count=1", head.commit)).split() or [""]
    if len(parents) < 2 or parents[0] == base.commit:
        return []
    later = git(repository, "merge-base", "--is-ancestor", base.commit, parents[0]).returncode == 0
    if later and _changed(repository, base.commit, parents[0], places):
        return [f"head merges into a later state than base: to judge the merged change alone, name {parents[0][:12]}"]
    return []


def _of_a_branch_behind(repository: Path, base: Revision, head: Revision, places: list[str]) -> list[str]:
    """Return a remark where base is a branch that lacks what head already has of the same branch elsewhere."""
    for name, commit in _remote(repository, base.typed).items():
        fork = text(git(repository, "merge-base", commit, head.commit))
        if fork not in ("", base.commit) and _changed(repository, base.commit, fork, places):
            return [f"{name} changed the target before head parted from it: to judge head alone, name {fork[:12]}"]
    return []


def _same(repository: Path, base: Revision, head: Revision, places: list[str]) -> bool:
    """Tell if folders hold the same files in both revisions, as far as git records them."""
    if not head.as_they_are:
        return not _changed(repository, base.commit, head.commit, places)
    new = git(repository, "ls-files", "--others", "--exclude-standard", "--", *places)
    return not new.stdout and not _changed(repository, base.commit, None, places)


def _changed(repository: Path, base: str, head: str | None, places: list[str]) -> bool:
    """Tell if folders differ between two commits, or between a commit and the files as they are."""
    revisions = [base] if head is None else [base, head]
    return git(repository, "diff", "--quiet", "--no-ext-diff", *revisions, "--", *places).returncode != 0
