"""Terminals are redrawn; files, pipes, dumb terminals and logs of CI systems get plain lines."""

import io
import os
import re

import pytest

from harness.cli import output
from harness.cli.progress import Board, shown
from harness.records import Trial, TrialKey, Verdict
from harness.trials.campaign import Progress
from harness.trials.course import Request
from tests import ROOT
from tests.doubles import trials


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


COLOURFUL = {"TERM": "xterm-256color"}
FORCED = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*FORCED, "CI", "NO_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("environ", "redrawn"),
    [
        (COLOURFUL, True),
        (COLOURFUL | {"NO_COLOR": "1"}, True),
        (COLOURFUL | {"CI": "false"}, True),
        (COLOURFUL | {"CI": "true"}, False),
        (COLOURFUL | {"TTY_COMPATIBLE": "0"}, False),
        (COLOURFUL | {"TTY_INTERACTIVE": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({}, False),
    ],
)
def test_a_terminal_is_redrawn_unless_it_cannot_or_shall_not(environ: dict[str, str], redrawn: bool) -> None:
    assert output.redraws(Terminal(), environ) == redrawn
    assert not output.redraws(io.StringIO(), environ)
    assert not output.redraws(None, environ)


def test_no_command_has_a_console_of_another_kind() -> None:
    files = (ROOT / "harness").rglob("*.py")
    assert [one.name for one in files if re.search(r"\bConsole\(", one.read_text(encoding="utf-8"))] == ["output.py"]


def test_a_closed_stream_is_not_redrawn() -> None:
    stream = io.StringIO()
    stream.close()
    assert not output.redraws(stream, COLOURFUL)


@pytest.mark.parametrize("name", FORCED)
@pytest.mark.parametrize("value", ["0", "1"])
def test_no_variable_makes_a_file_a_terminal(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert not output.console().is_terminal
    assert not output.console().is_interactive


def test_colours_can_be_had_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert output.console().color_system is None
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert output.console().color_system == "standard"


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("19", 80), ("20", 20), ("120", 120)])
def test_a_width_that_nobody_can_mean_is_not_taken(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert output.console().width == width


def test_brackets_in_names_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    output.console().print("./my[/bot] :warning:", highlight=False)
    assert stream.getvalue() == "./my[/bot] :warning:\n"


def played(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    """Return what is printed of one trial."""
    monkeypatch.setattr("sys.stdout", stream)
    board = Board(output.console(), ["streamlit"], "quick")
    key = TrialKey(target="streamlit", scenario="chat", number=1, level=10, repetition=0)
    trial: Trial = trials.trial(key, Verdict(outcome="pass"))
    request = Request(scenario="chat", level=10, bracket=(None, None), about_left=3)
    with shown(board):
        board.starts(Progress(target="streamlit", request=request, done=0, number=1))
        board.shows("measure", None)
        board.ends(trial)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "CI"])
def test_a_file_gets_plain_lines_whatever_is_forced(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    printed = played(monkeypatch, io.StringIO())
    assert "\x1b" not in printed
    assert [line.partition(" ")[2] for line in printed.splitlines()] == [
        "streamlit: 10 users …",
        "streamlit: chat 10: pass",
    ]


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    printed = played(monkeypatch, Terminal())
    assert "\x1b" not in printed
    assert printed.splitlines()[-1].endswith("streamlit: chat 10: pass")


def test_a_terminal_is_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" in played(monkeypatch, Terminal())
    assert os.environ["TERM"] == "xterm-256color"
