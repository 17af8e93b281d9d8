"""A page class of one's own on Socket.IO, as docs/your-own.md has it, against a small server of that protocol."""

import json
import time
from collections.abc import Callable

import pytest

from loadtests.page import Visitor
from loadtests.reading import Reading, SignInError, TurnError
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.users.socket_io import SocketIOPage
from tests.doubles.websocket_server import Peer, playing

PIECES = ("word ", "word ", "[end]")


class ChatPage(SocketIOPage):
    """The page of a chatbot that streams its answer as events."""

    socket_path = "/ws/socket.io/"

    def connect(self) -> None:
        self.open_socket(auth={"session": self.visitor.session}, headers={"Cookie": "a=b"}, query={"lang": "en"})

    def new_conversation(self) -> None:
        assert self.call("new", {"title": "é"}) == [{"id": 7}]

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        self.emit("message", {"content": text, "nonce": nonce})
        said = ""
        for name, values in self.events(reading):
            if name == "token":
                said += values[0]
                reading.saw(said)
            elif name == "done":
                assert values == [{"file": b"\x01\x02", "all": [b"\x03"]}]
                reading.finish()
                return


def chatting(peer: Peer, *, accept: str = '40{"sid":"s"}') -> None:
    """Play the server: an open connection, the events of an answer, a ping among them."""
    peer.send('0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
    assert json.loads(peer.hear()[1].removeprefix(b"40")) == {"session": "s" * 32}
    peer.send(accept)
    peer.send('42["hello"]')
    while True:
        kind, said = peer.hear()
        if said.startswith(b"421["):
            peer.send("431" + json.dumps([{"id": 7}]))
        elif said.startswith(b'42["message"'):
            nonce = json.loads(said[2:])[1]["nonce"]
            for piece in (f"{nonce} ", *PIECES):
                peer.send("42" + json.dumps(["token", piece]))
                peer.send("2")
                time.sleep(0.02)
            peer.send('42/other,["token","not for this page"]')
            parts = {"file": {"_placeholder": True, "num": 0}, "all": [{"_placeholder": True, "num": 1}]}
            peer.send("452-" + json.dumps(["done", parts]))
            peer.send(b"\x01\x02")
            peer.send(b"\x03")


def page(url: str) -> ChatPage:
    return ChatPage(Visitor(number=0, base_url=url, username="user0001", session="s" * 32))


@pytest.mark.parametrize("extensions", ["", "permessage-deflate"])
def test_an_answer_of_events_is_a_turn(extensions: str) -> None:
    with playing(chatting, extensions=extensions) as (url, peers):
        one = page(url)
        one.prepare()
        for number in range(2):
            pending = new_turn(7, 0, 0, number, 0.0, one)
            pending.phase, trace = "measure", Reading(time.monotonic())
            one.ask("Hello", pending.nonce, trace)
            turn = turn_of(note_of(pending, trace, "ok", None, None), trace.raw())
            assert (turn.outcome, turn.error) == ("ok", None)
            assert turn.arrival_tokens == (1, 2, 3, 4)
            assert turn.wire_bytes > turn.text_bytes
        one.close()
        heard = [said for _, said in peers[0].heard]
    assert heard.count(b"3") >= 4
    assert "GET /ws/socket.io/?EIO=4&transport=websocket&lang=en HTTP/1.1\r\n" in peers[0].head
    assert "Cookie: a=b\r\n" in peers[0].head


def test_a_refused_connection_is_a_failed_sign_in() -> None:
    with (
        playing(lambda peer: chatting(peer, accept='44{"message":"not you"}')) as (url, _),
        pytest.raises(SignInError, match="not you"),
    ):
        page(url).connect()


@pytest.mark.parametrize("ends", [lambda peer: peer.send("41"), lambda peer: peer.send("1")])
def test_a_connection_that_the_server_ends_fails_the_turn(ends: Callable[[Peer], None]) -> None:
    def script(peer: Peer) -> None:
        peer.send('0{"sid":"e"}')
        peer.hear()
        peer.send('40{"sid":"s"}')
        ends(peer)
        peer.hear()

    with playing(script) as (url, _):
        one = page(url)
        one.connect()
        with pytest.raises(TurnError, match=r"ended the Socket\.IO connection"):
            list(one.events())
        one.close()


def test_an_idle_page_answers_pings() -> None:
    def script(peer: Peer) -> None:
        peer.send('0{"sid":"e"}')
        peer.hear()
        peer.send('40{"sid":"s"}')
        peer.send("2")
        peer.hear()
        peer.hear()

    with playing(script) as (url, peers):
        one = page(url)
        one.connect()
        begun_s = time.monotonic()
        assert not one.idle(begun_s + 0.2)
        assert time.monotonic() - begun_s >= 0.2
        one.close()
        assert [said for _, said in peers[0].heard[1:]] == [b"3"]


def test_no_acknowledgement_is_told_with_its_time() -> None:
    def script(peer: Peer) -> None:
        peer.send('0{"sid":"e"}')
        peer.hear()
        peer.send('40{"sid":"s"}')
        peer.hear()
        peer.hear()

    with playing(script) as (url, _):
        one = page(url)
        one.connect()
        with pytest.raises(TurnError, match=r"did not answer within 0\.1 s"):
            one.call("new", timeout_s=0.1)
        one.close()
