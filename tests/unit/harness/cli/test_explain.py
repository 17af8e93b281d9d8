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


def test_unknown_code_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "invalid.stel"]) == EXIT_USAGE
    assert "did you mean 'invalid.steal'?" in capsys.readouterr().err
