"""Locust by hand, without a plan: its own statistics show time to first token and whole answers."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

from tests.golden.users.trial import ROOT
from tests.golden.users.twin import SEED, Script, running

FILE = "loadtests/locustfile.py"


def by_hand(*arguments: str, expect: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "locust", "-f", FILE, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == expect, done.stderr
    return done.stdout, done.stderr


def statistics_of(url: str, *, expect: int = 0) -> dict[str, Any]:
    arguments = ["--headless", "--only-summary", "--json", "--loglevel", "ERROR", "--users", "3", "--spawn-rate", "3"]
    arguments += ["--run-time", "2s", "--host", url, "--protocol", "rest", "--think-s", "0.1", "--seed", str(SEED)]
    printed, _ = by_hand(*arguments, expect=expect)
    return {entry["name"]: entry for entry in json.loads(printed)}


def test_both_entries_hold_the_times_of_the_server() -> None:
    with running() as twin:
        twin.script = Script(ttft_s=0.1, itl_s=0.02, tokens=11)
        entries = statistics_of(twin.url)
    assert set(entries) == {"first token", "whole answer"}
    first, whole = entries["first token"], entries["whole answer"]
    assert first["num_requests"] >= whole["num_requests"] >= 3
    assert (first["num_failures"], whole["num_failures"]) == (0, 0)
    assert first["min_response_time"] >= 100
    assert whole["min_response_time"] >= 300


def test_failures_are_shown_as_failures() -> None:
    with running() as twin:
        twin.script = Script(fault="500")
        entries = statistics_of(twin.url, expect=1)
    assert set(entries) == {"whole answer"}
    assert entries["whole answer"]["num_failures"] == entries["whole answer"]["num_requests"] >= 3


def test_a_missing_host_says_what_to_add() -> None:
    _, complaint = by_hand("--headless", expect=1)
    assert "add --host http://127.0.0.1:PORT" in complaint


def test_the_web_page_shows_entries_and_options() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running() as twin:
        command = [sys.executable, "-m", "locust", "-f", FILE, "--host", twin.url, "--think-s", "0.1", "--autostart"]
        command += ["--web-host", "127.0.0.1", "--web-port", str(port), "--users", "2", "--seed", str(SEED)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                names: set[str] = set()
                deadline_s = time.monotonic() + 20
                while "whole answer" not in names and time.monotonic() < deadline_s:
                    time.sleep(0.2)
                    names = _entries_on_page(port)
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                    page = answer.read().decode()
            finally:
                process.terminate()
    assert names >= {"first token", "whole answer"}
    for option in ("protocol", "think_s", "seed", "user_class", "streamlit_site"):
        assert option in page


def _entries_on_page(port: int) -> set[str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/requests") as answer:
            return {entry["name"] for entry in json.loads(answer.read())["stats"]}
    except OSError:
        return set()
