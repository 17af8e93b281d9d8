"""Connections to servers with habits of their own: addresses, endings and closings as they are met in the wild."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest

from loadtests import http
from loadtests.connection import Connection, Endpoint
from loadtests.reading import Reading, TurnError
from loadtests.wire.raw_reads import RawReads

GET = http.request("GET", "/", {"Host": "x"})
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answers = Sequence[Sequence[bytes]]  # of each connection in turn, to each of its requests; then it is closed


@contextmanager
def serving(answers: Answers, *, idle_s: float = 0.0) -> Iterator[str]:
    """A server that sends these bytes whatever it is asked for."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for to_send in answers:
            peer, _ = listener.accept()
            with peer:
                for number, answer in enumerate(to_send):
                    if number < len(to_send) - 1 or answer:
                        peer.recv(65536)
                    peer.sendall(answer)
                time.sleep(idle_s)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Make every name resolve to these addresses, in this order."""

    def to(addresses: list[str]) -> None:
        def getaddrinfo(_: str, port: int, **__: Any) -> list[tuple[Any, ...]]:
            families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses]
            places = [(one, port, 0, 0) if ":" in one else (one, port) for one in addresses]
            return [(f, socket.SOCK_STREAM, 6, "", place) for f, place in zip(families, places, strict=True)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return to


def test_a_name_is_tried_at_each_of_its_addresses(resolved: Callable[[list[str]], None]) -> None:
    resolved(["::1", "127.0.0.2", "127.0.0.1"])
    with serving([[WHOLE], [WHOLE]]) as url:
        at = Endpoint(url.replace("127.0.0.1", "localhost"))
        for _ in range(2):
            one = Connection(at)
            assert one.exchange(GET).body == b"ok"
            one.close()


def test_a_name_that_no_address_answers_for_is_refused(resolved: Callable[[list[str]], None]) -> None:
    resolved(["::1", "127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        Connection(Endpoint(f"http://localhost:{port}")).open()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + WHOLE,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nServer-Timing: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
    ],
    ids=["early hints", "trailers", "until the close", "HTTP/1.0"],
)
def test_an_answer_is_whole_however_it_ends(answer: bytes) -> None:
    with serving([[answer]] * 3) as url:
        at = Endpoint(url)
        with closing(Connection(at)) as one:
            assert one.exchange(GET).body == b"ok"
        with closing(Connection(at)) as one:
            assert b"".join(one.pieces(GET, Reading(0.0))) == b"ok"
        with closing(Connection(at)) as one:
            trace = RawReads(0.0, stream_format="rest")
            one.stream(GET, trace, b"nonce", b"done")
            assert trace.raw() == answer


def test_trailers_end_an_answer_at_once() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nServer-Timing: a\r\n\r\n"
    with serving([[answer]], idle_s=5.0) as url, closing(Connection(Endpoint(url))) as one:
        begun_s = time.monotonic()
        one.stream(GET, RawReads(begun_s, stream_format="rest"), b"nonce", b"done")
        assert time.monotonic() - begun_s < 4.0


@pytest.mark.parametrize(
    "closing", [b"", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
)
def test_a_kept_connection_that_times_out_under_a_request_is_replaced(closing: bytes) -> None:
    with serving([[WHOLE, closing], [WHOLE]]) as url:
        one = Connection(Endpoint(url))
        assert [one.exchange(GET).status for _ in range(2)] == [200, 200]
        one.close()


def test_a_new_connection_that_closes_without_a_word_is_an_error() -> None:
    with serving([[b""]]) as url, pytest.raises((TurnError, ConnectionResetError)):
        Connection(Endpoint(url)).exchange(GET)
