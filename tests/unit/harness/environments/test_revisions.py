"""Targets of another revision, out of a repository's history."""

import subprocess
from pathlib import Path

import pytest

from harness.environments.revisions import checkout
from harness.errors import BenchError, UsageError


def git(root: Path, *words: str) -> str:
    options = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", root, *options, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    part = tmp_path / "targets" / "a" / "part.toml"
    part.parent.mkdir(parents=True)
    for text in ("one", "two"):
        part.write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "-m", text)
    return tmp_path


def test_an_earlier_revision_is_unpacked_once_and_the_files_as_they_are_stay_in_place(repository: Path) -> None:
    name, folder = checkout(repository, "main~1")
    assert (folder / "targets/a/part.toml").read_text() == "one"
    assert name == f"main~1 ({git(repository, 'rev-parse', 'main~1')[:12]})"
    assert checkout(repository, "main~1")[1] == folder
    assert checkout(repository, ".") == ("working tree", repository)
    assert (repository / "targets/a/part.toml").read_text() == "two"


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "main:targets"])
def test_what_is_no_revision_is_named(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="no revision"):
        checkout(repository, revision)


def test_a_revision_without_targets_is_named(repository: Path) -> None:
    git(repository, "rm", "-rq", "targets")
    git(repository, "commit", "--quiet", "-m", "three")
    with pytest.raises(BenchError, match="git archive"):
        checkout(repository, "main")
