"""One campaign at a time: another user, another TMPDIR, another namespace, a stale or a strange lock file."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.host import lock

SECOND = """
import sys
from pathlib import Path
from harness.errors import BenchError
from harness.host import lock
lock.FOLDERS, lock.SOCKET = tuple(map(Path, sys.argv[2:])), sys.argv[1].replace("@", chr(0))
try:
    with lock.one_campaign():
        print("taken")
except BenchError as error:
    print(error.message, error.hint, sep="|")
"""


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Have places of the test's own instead of the machine's: two folders, a link to the first, and a socket."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (tmp_path / "link").symlink_to(first)
    monkeypatch.delenv(lock.VARIABLE, raising=False)
    monkeypatch.setattr(lock, "FOLDERS", (first, tmp_path / "link", tmp_path / "absent", second))
    monkeypatch.setattr(lock, "SOCKET", f"\0{tmp_path}")
    return first, second


def tried(name: str, *folders: Path, **variables: str) -> str:
    """Return what a second campaign hears that knows these places."""
    words = [sys.executable, "-c", SECOND, name.replace("\0", "@"), *map(str, folders)]
    return subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, **variables}).stdout


def test_a_second_campaign_learns_who_measures_whatever_its_tmpdir_and_home(
    apart: tuple[Path, Path], tmp_path: Path
) -> None:
    ours = f"process {os.getpid()} is measuring on this machine; two campaigns would disturb each other"
    with lock.one_campaign():
        said = tried(lock.SOCKET, *lock.FOLDERS, TMPDIR=str(tmp_path), HOME=str(tmp_path))
        assert said == f"{ours}|wait for it, or stop it with: kill -INT {os.getpid()}\n"
        assert [(folder / lock.FILE).read_text() for folder in apart] == [f"{os.getpid()}\n"] * 2
    assert tried(lock.SOCKET, *lock.FOLDERS) == "taken\n"
    with lock.one_campaign():  # what the other left is no lock
        pass


def test_one_place_in_common_is_enough(apart: tuple[Path, Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with lock.one_campaign():
        assert "is measuring on this machine" in tried("@another", elsewhere, apart[1])
        assert "a process of another user or container is measuring" in tried(lock.SOCKET, elsewhere)
        assert tried("@another", elsewhere) == "taken\n"


def test_a_lock_of_another_user_is_respected_and_can_be_taken_later(
    apart: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = apart[0] / lock.FILE
    file.write_text("4194999\n")
    right = os.open

    def refused(path: object, flags: int, *mode: int) -> int:
        if path == file and flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return right(str(path), flags, *mode)

    monkeypatch.setattr(os, "open", refused)
    with lock.one_campaign():
        said = tried("@another", apart[0])
        assert said.startswith("a process of another user or container is measuring")  # the number is an earlier one's
        assert "kill" not in said


def test_files_may_be_written_by_the_next_user_whatever_the_umask(apart: tuple[Path, Path]) -> None:
    before = os.umask(0o077)
    try:
        with lock.one_campaign():
            pass
    finally:
        os.umask(before)
    assert [(folder / lock.FILE).stat().st_mode & 0o777 for folder in apart] == [0o666] * 2


def test_a_folder_or_a_link_in_the_place_of_a_lock_file_is_passed_over(
    apart: tuple[Path, Path], tmp_path: Path
) -> None:
    (apart[0] / lock.FILE).mkdir()
    (apart[1] / lock.FILE).symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_text("kept")
    with lock.one_campaign():
        assert "is measuring" in tried(lock.SOCKET, tmp_path / "absent")
    assert (tmp_path / "precious").read_text() == "kept"


def test_without_any_place_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "FOLDERS", (tmp_path / "absent",))
    monkeypatch.setattr(socket.socket, "bind", lambda *_: (_ for _ in ()).throw(PermissionError(1, "not permitted")))
    with pytest.raises(BenchError, match="no lock for this machine can be taken"), lock.one_campaign():
        pass


def test_a_folder_named_for_tests_is_the_only_place(
    apart: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path))
    with lock.one_campaign():
        assert (tmp_path / lock.FILE).exists()
        assert not (apart[0] / lock.FILE).exists()
