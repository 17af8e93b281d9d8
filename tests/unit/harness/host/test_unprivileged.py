"""A program that refuses root runs as somebody else; without root nothing changes."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.host import unprivileged


def test_without_root_a_command_and_a_folder_stay_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged.command(["initdb", "-D", "x"]) == ("initdb", "-D", "x")
    before = tmp_path.stat()
    unprivileged.hand_over(tmp_path)
    assert (tmp_path.stat().st_mode, tmp_path.stat().st_uid) == (before.st_mode, before.st_uid)


def test_whoever_starts_it_it_runs_without_rights_and_may_use_what_was_handed_over() -> None:
    with tempfile.TemporaryDirectory() as scratch:  # closed to others, as a trial's own folder is
        given = Path(scratch, "given")
        (given / "deep").mkdir(parents=True, mode=0o700)
        (given / "deep" / "file").write_text("read ")
        unprivileged.hand_over(given)
        words = ["sh", "-c", 'cat "$1/deep/file" && touch "$1/new" && id -u', "sh", str(given)]
        done = subprocess.run(unprivileged.command(words), capture_output=True, text=True, check=False)
        assert (given / "new").exists()
    user = os.geteuid() or unprivileged.NOBODY
    assert done.stdout == f"read {user}\n", done.stderr


def test_where_the_temporary_folder_is_closed_to_others_root_takes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "closed" / "inside"
    inside.mkdir(parents=True)
    inside.parent.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert unprivileged.temporary_folder() == "/var/tmp"  # noqa: S108  # as it says, nothing is written
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged.temporary_folder() == str(inside)


def test_a_program_that_cannot_be_run_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: 0)
        command = unprivileged.command([str(tmp_path / "no-such-program")])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"not started as user {unprivileged.NOBODY}: " in done.stderr  # without root: not permitted
