"""``chatbench explain``."""

import pytest

from harness import cli
from harness.analysis.reason import CODES
from harness.errors import EXIT_USAGE


def test_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "invalid.steal"]) == 0
    labels = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert labels == ["code", "meaning", "limit", "cause", "remedy"]


def test_every_code_is_listed_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [one.code for one in CODES]


@pytest.mark.parametrize(("word", "hint"), [("invalid.stel", "invalid.steal"), ("steal", "invalid.steal")])
def test_unknown_code_names_the_nearest(word: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", word]) == EXIT_USAGE
    assert f"did you mean {hint!r}?" in capsys.readouterr().err
