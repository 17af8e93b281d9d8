"""Any program can be checked, from a folder of any name; where a check fails, the reason and the log are at hand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EXIT_DONE, EXIT_ERROR, EXIT_USAGE
from tests import ROOT
from tests.e2e.campaigns.test_your_own import environment

SERVER = r"""
import http.server, json, os, sys, time, urllib.request

class Chat(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200 if self.path in ("/chat/", "/chat/health") else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
        if "silent" in sys.argv:
            print("waiting for ever", flush=True)
            time.sleep(600)
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
        address, kind = os.environ["LLM_BASE_URL"] + "/chat/completions", {"Content-Type": "application/json"}
        asked = urllib.request.Request(address, json.dumps(body).encode(), kind)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with urllib.request.urlopen(asked) as model:
            for line in model:
                for choice in json.loads(line[6:])["choices"] if line.startswith(b"data: {") else ():
                    if piece := (choice["delta"].get("content") or "").encode():
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass

if "slow" in sys.argv:
    print("loading weights", flush=True)
    time.sleep(600)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Chat).serve_forever()
"""
USER = """
import json
from addresses import ASK
from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page

class Own(Page):
    def connect(self):
        self._at = endpoint(self.visitor.base_url)
        self._connection = Connection(self._at)
        assert self._connection.exchange(self._request("GET", "/", b"")).status == 200

    def new_conversation(self):
        pass

    def ask(self, text, nonce, reading):
        said = b""
        for piece in self._connection.pieces(self._request("POST", ASK, json.dumps({"text": text}).encode()), reading):
            said += piece
            reading.saw(said.decode(errors="ignore"))
        reading.finish()

    def abort(self):
        self._connection.abort()

    def _request(self, method, path, body):
        return http.request(method, self._at.prefix + path, {"Host": self._at.host}, body)
"""
PART = """
name = "plain"
kind = "monolith"
title = "Plain [Python]"
version = "7.1"
protocol = "plain"
user_class = "user.py:Own"

[local]
start = ["{python}", "-I", "-S", "server.py", "{{port}}"{words}]
path = "/chat"
ready = "/health"
ready_within_s = {patience}
"""


def part(folder: Path, words: str = "", patience: int = 20) -> Path:
    """Write a chatbot that needs nothing but the interpreter of the tests."""
    folder.mkdir(parents=True)
    (folder / "server.py").write_text(SERVER)
    (folder / "user.py").write_text(USER)
    (folder / "addresses.py").write_text("ASK = '/ask'\n")
    (folder / "part.toml").write_text(PART.format(python=sys.executable, words=words, patience=patience))
    return folder


def check(folder: Path, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    words = [str(Path(sys.executable).parent / "chatbench"), "check", str(folder)]
    return subprocess.run(
        words, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=300
    )


def said(done: "subprocess.CompletedProcess[str]") -> str:
    return " ".join((done.stdout + done.stderr).split())


def named_log(text: str, name: str) -> Path:
    found = re.search(rf"(?:the end of |see )(/\S+/logs/{name}\.log)", text)
    assert found, text
    return Path(found[1])


@pytest.mark.spread
@pytest.mark.parametrize(
    "place", ["bot", "c++/bots:v2/a%2Fb #?@ 'é\"/b,$t", "-deep/" * 30 + "bot"], ids=["plain", "odd", "long"]
)
def test_a_program_without_packages_is_checked_below_its_path(place: str, tmp_path: Path) -> None:
    done = check(part(tmp_path / place), tmp_path)
    assert done.returncode == EXIT_DONE, said(done)
    assert "2 of 2 checks passed" in said(done)
    assert "Plain [Python]" in done.stdout


@pytest.mark.spread
def test_an_import_that_fails_is_shown_and_its_log_stays(tmp_path: Path) -> None:
    folder = part(tmp_path / "bot")
    (folder / "addresses.py").unlink()
    done = check(folder, tmp_path)
    assert done.returncode == EXIT_ERROR
    assert "No module named 'addresses'" in said(done)
    assert "Traceback" in done.stdout
    assert "addresses" in named_log(said(done), "generator").read_text()


@pytest.mark.spread
def test_a_user_class_with_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    folder = part(tmp_path / "bot")
    (folder / "user.py").write_text("class Own(Page:\n    pass\n")
    done = check(folder, tmp_path)
    assert done.returncode == EXIT_USAGE
    assert f"{folder}/user.py, line 1: " in said(done)


@pytest.mark.spread
def test_a_chatbot_that_is_not_ready_in_its_time_leaves_its_log(tmp_path: Path) -> None:
    done = check(part(tmp_path / "bot", ', "slow"', 1), tmp_path)
    assert done.returncode == EXIT_ERROR
    assert "did not answer in 1 s" in said(done)
    assert "ready_within_s" in said(done)
    assert named_log(said(done), "plain").read_text() == "loading weights\n"


@pytest.mark.spread
def test_a_chatbot_that_never_answers_shows_the_end_of_its_log(tmp_path: Path) -> None:
    done = check(part(tmp_path / "bot", ', "silent"'), tmp_path)
    assert done.returncode == EXIT_ERROR
    assert "waiting for ever" in done.stdout
    assert "waiting for ever" in named_log(said(done), "plain").read_text()


@pytest.mark.spread
def test_a_fixed_port_is_answered_with_the_placeholder(tmp_path: Path) -> None:
    folder = part(tmp_path / "bot")
    text = (folder / "part.toml").read_text().replace('"{port}"', '"8000"')
    (folder / "part.toml").write_text(text)
    done = check(folder, tmp_path)
    assert done.returncode == EXIT_ERROR
    assert "write {port} where your program takes it" in said(done)
