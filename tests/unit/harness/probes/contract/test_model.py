"""The checks of a model talked to directly pass on a right server and name the defects of wrong ones."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.probes import contract
from harness.probes.subject import Subject
from harness.records.recipe import nonce_of

SEED = 42


class _Handler(BaseHTTPRequestHandler):
    defect = ""

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        if self.defect == "no list":
            self._send(404, "text/plain", b"no such path")
            return
        listed: list[dict[str, str]] = [] if self.defect == "no model" else [{"id": "stand-in"}]
        self._send(200, "application/json", json.dumps({"data": listed}).encode())

    def do_POST(self) -> None:
        try:
            asked: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = asked["messages"][-1]["content"]
        except (ValueError, KeyError, TypeError):
            status = 500 if self.defect == "refuses by falling over" else 400
            said = {} if self.defect == "refuses silently" else {"message": "not a request"}
            self._send(status, "application/json", json.dumps({"error": said}).encode())
            return
        tag = content.rpartition("tag-")[2].partition("?")[0]
        nonce = nonce_of(SEED, "another" if self.defect == "another's answer" else tag)
        tokens = [f"{nonce} ", "tok1 ", "[cut]" if self.defect == "cut" else "[end]"]
        if not asked["stream"]:
            text = "".join(tokens)[::-1] if self.defect == "whole answer wrong" else "".join(tokens)
            self._send(200, "application/json", json.dumps({"choices": [{"message": {"content": text}}]}).encode())
            return
        if self.defect == "one chunk":
            tokens = ["".join(tokens)]
        chunks = [json.dumps({"choices": [{"delta": {"content": token}}]}) for token in tokens]
        over = json.dumps({"choices": [{"delta": None, "finish_reason": "stop"}]})
        ends = {"no [DONE]": [], "finish_reason alone": [over]}
        lines = [*chunks, *ends.get(self.defect, ["[DONE]"])]
        media_type = "application/json" if self.defect == "no event stream" else "text/event-stream"
        self._send(200, media_type, "".join(f"data: {line}\n\n" for line in lines).encode())

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _model(defect: str) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"defect": defect}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _checks(base_url: str) -> list[contract.Check]:
    return contract.check(
        Subject(target="model", base_url=base_url, protocol="openai", web=False, features=("streaming",), seed=SEED)
    )


@pytest.mark.parametrize("other", ["", "no list", "finish_reason alone"])
def test_right_model_passes(other: str) -> None:
    with _model(other) as base_url:
        checks = _checks(base_url)
    assert [check.text for check in checks if not check.passed] == []
    assert len(checks) == 4


@pytest.mark.parametrize(
    ("defect", "operation", "seen"),
    [
        ("no model", "models", "the list of models is"),
        ("no [DONE]", "chat", "not with [DONE]"),
        ("one chunk", "chat", "it is not streamed"),
        ("no event stream", "chat", "the stream came as 'application/json'"),
        ("whole answer wrong", "chat", "not with its own nonce"),
        ("refuses by falling over", "errors", "was answered with 500"),
        ("refuses silently", "errors", "unexpected form"),
    ],
)
def test_defect_is_found(defect: str, operation: str, seen: str) -> None:
    with _model(defect) as base_url:
        failed = [check for check in _checks(base_url) if not check.passed]
    assert [check.operation for check in failed] == [operation]
    assert seen in failed[0].text


@pytest.mark.parametrize(("defect", "seen"), [("another's answer", "own nonce"), ("cut", "not with [end]")])
def test_a_wrong_answer_is_found_streamed_and_whole(defect: str, seen: str) -> None:
    with _model(defect) as base_url:
        failed = [check for check in _checks(base_url) if not check.passed]
    assert [check.operation for check in failed] == ["chat", "chat"]
    assert all(seen in check.text for check in failed)


def test_nothing_listening_fails_every_check() -> None:
    checks = _checks("http://127.0.0.1:9/v1")
    assert len(checks) == 4
    assert not any(check.passed for check in checks)
