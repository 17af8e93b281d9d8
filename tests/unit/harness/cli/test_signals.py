"""A signal unwinds a command, with the shells' exit code, whatever was inherited and whatever comes after it."""

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.cli import signals

SCRIPT = """
import sys, time
from harness.cli import signals
try:
    with signals.orderly():
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            print("stopping", flush=True)
            time.sleep(0.5)
            print("stopped", flush=True)
except KeyboardInterrupt as end:
    print(signals.in_words(end), flush=True)
    sys.exit(signals.code_of(end))
"""
ENDS = [
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "ended by SIGTERM"),
    (signal.SIGHUP, 129, "ended by SIGHUP"),
]


@pytest.fixture(autouse=True)
def hang_up_not_ignored() -> Iterator[None]:
    """Let what a test starts inherit the default, also where the tests themselves were started by ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@contextmanager
def started(ignoring: str = "", output: int = subprocess.PIPE) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the script as a shell does that has these signals ignored."""
    words = ["sh", "-c", f'for s in {ignoring}; do trap "" $s; done; exec "$@"', "sh", sys.executable, "-c", SCRIPT]
    with subprocess.Popen(words, stdout=output, stderr=output, start_new_session=True) as process:
        if process.stdout:
            assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize(("number", "code", "words"), ENDS)
@pytest.mark.parametrize("ignoring", ["", "INT"])  # INT: as a shell starts a program in the background
def test_each_signal_unwinds_and_gives_its_code(number: int, code: int, words: str, ignoring: str) -> None:
    with started(ignoring) as process:
        process.send_signal(number)
        printed, _ = process.communicate(timeout=20)
        assert (process.returncode, printed.decode()) == (code, f"stopping\nstopped\n{words}\n")


def test_a_second_signal_does_not_disturb_the_stopping() -> None:
    with started() as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == b"stopping\n"
        for number in (signal.SIGTERM, signal.SIGHUP):  # as systemd sends both
            process.send_signal(number)
        printed, _ = process.communicate(timeout=20)
        assert (process.returncode, printed) == (143, b"stopped\nended by SIGTERM\n")


def test_under_nohup_a_closed_terminal_changes_nothing() -> None:
    with started("HUP") as process:
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143


def test_a_terminal_that_was_closed_is_no_reason_to_fail_while_stopping() -> None:
    ours, its = pty.openpty()
    with started(output=its) as process:
        os.close(its)
        assert b"ready" in os.read(ours, 100)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 129


def test_an_exit_code_comes_back_where_ended_children_were_ignored() -> None:
    script = """
import signal, subprocess
from harness.cli import signals
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
failing = ["sh", "-c", "exit 3"]
with signals.orderly():
    print(subprocess.run(failing).returncode)
print(signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "True"]


@pytest.mark.parametrize(("number", "code"), [(number, code) for number, code, _ in ENDS])
def test_a_signal_that_was_blocked_unwinds(number: int, code: int) -> None:
    block = f"import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}]); "
    words = [sys.executable, "-c", block + "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])", SCRIPT]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        try:
            assert process.wait(20) == code
        finally:
            process.kill()


def test_handlers_are_put_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with signals.orderly():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in numbers] == before


def test_another_thread_leaves_the_handlers_alone() -> None:
    seen = []

    def look() -> None:
        with signals.orderly():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
