"""What only a running server shows: departures, several processes, hashing beside streams, and its end."""

import http.client
import json
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import update

from chat import passwords
from chat.extensions import db
from chat.models import User
from tests.conftest import application, settings_in
from tests.model import FakeModel
from tests.server import Server, path_of, read_until, wait_until
from tests.users import PASSWORD, Users, settle

STREAM = "text/event-stream"
SOON_S = 3.0  # the contract says one second; a busy machine may take longer
SILENCE = 60.0


@dataclass
class Served:
    """A running server, its model, and what it stores."""

    server: Server
    model: FakeModel
    users: Users


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for all tests of this module."""
    settings = settings_in(tmp_path_factory.mktemp("served"))
    with application(settings) as app, FakeModel([]) as model:
        users = settle(app)
        with Server(settings, model.url) as server:
            yield Served(server, model, users)


@pytest.mark.parametrize("accept", [STREAM, "application/json"])
@pytest.mark.parametrize("head", [False, True], ids=["before its head", "before its first token"])
def test_client_that_leaves_a_silent_model_ends_its_request(served: Served, accept: str, head: bool) -> None:
    served.model.plays([SILENCE, "late"], head=head)
    conversation = served.server.begin()
    with served.server.connect_and_send(conversation, accept):
        assert served.model.asked.wait(SOON_S)
    assert served.model.left.wait(SOON_S)
    assert served.users.stored(conversation) == [("user", "Hello")]


@pytest.mark.parametrize(
    "script", [["some ", SILENCE], ["some ", *[0.02, "more "] * 500]], ids=["while it is silent", "while it speaks"]
)
def test_client_that_leaves_midway_ends_the_request_and_keeps_what_came(
    served: Served, script: list[str | float | bytes]
) -> None:
    served.model.plays(script)
    conversation = served.server.begin()
    with served.server.send(conversation) as response:
        read_until(response, b"some")
    assert served.model.left.wait(SOON_S)
    assert wait_until(SOON_S, lambda: len(served.users.stored(conversation)) == 2)
    assert served.users.stored(conversation)[1][1].startswith("some ")


def test_request_sent_early_on_the_same_connection_is_no_departure(served: Served) -> None:
    served.model.plays([0.3, "whole ", 0.3, "answer"])
    with served.server.connect_and_send(served.server.begin(), STREAM) as connection:
        assert served.model.asked.wait(SOON_S)
        connection.sendall(b"GET /api/schema HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"event: done" in received
    assert b'"openapi"' in received


def test_sign_in_does_not_hold_up_streams(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ITERATIONS", 1_000_000)
    with served.users.app.app_context():
        db.session.execute(update(User).where(User.username == "bob").values(password=passwords.hashed(PASSWORD)))
        db.session.commit()
    served.model.plays(["x ", *[0.02, "x "] * 3000])
    streams = [served.server.send(served.server.begin()) for _ in range(4)]  # some on each process
    signed_in = threading.Event()

    def tokens_meanwhile(stream: http.client.HTTPResponse) -> int:
        seen = 0
        while not signed_in.is_set():
            seen += b"event: token" in stream.readline()
        return seen

    with ThreadPoolExecutor(4) as pool:
        counts = [pool.submit(tokens_meanwhile, stream) for stream in streams]
        for _ in range(2):
            with served.server.ask("POST", "/api/auth/token", {"username": "bob", "password": PASSWORD}) as response:
                assert response.status == 200
        signed_in.set()
        assert min(count.result() for count in counts) >= 5
    for stream in streams:
        stream.close()


def test_writers_of_two_processes_do_not_lock_each_other_out(served: Served) -> None:
    served.model.plays(["yes"])
    conversation = served.server.begin()

    def send(number: int) -> int:
        with served.server.ask("POST", path_of(conversation), {"content": f"message {number}"}) as response:
            return response.status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(96))) == {201}
    assert len(served.users.stored(conversation)) == 2 * 96


def test_errors_are_problems_on_the_wire_too(served: Served) -> None:
    served.model.plays([], status="500 Oops")
    for method, path, body, status in (
        ("GET", "/api/nothing", None, 404),
        ("DELETE", "/api/conversations", None, 405),
        ("POST", "/api/conversations", {"title": "x" * 2**22}, 413),
        ("POST", "/api/nothing", {"title": "x" * 2**20}, 404),
        ("POST", path_of(served.server.begin()), {"content": "Hello"}, 502),
    ):
        with served.server.ask(method, path, body) as response:
            assert (response.status, response.headers["Content-Type"]) == (status, "application/problem+json")
            assert json.loads(response.read())["status"] == status


def test_end_of_the_server_saves_what_came_and_takes_no_five_seconds(served: Served) -> None:
    """Runs last: there is no server after it."""
    served.model.plays(["some ", SILENCE])
    conversation = served.server.begin()
    with served.server.send(conversation) as response:
        read_until(response, b"some")
        before_s = time.monotonic()
        served.server.process.send_signal(signal.SIGTERM)
        served.server.process.wait(20)
        assert time.monotonic() - before_s < 5
    assert served.model.left.wait(SOON_S)
    assert served.users.stored(conversation) == [("user", "Hello"), ("assistant", "some ")]
