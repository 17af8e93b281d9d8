"""The digest of a part's folder: every file counts, what tools make anew does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.environments import tree_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("app.py", "seed.sql", ".env", "data/users.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one")
    return tmp_path


@pytest.mark.parametrize("name", ["seed.sql", ".env", "data/users.csv", "data/new", "results.json"])
def test_every_file_counts(folder: Path, name: str) -> None:
    before = tree_digest(folder)
    (folder / name).write_text("two")
    assert tree_digest(folder) != before


@pytest.mark.parametrize(
    "name", [".git/HEAD", "node_modules/a.js", "__pycache__/app.pyc", ".mypy_cache/x", "bot.egg-info/PKG-INFO"]
)
def test_what_tools_make_anew_does_not_count(folder: Path, name: str) -> None:
    before = tree_digest(folder)
    (folder / name).parent.mkdir()
    (folder / name).write_text("two")
    assert tree_digest(folder) == before


def test_virtual_environments_and_runs_do_not_count(folder: Path) -> None:
    before = tree_digest(folder)
    for name in ("env/pyvenv.cfg", "env/lib/x.py", "results/one/run.json", "results/one/trials/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("two")
    assert tree_digest(folder) == before


def test_a_moved_file_and_a_linked_folder_count(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = tree_digest(folder)
    (folder / "seed.sql").rename(folder / "seeds.sql")
    moved = tree_digest(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "more.csv").write_text("one")
    (folder / "linked").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(folder)
    (folder / "lost").symlink_to(folder / "nowhere")
    linked = tree_digest(folder)
    assert len({before, moved, linked}) == 3
    (elsewhere / "more.csv").write_text("two")
    assert tree_digest(folder) != linked


def test_a_folder_that_may_not_be_read_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, iterdir = tree_digest(folder), Path.iterdir
    (folder / "pgdata").mkdir()
    (folder / "pgdata" / "PG_VERSION").write_text("17")

    def refusing(self: Path) -> Iterator[Path]:  # the tests may run as root, who reads all
        if self.name == "pgdata":
            raise PermissionError(self)
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refusing)
    assert tree_digest(folder) == before
