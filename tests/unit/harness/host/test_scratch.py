"""Trials' temporary data is on a disk where there is one, and said to be in memory where it is."""

import os
import tempfile
from pathlib import Path

import pytest

from harness.host import scratch

MOUNTS = "24 1 {device} / / rw - {kind} source rw\n"


def mounted(tmp_path: Path, kind: str) -> Path:
    """Return a folder like /proc whose mounts say that ``tmp_path`` lies on a file system of this kind."""
    device = tmp_path.stat().st_dev
    (tmp_path / "self").mkdir(exist_ok=True)
    text = MOUNTS.format(device=f"{os.major(device)}:{os.minor(device)}", kind=kind)
    (tmp_path / "self" / "mountinfo").write_text(text)
    return tmp_path


@pytest.mark.parametrize(("kind", "is_so"), [("tmpfs", True), ("ramfs", True), ("ext4", False)])
def test_a_file_system_in_memory_is_known_by_its_type(tmp_path: Path, kind: str, is_so: bool) -> None:
    assert scratch.in_memory(tmp_path, mounted(tmp_path, kind)) == is_so


def test_a_file_system_that_is_not_listed_counts_as_a_disk(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_text(MOUNTS.format(device="0:0", kind="tmpfs"))
    assert not scratch.in_memory(tmp_path, tmp_path)


def test_only_the_usual_folder_is_replaced_where_it_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, disk = tmp_path / "usual", tmp_path / "disk"
    usual.mkdir()
    disk.mkdir()
    monkeypatch.setattr(scratch, "USUAL", usual)
    monkeypatch.setattr(scratch, "ON_DISK", disk)
    monkeypatch.setattr(tempfile, "tempdir", str(usual))
    assert scratch.base() == usual
    monkeypatch.setattr(scratch, "in_memory", lambda folder: folder == usual)
    assert scratch.base() == disk
    monkeypatch.setattr(scratch, "in_memory", lambda _: True)
    assert scratch.base() == usual
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # named by TMPDIR: kept, and told
    assert scratch.base() == tmp_path
    assert scratch.notes(tmp_path, tmp_path) == (
        f"{tmp_path} is in memory: what the target writes there counts as its memory (set TMPDIR to a disk)",
    )


def test_a_folder_on_a_disk_needs_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "in_memory", lambda _: False)
    assert scratch.notes(tmp_path) == ()


def test_a_folder_is_held_until_it_is_released(tmp_path: Path) -> None:
    made = scratch.make("x", tmp_path)
    assert made.path.name.startswith("chatbench-trial-x-")
    assert scratch.is_held(made.path)
    made.release()
    assert not scratch.is_held(made.path)
    made.path.rmdir()
    assert scratch.is_held(made.path)  # gone: nothing to remove
