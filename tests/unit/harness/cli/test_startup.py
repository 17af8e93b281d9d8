"""What a command leaves behind of a person's settings, and what its streams take."""

import codecs
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import REPOSITORY, startup
from tests import ROOT
from tests.doubles import results_run

PROGRAM = Path(sys.executable).with_name("chatbench")
EVIL = "raise SystemExit('a module of the person was taken')\n"


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return results_run.write_run(tmp_path_factory.mktemp("run"), results_run.SMALL)


def said(*words: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run chatbench as a program of its own."""
    return subprocess.run(
        [str(PROGRAM), *words], env=os.environ | environment, capture_output=True, check=False, timeout=120
    )


def test_settings_of_python_are_left_behind_and_encodings_kept() -> None:
    given = {
        "PATH": "/bin",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "PYTHONPATH": "/home/me/lib",
        "PYTHONSTARTUP": "/home/me/.pythonrc",
        "PYTHONIOENCODING": "latin-1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    kept = startup.without_settings(given, ROOT)
    assert kept == {"PATH": "/bin", "PYTHONIOENCODING": "latin-1", "PYTHONDONTWRITEBYTECODE": "1"}
    assert startup.without_settings(kept, ROOT) == kept


def test_our_own_folder_stays_a_path() -> None:
    given = {"PYTHONPATH": f"/home/me/lib:{REPOSITORY}"}
    assert startup.without_settings(given, REPOSITORY) == {"PYTHONPATH": str(REPOSITORY)}


def test_modules_and_warnings_of_a_person_reach_no_command(tmp_path: Path) -> None:
    for name in ("reports", "rich", "harness"):
        (tmp_path / f"{name}.py").write_text(EVIL)
    # harness itself is imported before anything can be done about it, so it is left out here
    (tmp_path / "harness.py").unlink()
    done = said("targets", PYTHONPATH=str(tmp_path), PYTHONWARNINGS="error", PYTHONOPTIMIZE="2")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"streamlit" in done.stdout


@pytest.mark.parametrize("proxy", ["http_proxy", "ALL_PROXY"])
def test_this_machine_is_never_reached_by_a_proxy(proxy: str) -> None:
    environ = {proxy: "http://proxy.example:3128", "no_proxy": "corp.example, 127.0.0.1"}
    startup.keep_loopback_direct(environ)
    assert environ["no_proxy"] == environ["NO_PROXY"] == "corp.example,127.0.0.1,localhost,::1"


def test_without_a_proxy_nothing_is_excepted() -> None:
    environ = {"PATH": "/bin"}
    startup.keep_loopback_direct(environ)
    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("10–≤33 users … ×", "ascii", b"10-<=33 users ... x"),
        ("10–20 × 3", "latin-1", b"10-20 \xd7 3"),
        ("⠋ é 日", "ascii", b"* e \\u65e5"),
        ("🙂", "latin-1", b"\\U0001f642"),
        ("caf\udce9", "utf-8", b"caf\xe9"),
        ("10–20", "utf-8", "10–20".encode()),
    ],
)
def test_every_sign_is_written_in_every_encoding(text: str, encoding: str, written: bytes) -> None:
    codecs.register_error(startup.READABLE, startup.readable)
    assert text.encode(encoding, startup.READABLE) == written


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "gb2312"])
def test_commands_print_in_any_encoding_and_files_stay_utf8(run_folder: Path, encoding: str) -> None:
    done = said("report", str(run_folder), "--format", "md", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "users" in text
    assert ("─" in text) == (encoding == "utf-8")
    assert "÷" in (run_folder / "report" / "table.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["targets", "explain", "report"])
def test_a_reader_that_leaves_is_no_error(run_folder: Path, command: str) -> None:
    words = [str(PROGRAM), command, *([str(run_folder), "--format", "md"] if command == "report" else [])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complained = process.stderr.read()
    assert (process.returncode, complained) == (0, b"")


def test_a_terminal_that_was_closed_is_no_error() -> None:
    ours, its = pty.openpty()
    with startup.Stream(os.fdopen(its, "wb"), encoding="utf-8", line_buffering=True) as stream:
        stream.write("seen\n")
        os.close(ours)
        assert stream.write("unseen\n") == len("unseen\n")
        stream.flush()


def test_a_full_disk_is_an_error_still() -> None:
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb")
    stream = startup.Stream(full, encoding="utf-8", line_buffering=True)
    with pytest.raises(OSError, match="No space left"):
        stream.write("lost\n")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    stream.close()


def test_a_stream_that_another_program_made_non_blocking_waits_for_its_reader() -> None:
    out, into = os.pipe()
    os.set_blocking(into, False)
    stream = startup._tolerant(os.fdopen(into, "w"))
    assert stream is not None
    with os.fdopen(out, "rb"), stream:
        assert os.get_blocking(into)


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream_is_no_error(run_folder: Path, closed: str) -> None:
    script = f'"$0" report "$1" --format md {closed}'
    done = subprocess.run(["sh", "-c", script, str(PROGRAM), str(run_folder)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
