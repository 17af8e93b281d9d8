"""A body read in pieces, which a user class of one's own builds on: as it comes, whole, or an error."""

import json
import time
from collections.abc import Iterator

import pytest

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.reading import Reading, TurnError
from tests.golden.users.twin import Script, Twin, running

TAG = "0123456789abcdef"


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


@pytest.fixture
def connection(twin: Twin) -> Iterator[Connection]:
    one = Connection(endpoint(twin.url))
    yield one
    one.close()


def ask(connection: Connection, reading: Reading) -> Iterator[bytes]:
    body = json.dumps({"content": f"Hello tag-{TAG}"}).encode()
    return connection.pieces(http.request("POST", "/messages", {"Host": connection.endpoint.host}, body), reading)


def test_pieces_come_as_they_are_sent_and_every_byte_is_counted(twin: Twin, connection: Connection) -> None:
    twin.script = Script(tokens=10, itl_s=0.05)
    reading = Reading(time.monotonic())
    pieces = [(time.monotonic(), piece) for piece in ask(connection, reading)]
    body = b"".join(piece for _, piece in pieces)
    assert len(pieces) >= 5
    assert pieces[-1][0] - pieces[0][0] >= 0.05 * 8
    assert body.count(b"event: token") == 10
    assert body.endswith(b"\n\n")
    assert reading.wire_bytes > len(body)
    assert connection.sock is not None  # kept for the next request
    assert connection.exchange(http.request("GET", "/", {"Host": connection.endpoint.host})).status == 200
    assert twin.connections == 1


def test_a_refusal_is_a_turn_error_with_its_status(twin: Twin, connection: Connection) -> None:
    twin.script = Script(fault="500")
    with pytest.raises(TurnError, match=r"HTTP 500: .*it broke on purpose") as caught:
        list(ask(connection, Reading(0.0)))
    assert caught.value.kind == "http"


def test_an_answer_that_breaks_off_is_an_error_after_what_had_come(twin: Twin, connection: Connection) -> None:
    twin.script = Script(fault="drop", fault_at=5)
    came: list[bytes] = []
    with pytest.raises(TurnError) as caught:
        came.extend(ask(connection, Reading(0.0)))
    assert caught.value.kind == "connection"
    assert b"".join(came).count(b"event: token") == 5


def test_a_kept_connection_that_the_server_closed_is_replaced_unasked(twin: Twin, connection: Connection) -> None:
    twin.script = Script(fault="close-idle")
    connection.exchange(http.request("GET", "/", {"Host": connection.endpoint.host}))
    twin.script = Script(tokens=3)
    assert b"".join(ask(connection, Reading(0.0))).count(b"event: token") == 3
