"""The version of a part as the report names it: stated, printed by a command, or of a package that it runs."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.runtimes.local.versions import NOT_STATED, described
from harness.runtimes.local.words import Tools
from harness.targets import Local, Part


@pytest.fixture
def part(tmp_path: Path) -> Part:
    local = Local(start=("{python}", "app.py", "{port}"))
    return Part(name="starlette", kind="monolith", title="A", folder=tmp_path, local=local)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    info = tmp_path / "env/lib/python3.11/site-packages/starlette-1.10.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: starlette\nVersion: 1.10.0\n")
    return Tools(python=tmp_path / "env" / "bin" / "python")


def test_the_version_is_that_of_the_package_that_is_named(part: Part, tools: Tools) -> None:
    assert described(replace(part, package="starlette"), tools)["version"] == "1.10.0"


def test_a_part_that_names_no_package_has_none_even_where_its_name_is_one(part: Part, tools: Tools) -> None:
    assert described(part, tools) == {
        "name": "starlette",
        "title": "A",
        "package": "starlette",
        "version": NOT_STATED,
    }


def test_a_package_of_an_environment_that_does_not_run_is_refused(part: Part, tools: Tools) -> None:
    other = replace(part, package="starlette", local=Local(start=("node", "server.js", "{port}")))
    with pytest.raises(BenchError, match="package 'starlette' is of an environment that") as failed:
        described(other, tools)
    assert "version = " in failed.value.hint
    by_program = replace(other, local=Local(start=("{bin}/uvicorn", "app:app", "--port", "{port}")))
    assert described(by_program, tools)["version"] == "1.10.0"
    by_variable = replace(other, local=replace(other.local, env={"PYTHON": "{python}"}))
    assert described(by_variable, tools)["version"] == "1.10.0"


def test_a_stated_version_is_taken_as_it_is(part: Part, tools: Tools) -> None:
    assert described(replace(part, version="2.4-beta", package="starlette"), tools)["version"] == "2.4-beta"


def test_a_command_prints_the_version(part: Part) -> None:
    python = Tools(python=Path(sys.executable))
    printing = replace(part, version=("{python}", "-I", "-c", "print(); print(' v24.19.0 '); print('more')"))
    assert described(printing, python)["version"] == "v24.19.0"
    as_java = "import sys; print('openjdk version 21', file=sys.stderr)"
    assert described(replace(part, version=("{python}", "-c", as_java)), python)["version"] == "openjdk version 21"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program",), "cannot be run"),
        (("{python}", "-I", "-c", "pass"), "printed no version"),
        (("{python}", "-I", "-c", "import sys; print(1); sys.exit('not here')"), "ended with 1 .*not here"),
    ],
)
def test_a_command_that_prints_none_is_named(part: Part, command: tuple[str, ...], said: str) -> None:
    with pytest.raises(BenchError, match=said):
        described(replace(part, version=command), Tools(python=Path(sys.executable)))


def test_without_a_python_a_package_is_npms(part: Part, tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text('{"packages": {"node_modules/fastify": {"version": "5.1.0"}}}')
    node = replace(part, package="fastify", local=Local(start=("{node}", "{port}")))
    assert described(node, Tools(node=Path("node")))["version"] == "5.1.0"


@pytest.mark.parametrize(
    ("text", "note"),
    [("a==1 --hash=sha256:00\n", None), ("a==1\n", "packages not locked with hashes")],
)
def test_packages_without_hashes_are_noted(part: Part, tools: Tools, text: str, note: str | None) -> None:
    (part.folder / "requirements.txt").write_text(text)
    locked = replace(part, local=replace(part.local, requirements="requirements.txt"))
    assert described(locked, tools).get("packages") == note
    ready = replace(part, local=replace(part.local, venv=".venv"))
    assert described(ready, tools)["packages"] == "packages as found in .venv"
