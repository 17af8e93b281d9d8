"""Writing a part of one's own: every kind is a whole part, nothing is overwritten, wrong words are answered."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.cli.init import KINDS, TEMPLATES, template_files
from harness.cli.lookup import catalogue
from harness.errors import EXIT_DONE, EXIT_USAGE
from harness.targets import read_part
from tests import ROOT

PUBLIC = {
    "loadtests.page",
    "loadtests.reading",
    "loadtests.connection",
    "loadtests.http",
    "loadtests.users.socket_io",
}
OURS = ("loadtests", "harness", "reports", "tests")
USER_FILES = sorted([*TEMPLATES.glob("*/user.py"), *ROOT.glob("targets/*/*/user.py")])

Init = Callable[..., int]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Run ``chatbench init`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: cli.main(["init", *words])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_whole_part_of_the_name_given(init: Init, kind: str, tmp_path: Path) -> None:
    assert init("mybot", "--kind", kind) == EXIT_DONE
    part = read_part(tmp_path / "mybot")
    assert part.name == "mybot"
    for file in (part.local.requirements, "README.md", "app.py"):
        assert (tmp_path / "mybot" / str(file)).is_file()
    assert not [p for p in (tmp_path / "mybot").rglob("*") if p.is_file() and "my-chatbot" in p.read_text()]
    target = catalogue().target("./mybot")
    assert (target.kind, target.python_processes) == ("monolith", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_locked_with_hashes_and_names_no_index(kind: str) -> None:
    lock = (TEMPLATES / kind / "requirements.txt").read_text()
    assert lock.count("--hash=sha256:") >= lock.count("==") > 0
    assert "://" not in lock
    wanted = (TEMPLATES / kind / "requirements.in").read_text().split()
    assert {f"\n{name}==" in f"\n{lock}" for name in wanted} == {True}


def test_what_to_type_next_is_said_with_the_folder_as_one_would_type_it(
    init: Init, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    init("mybot")
    assert "run ./mybot " in capsys.readouterr().out
    init("mybot", "--directory", "my chatbots")
    assert "run './my chatbots/mybot' " in capsys.readouterr().out
    assert (tmp_path / "my chatbots" / "mybot" / "part.toml").is_file()


@pytest.mark.parametrize("file", ["part.toml", "app.py"])
def test_an_existing_file_is_kept_and_nothing_else_is_written(
    init: Init, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mybot").mkdir()
    (tmp_path / "mybot" / file).write_text("mine")
    assert init("mybot") == EXIT_USAGE
    assert f"{tmp_path}/mybot/{file} exists" in capsys.readouterr().err
    assert [p.read_text() for p in (tmp_path / "mybot").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("My Bot", "'My Bot' cannot name a part", "small letters, digits and hyphens"),
        ("x" * 41, "cannot name a part", "at most 40"),
        ("bots/mine", "is a path, not a name", "chatbench init mine --directory bots"),
        ("django", "the name 'django' is taken", "my-django"),
        ("redis", "the name 'redis' is taken", "my-redis"),
        ("rest", "the name 'rest' is taken", "my-rest"),
    ],
)
def test_a_name_that_will_not_do_is_answered_with_one_that_will(
    init: Init, name: str, said: str, hint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert init(name) == EXIT_USAGE
    message, remedy = capsys.readouterr().err.splitlines()
    assert said in message
    assert hint in remedy
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert init("mybot", "--directory", "file") != EXIT_DONE
    assert f"{tmp_path}/file/mybot cannot be written" in capsys.readouterr().err


def test_names_that_two_targets_of_a_run_would_share_are_refused(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init("mybot")
    init("mybot", "--directory", ".mybot")
    words = ["run", "./mybot", ".//mybot", "--profile", "smoke", "--results", str(tmp_path / "results")]
    assert cli.main(words) == EXIT_USAGE
    assert "'./mybot' and './/mybot' would share the folder 'mybot'" in capsys.readouterr().err


def imported(file: Path) -> set[str]:
    """Return the modules of ours that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.module != "loadtests" else [f"loadtests.{n.name}" for n in node.names]
        found |= {name for name in names if name.split(".")[0] in OURS}
    return found


@pytest.mark.parametrize("file", USER_FILES, ids=lambda file: file.parent.name)
def test_a_user_class_imports_the_public_modules_of_loadtests_alone(file: Path) -> None:
    assert {"loadtests.page", "loadtests.users.socket_io"} & imported(file)
    assert imported(file) <= PUBLIC


@pytest.mark.parametrize("kind", KINDS)
def test_a_chatbot_itself_imports_nothing_of_ours(kind: str) -> None:
    for file in template_files(kind):
        if file.suffix == ".py" and file.name != "user.py":
            assert imported(TEMPLATES / kind / file) == set()


def test_the_import_check_sees_a_private_module(tmp_path: Path) -> None:
    lines = ("from loadtests import recording", "import harness.records", "from loadtests.wire.sse import x")
    (tmp_path / "user.py").write_text("\n".join(lines))
    assert imported(tmp_path / "user.py") == {"loadtests.recording", "harness.records", "loadtests.wire.sse"}
