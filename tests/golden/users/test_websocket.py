"""A WebSocket with a server that uses what the protocol allows: fragments, pings, compression, closing words."""

import time
import zlib
from contextlib import closing

import pytest

from loadtests.connection import Connection, endpoint
from loadtests.reading import Reading, TurnError
from loadtests.users.websocket import WebSocket
from loadtests.wire.websocket import BINARY, TEXT
from tests.doubles.websocket_server import CLOSE, PONG, Peer, frame, playing

MESSAGES = ["hello", "hello again", "é" * 3000, ""]
EXTENSIONS = ["", "permessage-deflate", "permessage-deflate; server_no_context_takeover; client_max_window_bits=15"]


def opened(url: str) -> WebSocket:
    one = WebSocket(Connection(endpoint(url)))
    one.open("/socket", {"Cookie": "a=b"}, ["first", "second"])
    return one


def hears(peer: Peer) -> None:
    """Wait for the page's next frame."""
    peer.hear()


def received(one: WebSocket, count: int, reading: Reading | None = None) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while len(found) < count:
        found += one.receive(reading)
    return found


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("extensions", EXTENSIONS[:2])
def test_messages_come_whole_compressed_or_not_and_pings_between_are_answered(extensions: str, fragments: int) -> None:
    def script(peer: Peer) -> None:
        for message in MESSAGES:
            peer.send(message, fragments=fragments, ping=True)
        peer.send(b"\x00\x01", fragments=fragments)
        for _ in (*MESSAGES, "the page's own"):
            peer.hear()
        peer.send("over")
        peer.hear()

    with playing(script, extensions=extensions) as (url, peers):
        one, reading = opened(url), Reading(0.0)
        expected = [*((TEXT, message.encode()) for message in MESSAGES), (BINARY, b"\x00\x01")]
        assert received(one, len(expected), reading) == expected
        one.send("mine")
        assert received(one, 1) == [(TEXT, b"over")]
        one.close()
        heard = peers[0].heard
    assert heard == [*[(PONG, b"are you there")] * len(MESSAGES), (TEXT, b"mine")]
    assert reading.wire_bytes > 0
    assert "Sec-WebSocket-Protocol: first, second\r\n" in peers[0].head
    assert "Sec-WebSocket-Extensions: permessage-deflate" in peers[0].head


def test_each_message_may_be_compressed_alone() -> None:
    def script(peer: Peer) -> None:
        for message in MESSAGES[:2]:
            peer.packer = zlib.compressobj(wbits=-15)
            peer.send(message)
        peer.hear()

    with playing(script, extensions=EXTENSIONS[2]) as (url, _):
        one = opened(url)
        assert [payload.decode() for _, payload in received(one, 2)] == MESSAGES[:2]
        one.close()


def test_what_comes_with_the_handshakes_answer_is_not_lost() -> None:
    with playing(hears, early=frame(0x80 | TEXT, b"early")) as (url, _):
        one = opened(url)
        assert one.receive() == [(TEXT, b"early")]
        one.close()


def test_a_closed_socket_says_why_and_what_came_before_counts() -> None:
    def script(peer: Peer) -> None:
        peer.sock.sendall(frame(0x80 | TEXT, b"last") + frame(0x80 | CLOSE, b"\x03\xf3restarting"))
        peer.hear()

    with playing(script) as (url, peers):
        one = opened(url)
        assert one.receive() == [(TEXT, b"last")]
        with pytest.raises(TurnError, match=r"the server closed the WebSocket \(code 1011: restarting\)") as caught:
            one.receive()
        time.sleep(0.1)
    assert caught.value.kind == "connection"
    assert peers[0].heard == [(CLOSE, b"\x03\xf3restarting")]


def test_a_socket_that_breaks_off_is_told_from_one_that_was_closed() -> None:
    with playing(lambda _: None) as (url, _), pytest.raises(TurnError, match="without a closing frame"):
        opened(url).receive()


def test_nothing_comes_within_the_time() -> None:
    with playing(hears) as (url, _):
        one = opened(url)
        assert one.receive(timeout_s=0.05) == []
        one.close()


def test_an_extension_that_was_not_offered_is_an_error() -> None:
    with (
        playing(hears, extensions="x-own") as (url, _),
        closing(Connection(endpoint(url))) as connection,
        pytest.raises(ValueError, match="x-own"),
    ):
        WebSocket(connection).open("/socket", {})
