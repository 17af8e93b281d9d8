"""Locust by hand, without a plan: its own statistics show time to first token and whole answers."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

import pytest

from tests.golden.users.trial import ROOT
from tests.golden.users.twin import SEED, Script, running
from tests.serving import serving

FILE = "loadtests/locustfile.py"


def by_hand(*arguments: str, expect: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "locust", "-f", FILE, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == expect, done.stderr
    return done.stdout, done.stderr


def statistics_of(url: str, *, protocol: str = "rest", expect: int = 0) -> dict[str, Any]:
    arguments = ["--headless", "--only-summary", "--json", "--loglevel", "ERROR", "--users", "3", "--spawn-rate", "3"]
    arguments += ["--run-time", "2s", "--host", url, "--protocol", protocol, "--think-s", "0.1", "--seed", str(SEED)]
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


class OtherModel(BaseHTTPRequestHandler):
    """A model that is not ours: no nonce, no end marker, no ``[DONE]``, and roles have to take turns."""

    protocol_version = "HTTP/1.1"
    lists = True
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        listed = {"object": "list", "data": [{"id": "some-model", "object": "model", "owned_by": "somebody"}]}
        self._answer(200 if self.lists else 404, "application/json", json.dumps(listed).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        roles = [message["role"] for message in body["messages"]]
        if roles != (["user", "assistant"] * len(roles))[: len(roles)]:
            self._answer(400, "application/json", b'{"error": {"message": "roles must alternate"}}')
            return
        pieces: list[dict[str, Any]] = [{"delta": {"content": word}} for word in ("Hello ", "from ", "another.")]
        chunks = [{"choices": [piece]} for piece in [*pieces, {"delta": None, "finish_reason": "stop"}]]
        self._answer(200, "text/event-stream", b"".join(b"data: %b\n\n" % json.dumps(c).encode() for c in chunks))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # its user has left
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent."""


@pytest.mark.parametrize(("lists", "name"), [(True, "some-model"), (False, "stand-in")])
def test_a_model_that_is_not_ours_answers_by_hand(lists: bool, name: str) -> None:
    handler = type("Model", (OtherModel,), {"lists": lists, "asked": []})
    with serving(handler) as url:
        entries = statistics_of(f"{url}/v1/", protocol="openai")
    assert {entry["num_failures"] for entry in entries.values()} == {0}
    assert entries["whole answer"]["num_requests"] >= 3
    assert {body["model"] for body in handler.asked} == {name}
    assert max(len(body["messages"]) for body in handler.asked) >= 3


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
