"""A scratch copy is outside of the checkout, apart from it, and gone afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.experiments import scratch
from harness.targets import Target, discover

STATED = 'name = "{name}"\nkind = "{kind}"\ntitle = "T"\n'
PATCH = """diff --git a/targets/monolith/toy/app.py b/targets/monolith/toy/app.py
--- a/targets/monolith/toy/app.py
+++ b/targets/monolith/toy/app.py
@@ -1 +1 @@
-print("old")
+print("new")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one monolith and a model."""
    for folder, kind in (("targets/monolith/toy", "monolith"), ("targets/llm", "model")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "part.toml").write_text(STATED.format(name=Path(folder).name, kind=kind))
    (tmp_path / "targets/monolith/toy/app.py").write_text('print("old")\n')
    (tmp_path / "targets/monolith/toy/.streamlit").mkdir()
    (tmp_path / "targets/monolith/toy/.streamlit/config.toml").write_text("")
    (tmp_path / "targets/monolith/toy/node_modules").mkdir()
    (tmp_path / ".chatbench/data").mkdir(parents=True)
    (tmp_path / ".chatbench/secret").write_text("s")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "toy.patch").write_text(PATCH)
    return tmp_path


def toy(root: Path) -> tuple[Target, Path]:
    catalogue = discover(root / "targets")
    return catalogue.target("toy"), catalogue.model.folder


def test_a_patch_changes_the_copy_alone(root: Path) -> None:
    target, model = toy(root)
    with scratch.scratch(root, target, model) as home:
        scratch.apply(home, root / "toy.patch")
        copied = home / "targets/monolith/toy"
        assert (copied / "app.py").read_text() == 'print("new")\n'
        assert (copied / ".streamlit/config.toml").is_file()
        assert not (copied / "node_modules").exists()
        assert not home.is_relative_to(root)
    assert (root / "targets/monolith/toy/app.py").read_text() == 'print("old")\n'
    assert not home.exists()


def test_seeded_data_and_secret_are_not_shared(root: Path) -> None:
    target, model = toy(root)
    with scratch.scratch(root, target, model) as home:
        assert {path.name for path in (home / ".chatbench").iterdir()} == {"envs"}


def test_the_copy_is_gone_after_an_error(root: Path) -> None:
    target, model = toy(root)
    with pytest.raises(KeyboardInterrupt), scratch.scratch(root, target, model) as home:
        raise KeyboardInterrupt
    assert not home.exists()


def test_a_patch_that_does_not_fit_says_where(root: Path) -> None:
    (root / "targets/monolith/toy/app.py").write_text("something else\n")
    target, model = toy(root)
    with scratch.scratch(root, target, model) as home, pytest.raises(scratch.PatchError, match=r"app\.py"):
        scratch.apply(home, root / "toy.patch")


def test_a_copy_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone, kept = tmp_path / f"{scratch.PREFIX}{dead.pid}-x", tmp_path / f"{scratch.PREFIX}{os.getpid()}-x"
    gone.mkdir()
    kept.mkdir()
    scratch.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]


def test_a_part_from_elsewhere_is_refused(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(BenchError, match="is not in"):
        scratch.inside(root, tmp_path_factory.mktemp("elsewhere"))
