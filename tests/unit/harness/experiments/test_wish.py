"""The list of wishes is whole and frozen."""

import subprocess
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.experiments import list_hash, wishes
from harness.experiments.wish import HASH_FILE, TEST_FILE, read_wish
from tests import ROOT

FOLDER = ROOT / "targets" / "wishes"
NAMES = {
    "analyst-page",
    "brand",
    "bubbles",
    "card",
    "edit-and-branch",
    "embedded",
    "languages",
    "long-conversation",
    "model-settings",
    "single-sign-on",
    "spoken",
    "stop-and-regenerate",
}
STATED = 'title = "t"\ntext = "t"\nlooks_at = "l"\n'


def test_there_are_twelve_wishes_with_a_test_each() -> None:
    assert {wish.name for wish in wishes(FOLDER)} == NAMES
    assert all((wish.folder / TEST_FILE).is_file() for wish in wishes(FOLDER))


def test_the_list_is_the_frozen_one() -> None:
    assert list_hash(FOLDER) == (FOLDER / HASH_FILE).read_text(encoding="ascii").strip()


def test_the_hash_sees_a_test_and_no_patch(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "wish.toml").write_text(STATED)
    (folder / "test.py").write_text("1")
    before = list_hash(tmp_path)
    (folder / "streamlit.patch").write_text("diff")
    assert list_hash(tmp_path) == before
    (folder / "test.py").write_text("2")
    assert list_hash(tmp_path) != before


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "wish.toml").write_text(STATED + 'when = "now"\n')
    with pytest.raises(UsageError, match="when"):
        read_wish(tmp_path)


def test_a_patch_is_of_a_known_target() -> None:
    known = {"streamlit", "django+angular"}
    for wish in wishes(FOLDER):
        named = {
            path.name.rpartition(".")[0] for suffix in ("patch", "txt") for path in wish.folder.glob(f"*.{suffix}")
        }
        assert named <= known, wish.name


@pytest.mark.parametrize(
    "patch", sorted(FOLDER.glob("*/*.patch")), ids=lambda patch: f"{patch.parent.name} {patch.stem}"
)
def test_a_patch_applies_to_the_builds_as_they_are(patch: Path) -> None:
    done = subprocess.run(["git", "apply", "--check", patch], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
