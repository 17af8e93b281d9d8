"""Requirements files as pip reads them: includes, folders and wheels of this machine, hashes."""

from pathlib import Path

import pytest

from harness.environments.requirements import read_requirements
from harness.errors import BenchError


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_a_lock_with_hashes_is_locked(tmp_path: Path) -> None:
    text = "# by uv\na==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n    # via b\nb==2 --hash=sha256:aa\n"
    found = read_requirements(written(tmp_path, "r.txt", text), tmp_path)
    assert (found.locked, found.hashed, found.local) == (True, True, ())


@pytest.mark.parametrize("line", ["b==2", "b", "-e .", "./wheels/b.whl", "b @ https://example.org/b.whl"])
def test_one_requirement_without_a_hash_is_enough(tmp_path: Path, line: str) -> None:
    file = written(tmp_path, "r.txt", f"a==1 --hash=sha256:00\n{line}\n")
    assert not read_requirements(file, tmp_path).locked


@pytest.mark.parametrize("word", ["-r", "-r ", "--requirement ", "--requirement=", "-c ", "--constraint=", "-c"])
def test_included_files_are_found_beside_the_file_that_includes_them(tmp_path: Path, word: str) -> None:
    first = written(tmp_path, "r.txt", f"{word}deep/more.txt\n")
    more = written(tmp_path, "deep/more.txt", "-r last.txt\n-r ../r.txt\n")
    last = written(tmp_path, "deep/last.txt", "a==1\n")
    files = [file.resolve() for file in read_requirements(first, tmp_path).files]
    assert files[:3] == [first, more, last]


def test_an_included_file_that_is_missing_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "r.txt", "-r none.txt\n")
    with pytest.raises(BenchError, match=r"r\.txt: -r none\.txt: .*none\.txt does not exist"):
        read_requirements(file, tmp_path)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("./wheels/x-1.whl", "wheels/x-1.whl"),
        ("wheels/x-1.whl ; python_version > '3'", "wheels/x-1.whl"),
        ("./wheels/x-1.whl --hash=sha256:00", "wheels/x-1.whl"),
        ("./wheels/x-1.whl#sha256=00", "wheels/x-1.whl"),
        ("./lib[extra]", "lib"),
        ("./lib[extra]#egg=x", "lib"),
        ("x @ file:///a%20b/x.whl", "/a b/x.whl"),
        ("../shared", "../shared"),
    ],
)
def test_places_of_this_machine_are_relative_to_the_parts_folder(tmp_path: Path, line: str, place: str) -> None:
    file = written(tmp_path, "deploy/r.txt", f"{line}\n")
    assert read_requirements(file, tmp_path).local == ((tmp_path / place).resolve(),)


@pytest.mark.parametrize("line", ["httpx", "httpx>=1", "x @ https://a.example/x.whl", "git+https://a.example/x.git"])
def test_what_comes_from_elsewhere_is_no_place(tmp_path: Path, line: str) -> None:
    found = read_requirements(written(tmp_path, "r.txt", f"--index-url https://a.example\n{line}\n"), tmp_path)
    assert found.local == found.editable == ()


def test_a_changed_wheel_folder_or_project_is_another_state_and_an_editable_source_is_not(tmp_path: Path) -> None:
    file = written(tmp_path, "r.txt", "./x.whl\n./lib\n-e .\n")
    written(tmp_path, "x.whl", "one")
    written(tmp_path, "lib/code.py", "one")
    written(tmp_path, "pyproject.toml", "one")
    written(tmp_path, "requirements-base.txt", "a==1\n")

    def state() -> list[bytes]:
        return list(read_requirements(file, tmp_path).states())

    seen = [state()]
    for name in ("x.whl", "lib/code.py", "pyproject.toml", "requirements-base.txt", "r.txt"):
        (tmp_path / name).write_text((tmp_path / name).read_text() + "# two\n")
        seen.append(state())
        assert seen[-1] not in seen[:-1], name
    written(tmp_path, "app.py", "editable")
    assert state() == seen[-1]
