"""Whether the model answers, once nobody was answered: asked by both runtimes of a real server, without an engine."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from harness.errors import BenchError
from harness.runtimes.docker import pod as docker_module
from harness.runtimes.docker.pod import DockerPod
from harness.runtimes.docker.topology import POD
from harness.runtimes.local import LocalPod
from harness.runtimes.local import pod as local_module
from harness.runtimes.protocol import MODEL_PATIENCE_S, Stack
from tests import ROOT

READY = ROOT / "compose/pod/ready"
SHORT_S = 0.3  # instead of five seconds
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Ask = Callable[[str], str]


@dataclass
class Model:
    """A server that says ``answer`` to every request; nothing at all for None."""

    answer: bytes | None = OK
    asked: list[str] = field(default_factory=list)
    kept: list[socket.socket] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self.listener.accept()
                request = b""
                while not request.endswith(b"\r\n\r\n") and (more := connection.recv(4096)):
                    request += more
                self.asked.append(request.decode().split("\r\n")[0])
                if self.answer is None:
                    self.kept.append(connection)
                    continue
                with suppress(OSError):
                    connection.sendall(self.answer)
                connection.close()


@pytest.fixture
def model() -> Iterator[Model]:
    server = Model()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    for one in (server.listener, *server.kept):
        one.close()


def stack(url: str) -> Stack:
    return Stack(instances=(), model_url=url, model_log=Path("none"), ready_after_s=0.0)


@pytest.fixture(params=["local", "docker"])
def ask(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask as a pod of that runtime does, with less patience."""
    if request.param == "local":
        monkeypatch.setattr(local_module, "MODEL_PATIENCE_S", SHORT_S)
        return lambda url: LocalPod.model_silent(LocalPod.__new__(LocalPod), stack(url))
    monkeypatch.setattr(docker_module, "MODEL_PATIENCE_S", SHORT_S)
    script = READY.read_text()
    assert "ANSWER_WITHIN_S=5\n" in script
    hasty = tmp_path / "ready"
    hasty.write_text(script.replace("ANSWER_WITHIN_S=5\n", f"ANSWER_WITHIN_S={SHORT_S}\n"))

    def exec_run(command: Sequence[str]) -> Any:
        assert command[0] == "/opt/ready"
        done = subprocess.run(["bash", str(hasty), *command[1:]], capture_output=True, timeout=30)
        return SimpleNamespace(exit_code=done.returncode, output=done.stdout)

    return lambda url: docker_pod(exec_run).model_silent(stack(url))


def docker_pod(exec_run: Callable[[Sequence[str]], Any]) -> DockerPod:
    pod = DockerPod.__new__(DockerPod)
    pod._ledger = {POD: SimpleNamespace(container=SimpleNamespace(exec_run=exec_run))}  # type: ignore[assignment]
    return pod


def test_a_model_that_answers_is_not_silent(ask: Ask, model: Model) -> None:
    assert ask(model.url) == ""
    assert [line.split()[:2] for line in model.asked] == [["GET", "/health"]]


def test_a_model_that_takes_requests_and_says_nothing_is_silent(ask: Ask, model: Model) -> None:
    model.answer = None
    assert ask(model.url) in ("timed out", f"{model.url.removeprefix('http://')} took the request and did not answer")
    assert model.asked


def test_a_model_that_is_gone_is_silent(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as before:
        port = before.getsockname()[1]
    said = ask(f"http://127.0.0.1:{port}")
    assert "refused" in said or "no connection" in said


@pytest.mark.parametrize(("answer", "why"), [(BUSY, "HTTP status 503"), (b"", ""), (b"no words of HTTP\r\n", "")])
def test_a_model_that_answers_badly_is_silent_and_says_how(ask: Ask, model: Model, answer: bytes, why: str) -> None:
    model.answer = answer
    said = ask(model.url)
    assert said
    assert why in said


def test_a_model_that_recovers_is_not_silent_any_more(ask: Ask, model: Model) -> None:
    model.answer = None
    assert ask(model.url)
    model.answer = OK
    assert ask(model.url) == ""


def test_a_script_without_words_still_gives_a_reason() -> None:
    pod = docker_pod(lambda _: SimpleNamespace(exit_code=1, output=b" \n"))
    assert pod.model_silent(stack("http://127.0.0.1:1")) == "no reason"


def test_the_script_is_given_the_patience_that_both_runtimes_have() -> None:
    asked: list[Sequence[str]] = []
    pod = docker_pod(lambda command: asked.append(command) or SimpleNamespace(exit_code=0, output=b""))
    assert pod.model_silent(stack("http://127.0.0.1:1")) == ""
    assert asked == [["/opt/ready", "http://127.0.0.1:1/health", str(MODEL_PATIENCE_S)]]


def test_a_lost_engine_is_no_silent_model() -> None:
    def refuse(_: Sequence[str]) -> Any:
        raise APIError("container is not running")

    with pytest.raises(BenchError, match="asking the model: the Docker engine refused"):
        docker_pod(refuse).model_silent(stack("http://127.0.0.1:1"))
