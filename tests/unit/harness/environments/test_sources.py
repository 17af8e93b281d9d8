"""A part's files as one digest: it changes with each file that matters, and with none that running writes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.environments import sources
from harness.environments.sources import changed_since, digest_of_measuring, digest_of_part, files_of_part
from harness.targets import read_part
from tests import ROOT
from tests.doubles.repository import commit, new_repository

FILES = {
    "part.toml": 'name = "a"\nkind = "monolith"\ntitle = "A"\n',
    "app.py": "1",
    ".streamlit/config.toml": "",
    "s.sql": "",
}
WRITTEN = (
    "__pycache__/app.cpython-311.pyc",
    "chat.db",
    "data.sqlite3-wal",
    "run.log",
    "node_modules/x/index.js",
    ".venv/pyvenv.cfg",
    "env/pyvenv.cfg",
    "env/lib/python/site.py",
)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("written")


@pytest.fixture(params=["git", "no git", "no program git"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A part's folder: in a repository, in none, and on a machine without git."""
    place = tmp_path / "bots" / "a"
    if request.param == "no git":
        write(place, *FILES)
    else:
        commit(new_repository(tmp_path), {f"bots/a/{name}": text for name, text in FILES.items()}, "one")
    if request.param == "no program git":
        monkeypatch.setenv("PATH", "/nowhere")
    for name, text in FILES.items():
        (place / name).write_text(text)
    return place


def test_a_parts_files_are_its_sources_hidden_ones_included(folder: Path) -> None:
    write(folder, *WRITTEN)
    assert [str(path) for path in files_of_part(read_part(folder))] == sorted(FILES)


@pytest.mark.parametrize("changed", [*FILES, "new.py"])
def test_a_changed_or_added_file_changes_the_digest(folder: Path, changed: str) -> None:
    part = read_part(folder)
    before = digest_of_part(part)
    (folder / changed).write_text("# other")
    assert digest_of_part(part) != before


def test_a_renamed_file_and_another_link_change_the_digest(folder: Path) -> None:
    part = read_part(folder)
    (folder / "link").symlink_to("nowhere")
    found = [digest_of_part(part)]
    (folder / "app.py").rename(folder / "main.py")
    found.append(digest_of_part(part))
    (folder / "link").unlink()
    (folder / "link").symlink_to("elsewhere")
    found.append(digest_of_part(part))
    assert len(set(found)) == 3


def test_what_running_writes_does_not_change_the_digest(folder: Path) -> None:
    part = read_part(folder)
    before = digest_of_part(part)
    write(folder, *WRITTEN)
    assert digest_of_part(part) == before


def test_what_git_ignores_does_not_change_the_digest(tmp_path: Path) -> None:
    commit(new_repository(tmp_path), FILES | {".gitignore": "uploads/\n"}, "one")
    before = digest_of_part(read_part(tmp_path))
    write(tmp_path, "uploads/file.txt")
    assert digest_of_part(read_part(tmp_path)) == before


def test_a_repository_inside_of_a_part_counts(tmp_path: Path) -> None:
    commit(new_repository(tmp_path), FILES, "one")
    commit(new_repository(tmp_path / "library"), {"x.py": "1"}, "one")
    found = [digest_of_part(read_part(tmp_path))]
    (tmp_path / "library" / "x.py").write_text("2")
    found.append(digest_of_part(read_part(tmp_path)))
    commit(tmp_path, {}, "library")  # as a link to its commit
    (tmp_path / "library" / "x.py").write_text("3")
    found.append(digest_of_part(read_part(tmp_path)))
    assert len(set(found)) == 3


def test_requirements_of_another_folder_count(tmp_path: Path) -> None:
    write(tmp_path / "a", *FILES)
    (tmp_path / "a" / "part.toml").write_text(FILES["part.toml"] + '[local]\nrequirements = "../shared.txt"\n')
    found = []
    for text in ("flask==3.0", "flask==3.1"):
        (tmp_path / "shared.txt").write_text(text)
        found.append(digest_of_part(read_part(tmp_path / "a")))
    assert found[0] != found[1]


@pytest.mark.parametrize("line", ["-r ../more.txt", "-c ../more.txt", "-e ../lib", "../lib", "./../lib/x-1.0.whl"])
def test_what_is_installed_from_elsewhere_counts(tmp_path: Path, line: str) -> None:
    write(tmp_path / "a", *FILES)
    (tmp_path / "a" / "part.toml").write_text(FILES["part.toml"] + '[local]\nrequirements = "r.txt"\n')
    (tmp_path / "a" / "r.txt").write_text(f"{line}\n")
    write(tmp_path, "more.txt", "lib/pyproject.toml", "lib/x-1.0.whl", "lib/__pycache__/x.pyc", "lib/chat.db")
    part = read_part(tmp_path / "a")
    before = digest_of_part(part)
    write(tmp_path, "lib/__pycache__/y.pyc", "lib/new.log")
    assert digest_of_part(part) == before
    for name in ("more.txt", "lib/pyproject.toml", "lib/x-1.0.whl"):
        (tmp_path / name).write_text("other")
    assert digest_of_part(part) != before


def test_packages_of_a_ready_environment_count(tmp_path: Path) -> None:
    write(tmp_path / "a", *FILES, ".venv/pyvenv.cfg")
    (tmp_path / "a" / "part.toml").write_text(FILES["part.toml"] + '[local]\nvenv = ".venv"\n')
    site = tmp_path / "a" / ".venv" / "lib" / "python3.11" / "site-packages"
    (site / "flask-3.0.dist-info").mkdir(parents=True)
    part = read_part(tmp_path / "a")
    before = digest_of_part(part)
    (site / "flask-3.0.dist-info").rename(site / "flask-3.1.dist-info")
    assert digest_of_part(part) != before


def test_files_written_since_are_named(folder: Path) -> None:
    part = read_part(folder)
    assert changed_since(part, datetime(2100, 1, 1, tzinfo=UTC)) == []
    assert Path("app.py") in changed_since(part, datetime(2000, 1, 1, tzinfo=UTC))


def test_what_measures_is_all_there_and_counts(tmp_path: Path) -> None:
    for name in sources.MEASURING:
        assert (ROOT / name).exists()
    for name in sources.MEASURING_OF_HARNESS:
        assert (ROOT / "harness" / name).is_dir()
    write(tmp_path, "loadtests/a.py", "requirements/bench.txt", "harness/trials/b.py", "reports/c.py", "compose/.env")
    before = digest_of_measuring(tmp_path)
    for name, counts in (
        ("loadtests/a.py", True),
        ("requirements/bench.txt", True),
        ("harness/trials/b.py", True),
        ("reports/c.py", False),
        ("compose/.env", False),
        ("loadtests/__pycache__/a.pyc", False),
    ):
        write(tmp_path, name)
        (tmp_path / name).write_text("other")
        assert (digest_of_measuring(tmp_path) != before) == counts, name
        before = digest_of_measuring(tmp_path)
