"""The gate's command: it measures what it names, or says why it cannot."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from harness import cli
from harness.errors import EXIT_ERROR, EXIT_USAGE, BenchError
from harness.host import machine
from harness.runtimes.local import LocalRuntime
from harness.targets import Target
from tests.doubles.repository import commit, new_repository

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a gate whose second side cannot be prepared; return its exit code and what it printed."""

    def prepare(_: object, target: Target, *__: object) -> object:
        print(f"prepared {target.name} of {target.backend.folder}: {target.title}")
        if target.name.endswith("@head"):
            raise BenchError("far enough", "measure no more")
        return None

    monkeypatch.setattr(LocalRuntime, "prepare", prepare)
    monkeypatch.setattr(machine, "one_campaign", nullcontext)

    def one(*words: str) -> tuple[int, str]:
        code = cli.main(("compare", *words, "--gate"))
        return code, "".join(capsys.readouterr())

    return one


def test_an_own_chatbot_is_compared_with_its_own_history(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = new_repository(tmp_path / "mine")
    for title in ("old", "new"):
        commit(root, {"bots/a/part.toml": f'name = "a"\nkind = "monolith"\ntitle = "{title}"\n'}, title)
    monkeypatch.chdir(root)
    code, printed = say("HEAD~1", ".", "--target", "./bots/a", "--results", str(tmp_path / "results"))
    assert code == EXIT_ERROR
    base, head, *_ = printed.splitlines()
    assert base.startswith("prepared ./bots/a@base of ")
    assert base.endswith(": old")
    assert str(root) not in base
    assert head == f"prepared ./bots/a@head of {root}/bots/a: new"
    assert "chatbench: head, working tree of mine: far enough" in printed
    assert not (tmp_path / "results").exists()


def test_revisions_without_gate_are_told_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "main", ".", "--results", str(tmp_path)]) == EXIT_USAGE
    assert "revisions are compared with --gate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere", "."), "no revision 'nowhere'"),
        (("HEAD", ".", "--target", "nowhere"), "unknown target 'nowhere'"),
        (("HEAD", ".", "--runtime", "docker"), "images hold the files as they are"),
        (("HEAD", ".", "--pairs", "2"), "--pairs is 2"),
        (("HEAD", ".", "--margin", "nan"), "--margin is nan"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_made(
    say: Say, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, printed = say(*words, "--results", str(tmp_path / "results"))
    assert code == EXIT_USAGE
    assert said in printed
    assert "prepared" not in printed
