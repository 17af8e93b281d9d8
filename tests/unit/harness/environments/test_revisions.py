"""Revisions of a repository: their files, and git's own reason with the remedy where there are none."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments.git import repository_of
from harness.environments.revisions import checkout, remarks
from harness.errors import BenchError, UsageError
from tests.doubles.repository import commit, git, new_repository

FOLDER = Path("bots", "a")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of two commits, in which one file says which it is."""
    root = new_repository(tmp_path / "a (b) & c")
    for text in ("one", "two"):
        commit(root, {"bots/a/part.toml": text, "same.txt": "same"}, text)
    return root


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_an_earlier_revision_is_unpacked_and_the_files_as_they_are_stay_in_place(repository: Path, kept: Path) -> None:
    found = checkout(repository, "main~1", kept)
    assert (found.folder / FOLDER / "part.toml").read_text() == "one"
    assert found.folder.is_relative_to(kept)
    assert found.name == f"main~1 ({git(repository, 'rev-parse', 'main~1')[:12]})"
    assert git(repository, "status", "--porcelain") == ""
    now = checkout(repository, ".", kept)
    assert (now.name, now.folder, now.as_they_are) == ("working tree", repository, True)
    assert (repository / FOLDER / "part.toml").read_text() == "two"


def test_an_unpacked_folder_that_was_changed_is_put_right(repository: Path, kept: Path) -> None:
    folder = checkout(repository, "main~1", kept).folder
    (folder / FOLDER / "part.toml").write_text("changed")
    (folder / "same.txt").unlink()
    (folder / "built").write_text("kept")
    assert checkout(repository, "main~1", kept).folder == folder
    assert (folder / FOLDER / "part.toml").read_text() == "one"
    assert (folder / "same.txt").read_text() == "same"
    assert (folder / "built").read_text() == "kept"


def test_files_left_out_of_archives_are_in_a_revision(repository: Path, kept: Path) -> None:
    commit(repository, {".gitattributes": "*.toml export-ignore\n"}, "three")
    assert (checkout(repository, "main", kept).folder / FOLDER / "part.toml").is_file()


def test_links_and_submodules_of_a_revision_are_named(repository: Path, kept: Path, tmp_path: Path) -> None:
    other = new_repository(tmp_path / "other")
    commit(other, {"file": "x"}, "one")
    (repository / "link").symlink_to("same.txt")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    commit(repository, {}, "three")
    found = checkout(repository, "main", kept)
    assert (found.links, found.submodules) == ((Path("link"),), (Path("sub"),))


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "main:bots", "ma*", "HEAD~7"])
def test_what_is_no_revision_is_named(repository: Path, kept: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="no revision") as refused:
        checkout(repository, revision, kept)
    assert repr(revision) in refused.value.message
    assert str(repository) in refused.value.message


def test_a_damaged_history_is_told_in_gits_words(repository: Path, kept: Path) -> None:
    commit_id = git(repository, "rev-parse", "main~1")
    file = repository / ".git" / "objects" / commit_id[:2] / commit_id[2:]
    file.chmod(0o644)
    file.write_bytes(b"")
    with pytest.raises(UsageError, match=r"no revision '[0-9a-f]{40}' in .*: object file .* is empty"):
        checkout(repository, commit_id, kept)


def test_the_nearest_branch_is_named(repository: Path, kept: Path) -> None:
    with pytest.raises(UsageError) as refused:
        checkout(repository, "mian", kept)
    assert "did you mean 'main'?" in refused.value.hint


@pytest.fixture
def clone(repository: Path, tmp_path: Path) -> Callable[..., Path]:
    """Make a clone without a local branch, as CI systems do."""

    def made(*options: str) -> Path:
        place = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", *options, f"file://{repository}", str(place))
        git(place, "checkout", "--quiet", "--detach")
        git(place, "branch", "--quiet", "-D", "main")
        return place

    return made


@pytest.mark.parametrize(("typed", "found"), [("main", "origin/main"), ("main~1", "origin/main~1")])
def test_a_branch_that_only_a_remote_has_is_taken_and_named_after_it(
    clone: Callable[..., Path], kept: Path, typed: str, found: str
) -> None:
    place = clone()
    revision = checkout(place, typed, kept)
    assert revision.name == f"{found} ({git(place, 'rev-parse', found)[:12]})"


def test_a_branch_of_several_remotes_has_to_be_named(clone: Callable[..., Path], repository: Path, kept: Path) -> None:
    place = clone()
    git(place, "remote", "add", "fork", str(repository))
    git(place, "fetch", "--quiet", "fork")
    assert checkout(place, "main", kept).commit == git(repository, "rev-parse", "main")  # they agree
    commit(repository, {"same.txt": "other"}, "three")
    git(place, "fetch", "--quiet", "fork")
    with pytest.raises(UsageError) as refused:
        checkout(place, "main", kept)
    assert refused.value.hint == "name one: fork/main, origin/main"


@pytest.mark.parametrize("revision", ["main~1", "HEAD^1", "nowhere"])
def test_a_shallow_clone_is_told_how_to_fetch_the_rest(clone: Callable[..., Path], kept: Path, revision: str) -> None:
    place = clone("--depth", "1")
    with pytest.raises(UsageError) as refused:
        checkout(place, revision, kept)
    assert "this clone is shallow" in refused.value.hint
    assert "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'" in refused.value.hint


def test_the_fetch_that_is_named_brings_the_revision(clone: Callable[..., Path], repository: Path, kept: Path) -> None:
    place = clone("--depth", "1")
    git(place, "fetch", "--quiet", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*")
    assert checkout(place, "main~1", kept).commit == git(repository, "rev-parse", "main~1")


def test_a_branch_that_was_never_fetched_is_told_how_to_fetch_it(
    clone: Callable[..., Path], repository: Path, kept: Path
) -> None:
    git(repository, "branch", "release")
    place = clone("--single-branch")
    with pytest.raises(UsageError) as refused:
        checkout(place, "release", kept)
    assert "git fetch origin '+refs/heads/*:refs/remotes/origin/*'" in refused.value.hint


def test_a_folder_without_git_says_so_in_gits_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository") as refused:
        repository_of(tmp_path)
    assert "chatbench compare" in refused.value.hint


def test_a_clone_owned_by_somebody_else_gets_gits_own_remedy(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own test uses it
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    with pytest.raises(UsageError, match="dubious ownership") as refused:
        repository_of(repository)
    assert "git config --global --add safe.directory" in refused.value.hint
    assert str(repository) in refused.value.hint


def test_a_hooks_settings_lead_to_no_other_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = new_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert repository_of(repository / FOLDER) == repository


def test_no_git_is_an_error_with_a_remedy(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BenchError, match="git is not on this machine"):
        repository_of(repository)


def said(repository: Path, kept: Path, base: str, head: str) -> str:
    revisions = (checkout(repository, word, kept) for word in (base, head))
    return "; ".join(remarks(repository, *revisions, [FOLDER]))


def test_a_base_that_moved_on_is_remarked_with_the_commit_to_name(repository: Path, kept: Path) -> None:
    fork = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "-b", "change")
    commit(repository, {"bots/a/part.toml": "three"}, "three")
    assert said(repository, kept, "main", ".") == ""
    git(repository, "checkout", "--quiet", "main")
    commit(repository, {"same.txt": "other"}, "four")
    git(repository, "checkout", "--quiet", "change")
    assert said(repository, kept, "main", ".") == ""  # nothing of the target
    git(repository, "checkout", "--quiet", "main")
    commit(repository, {"bots/a/more.py": ""}, "five")
    git(repository, "checkout", "--quiet", "change")
    assert said(repository, kept, "main", ".").endswith(f"to judge head alone, name {fork[:12]}")


def test_a_merge_into_a_later_state_than_base_is_remarked_with_its_first_parent(repository: Path, kept: Path) -> None:
    old = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "-b", "change")
    commit(repository, {"docs.md": "words"}, "three")
    git(repository, "checkout", "--quiet", "main")
    commit(repository, {"bots/a/part.toml": "dearer"}, "four")
    later = git(repository, "rev-parse", "HEAD")
    git(repository, "merge", "--quiet", "--no-ff", "-m", "merge", "change")
    assert said(repository, kept, old, ".").endswith(f"to judge the merged change alone, name {later[:12]}")
    assert said(repository, kept, "HEAD^1", ".").startswith("base and head hold the same files of the target")


def test_a_local_branch_behind_its_remote_one_is_remarked_with_the_commit_to_name(
    repository: Path, kept: Path, tmp_path: Path
) -> None:
    place = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository), str(place))
    commit(repository, {"bots/a/part.toml": "dearer"}, "three")
    git(place, "fetch", "--quiet")
    git(place, "checkout", "--quiet", "-b", "change", "origin/main")
    commit(place, {"docs.md": "words"}, "four")
    fork = git(repository, "rev-parse", "main")
    remark = f"origin/main changed the target before head parted from it: to judge head alone, name {fork[:12]}"
    assert said(place, kept, "main", "change") == remark
    assert "parted" not in said(place, kept, "origin/main", "change")
    git(place, "branch", "--quiet", "--force", "main", "origin/main")
    assert "parted" not in said(place, kept, "main", "change")


@pytest.mark.parametrize(("file", "same"), [("docs.md", True), ("bots/a/new.py", False), ("bots/a/part.toml", False)])
def test_sides_without_a_difference_in_the_target_are_remarked(
    repository: Path, kept: Path, file: str, same: bool
) -> None:
    assert "hold the same files" in said(repository, kept, "main", ".")
    (repository / file).write_text("other")
    assert ("hold the same files" in said(repository, kept, "main", ".")) == same
    assert "hold the same files" not in said(repository, kept, "main~1", "main")
