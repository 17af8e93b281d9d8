"""What a person is told about a component that did not become ready."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from harness.runtimes.local import Launch, readiness

WANTED = Launch(
    name="bot",
    role="target",
    command=("python", "my app.py"),
    cwd=Path("/bots/my bot"),
    env={"OPENAI_BASE_URL": "http://127.0.0.1:40999/v1"},
    log=Path("bot.log"),
    version="1",
    endpoint=None,
    ready_url="http://127.0.0.1:40123/health",
)


@pytest.mark.parametrize(
    ("tail", "problem", "said"),
    [
        ("[Errno 98] Address already in use", "", "another port will be picked"),
        ("ModuleNotFoundError: No module named 'x'", "", "add it there"),
        ("", "HTTP status 404", "correct `ready`"),
        ("Uvicorn running on http://0.0.0.0:8000", "refused", "its log names port 8000: write {port}"),
        ("listening on port 3000", "refused", "its log names port 3000"),
        ("Listening and serving HTTP on :8080", "refused", "its log names port 8080"),
        ("listening on *:3000", "refused", "its log names port 3000"),
        ("Tomcat started on port(s): 8080 (http)", "refused", "its log names port 8080"),
        ("asking http://127.0.0.1:40999/v1 for its models", "refused", "raise ready_within_s"),
        ("model: 127.0.0.1:40999\n    serving at 127.0.0.1:8000", "refused", "its log names port 8000"),
        ("listening on 127.0.0.1:40123", "refused", "raise ready_within_s"),
        ("loading weights", "refused", "raise ready_within_s"),
        ("Killed", "", "start it by hand in /bots/my bot: python 'my app.py'"),
    ],
)
def test_the_remedy_is_that_of_the_fault(tail: str, problem: str, said: str) -> None:
    assert said in readiness._remedy(tail, problem, WANTED)


@pytest.mark.parametrize(
    ("problem", "said"),
    [("Connection refused", "let it listen at 127.0.0.1"), ("timed out", "raise ready_within_s")],
)
def test_a_program_that_listens_by_ipv6_alone_is_told_so(
    monkeypatch: pytest.MonkeyPatch, problem: str, said: str
) -> None:
    connect = socket.create_connection

    def by_ipv4(address: tuple[str, int], timeout: float) -> socket.socket:  # this machine may lack the other
        assert address[0] == "::1"
        return connect(("127.0.0.1", address[1]), timeout)

    monkeypatch.setattr(socket, "create_connection", by_ipv4)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wanted = replace(WANTED, ready_url=f"http://127.0.0.1:{listening.getsockname()[1]}/")
        assert said in readiness._remedy("", problem, wanted)
    assert "raise ready_within_s" in readiness._remedy("", problem, wanted)


def test_a_prefix_is_proposed_where_none_is_stated() -> None:
    assert "state `path`" in readiness._remedy("", "HTTP status 404", WANTED)
    below = replace(WANTED, endpoint="http://127.0.0.1:40123/chat")
    assert "state `path`" not in readiness._remedy("", "HTTP status 404", below)
