"""Faults on demand, clients that leave, and requests that make no sense."""

import json
import socket
import subprocess
import sys
import time

import pytest

from tests.golden.model.server import LLM, Model
from tests.golden.model.test_answers import nonce


def post(body: str, *headers: str, version: str = "1.1") -> bytes:
    lines = [f"POST /v1/chat/completions HTTP/{version}", "host: x", f"content-length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def question(text: str, *, stream: bool = True) -> str:
    return json.dumps({"stream": stream, "messages": [{"role": "user", "content": text}]})


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("fault", "kind"), [("429", "requests"), ("500", "server_error")])
def test_fault_before_the_answer(model: Model, tag: str, fault: str, kind: str, stream: bool) -> None:
    reply = model.ask(f"tag-{tag}?fault={fault}", stream=stream)
    assert reply.status == int(fault)
    assert reply.json["error"]["type"] == kind
    assert ("retry-after" in reply.headers) == (fault == "429")
    emission = model.emission(tag)
    assert (emission["fault"], emission["finished"], emission["emit_s"]) == (fault, False, [])


def test_stall_pauses_in_the_middle(model: Model, tag: str) -> None:
    reply = model.ask(f"tag-{tag}?fault=stall&tokens=20")
    gaps = [b - a for (a, _), (b, _) in zip(reply.arrivals, reply.arrivals[1:], strict=False)]
    assert gaps.index(max(gaps)) == 9
    assert model.emission(tag)["emit_s"][10] >= 0.05 + 10 * 0.01 + 0.6
    assert reply.done
    assert model.emission(tag)["finished"] is True


def test_disconnect_cuts_in_the_middle(model: Model, tag: str) -> None:
    reply = model.ask(f"tag-{tag}?fault=disconnect&tokens=20")
    assert len(reply.arrivals) == 10
    assert not reply.done
    emission = model.emission(tag)
    assert (len(emission["emit_s"]), emission["finished"], emission["fault"]) == (10, False, "disconnect")
    assert model.raw(post(question(f"tag-{tag}?fault=disconnect", stream=False))) == b""


def test_client_that_leaves_ends_its_answer(model: Model, tag: str) -> None:
    with model.connect() as connection:
        connection.sendall(post(question(f"tag-{tag}?tokens=1000")))
        while b'"content":"' not in connection.recv(65536):
            pass
    left_s = time.monotonic()
    emission = model.emission(tag)
    assert time.monotonic() - left_s < 3
    assert emission["finished"] is False
    assert 0 < len(emission["emit_s"]) < 1000


def test_client_that_resets_before_a_whole_answer(model: Model, tag: str) -> None:
    with model.connect() as connection:
        connection.sendall(post(question(f"tag-{tag}?tokens=1000", stream=False)))
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close sends a reset
    emission = model.emission(tag)
    assert (emission["finished"], emission["emit_s"]) == (False, [])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ('{"messages": [{"role": "user", "content": "\\ud800"}]}', "not valid JSON"),
        ("[]", "'the body'"),
        ("{}", "'messages'"),
        ('{"messages": 3}', "'messages'"),
        ('{"messages": []}', "'user'"),
        ('{"messages": [3]}', "'messages[0]'"),
        ('{"messages": [{"role": "user"}]}', "'messages[0].content'"),
        ('{"messages": [{"role": "user", "content": [{"text": 1}]}]}', "'messages[0].content.text'"),
        ('{"messages": [{"role": "user", "content": ""}], "stream": "yes"}', "'stream'"),
        ('{"messages": [{"role": "user", "content": ""}], "n": 0}', "n is 0"),
        ('{"messages": [{"role": "user", "content": ""}], "n": 129}', "n is 129"),
        ('{"messages": [{"role": "user", "content": ""}], "n": "two"}', "n is 'two'"),
        ('{"messages": [{"role": "user", "content": ""}], "chatbench": {"token": 3}}', "'token'"),
        ('{"messages": [{"role": "user", "content": ""}], "chatbench": {"tokens": 1}}', "tokens is 1"),
        ('{"messages": [{"role": "user", "content": ""}], "chatbench": {"itl_s": null}}', "itl_s is None"),
        ('{"messages": [{"role": "user", "content": "tag-0123456789abcdef?ttft_s=nan"}]}', "ttft_s is 'nan'"),
        ('{"messages": [{"role": "user", "content": "tag-0123456789abcdef?payload=poem"}]}', "payload is 'poem'"),
        ('{"messages": [{"role": "user", "content": "tag-0123456789abcdef?fault=404"}]}', "fault is '404'"),
    ],
)
def test_bad_body_is_named(model: Model, body: str, named: str) -> None:
    reply = model.request("POST", "/v1/chat/completions", body.encode())
    assert reply.status == 400
    error = reply.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert named in error["message"]


def test_unknown_path_and_wrong_method(model: Model) -> None:
    unknown = model.request("GET", "/v1/nothing")
    assert unknown.status == 404
    assert "GET /v1/nothing. Known paths: /v1/chat/completions, " in unknown.json["error"]["message"]
    line = model.emissions("", fault="GET /v1/nothing.")[0]
    assert line["fault"].startswith("404: Unknown request URL: GET /v1/nothing.")
    assert (line["emit_s"], line["finished"]) == ([], False)
    assert model.request("GET", "/v1/chat/completions").headers["allow"] == "POST"
    assert model.request("DELETE", "/v1/models").status == 405


def test_error_leaves_the_connection_open_and_requests_are_answered_in_order(model: Model, tag: str) -> None:
    requests = [post("{"), post(question(f"tag-{tag}")), b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n"]
    requests += [b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"] * 100
    received = model.raw(b"".join(requests) + b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [400, 200, 404] + [200] * 101
    assert received.index(b"[DONE]") < received.index(b"404 Not Found")


def test_request_in_small_pieces(model: Model, tag: str) -> None:
    with model.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(question(f"tag-{tag}"), "connection: close"):
            connection.sendall(bytes([byte]))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert b"[end]" in received


def test_old_protocol_gets_no_chunks(model: Model, tag: str) -> None:
    received = model.raw(post(question(f"tag-{tag}"), "connection: keep-alive", version="1.0"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body.startswith(b"data: {")
    assert body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 99, 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + b"100000\r\n" + b"x" * (1 << 20), 200),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: %s\r\n" % (i, b"y" * 999) for i in range(400)), 431),
    ],
    ids=["nonsense", "TLS", "too long", "too long in chunks", "endless head"],
)
def test_request_that_cannot_be_read_is_refused(model: Model, data: bytes, status: int) -> None:
    if status == 200:  # seventeen chunks of 1 MiB pass the limit of 16 MiB
        head, chunk = data[: data.index(b"100000")], data[data.index(b"100000") :] + b"\r\n"
        data, status = head + chunk * 17, 413
    received = model.raw(data)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(received.partition(b"\r\n\r\n")[2])["error"]["message"]
    assert model.request("GET", "/health").status == 200


@pytest.mark.parametrize("cut", [30, 200, None], ids=["in the head", "in the body", "whole"])
def test_another_protocol_that_is_offered_is_ignored(model: Model, tag: str, cut: int | None) -> None:
    """Java's client offers HTTP/2 with every first request."""
    offer = "connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAAB"
    data = post(question(f"tag-{tag}"), *offer) + post(question("Hello"), "connection: close")
    with model.connect() as connection:
        for part in (data[:cut], data[cut or len(data) :]):
            connection.sendall(part)
            time.sleep(0.05)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 ") == 2
    assert nonce(42, tag).encode() in received


def test_it_is_no_proxy(model: Model) -> None:
    received = model.raw(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"no proxy" in received


def test_body_after_expectation(model: Model, tag: str) -> None:
    head, _, body = post(question(f"tag-{tag}"), "expect: 100-continue").partition(b"\r\n\r\n")
    with model.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--tokens", "1"], 2, "1 is not between 2 and 100000"),
        (["--ttft-s", "soon"], 2, "invalid float value: 'soon'"),
        (["--port", "0", "--log", "/nowhere/log"], 1, "/nowhere/log"),
        (["--port", "{taken}"], 1, "choose another --port"),
    ],
)
def test_bad_command_line_is_named(model: Model, arguments: list[str], code: int, named: str) -> None:
    filled = [argument.format(taken=model.port) for argument in arguments]
    ended = subprocess.run([sys.executable, "-m", "llm", *filled], cwd=LLM, capture_output=True, text=True, timeout=20)
    assert ended.returncode == code
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_log_that_cannot_be_written_ends_the_server() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "llm", "--port", "0", "--log", "/dev/full"],
        cwd=LLM,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        port = int(server.stdout.readline().split(":")[3].removesuffix("/v1\n"))
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(post(question("tag-0123456789abcdef?fault=500")))
            assert "cannot write the log" in server.stderr.read()
        assert server.wait(10) == 1
