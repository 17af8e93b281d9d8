"""The recipe for Socket.IO of docs/user-class.md, and what else its page class does, against a small server."""

import inspect
import json
import re
import time
from collections.abc import Callable

import pytest

from loadtests.page import Visitor
from loadtests.reading import Reading, SignInError, TurnError
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.users.socket_io import SocketIOPage
from tests import ROOT
from tests.doubles.websocket_server import Peer, playing
from tests.golden.users import recipes
from tests.golden.users.recipes import EventsPage
from tests.golden.users.twin import SEED, expected_nonce

PIECES = ("word ", "word ", "[end]")


def chatting(peer: Peer, *, accept: str = '40{"sid":"s"}') -> None:
    """Play the server: an open connection, the events of an answer, a ping among them."""
    peer.send('0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
    assert json.loads(peer.hear()[1].removeprefix(b"40")) == {"session": "s" * 32}
    peer.send(accept)
    peer.send('42["hello"]')
    while True:
        said = peer.hear()[1]
        if said.startswith(b"42") and said[2:3].isdigit():
            peer.send(f"43{said[2:3].decode()}" + json.dumps([json.loads(said[3:])]))
        elif said.startswith(b'42["message"'):
            nonce = expected_nonce(json.loads(said[2:])[1]["content"])
            for piece in (f"{nonce} ", *PIECES):
                peer.send("42" + json.dumps(["token", piece]))
                peer.send("2")
                time.sleep(0.02)
            peer.send('42/other,["token","not for this page"]')
            peer.send("451-" + json.dumps(["done", {"file": {"_placeholder": True, "num": 0}}]))
            peer.send(b"\x01\x02")


def page(url: str) -> EventsPage:
    return EventsPage(Visitor(number=0, base_url=url, username="user0001", session="s" * 32))


@pytest.mark.parametrize("extensions", ["", "permessage-deflate"])
def test_an_answer_of_events_is_a_turn(extensions: str) -> None:
    with playing(chatting, extensions=extensions) as (url, peers):
        one = page(url)
        one.prepare()
        for number in range(2):
            pending = new_turn(SEED, 0, 0, number, 0.0, one)
            pending.phase, trace = "measure", Reading(time.monotonic())
            one.ask(pending.tag, pending.nonce, trace)
            turn = turn_of(note_of(pending, trace, "ok", None, None), trace.raw())
            assert (turn.outcome, turn.error) == ("ok", None)
            assert turn.arrival_tokens == (1, 2, 3, 4)
            assert turn.wire_bytes > turn.text_bytes
        one.close()
        heard = [said for _, said in peers[0].heard]
    assert heard.count(b"3") >= 4
    assert "GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" in peers[0].head


def test_the_recipes_are_those_of_the_guide() -> None:
    guide = (ROOT / "docs" / "user-class.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```python\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    played = inspect.getsource(recipes)
    assert len(shown) == 3
    assert [block for block in shown if block not in played] == []


def test_the_page_gives_headers_and_words_and_gets_values_back() -> None:
    class Careful(SocketIOPage):
        namespace = "/chat"

        def connect(self) -> None:
            self.open_socket(headers={"Cookie": "a=b"}, query={"lang": "en"})

        def new_conversation(self) -> None: ...

        def ask(self, text: str, nonce: str, reading: Reading) -> None: ...

    def script(peer: Peer) -> None:
        peer.send('0{"sid":"e"}')
        assert peer.hear()[1] == b"40/chat,"
        peer.send('40{"sid":"not this one"}')
        peer.send('40/chat,{"sid":"s"}')
        assert peer.hear()[1] == '42/chat,1["new","é"]'.encode()
        peer.send('42/chat,["joined",{"n":[1]},2]')
        peer.send('43/chat,1[{"id":7},null]')
        peer.send('42/chat,["later"]')
        peer.hear()

    with playing(script) as (url, peers):
        one = Careful(Visitor(number=0, base_url=url, username="user0001", session="s"))
        one.prepare()
        assert one.call("new", "é") == [{"id": 7}, None]
        assert next(one.events()) == ("later", [])
        one.close()
    assert "GET /socket.io/?EIO=4&transport=websocket&lang=en HTTP/1.1\r\n" in peers[0].head
    assert "Cookie: a=b\r\n" in peers[0].head


def test_a_refused_connection_is_a_failed_sign_in() -> None:
    with playing(lambda peer: chatting(peer, accept='44{"message":"not you"}')) as (url, _):
        one = page(url)
        with pytest.raises(SignInError, match="not you"):
            one.connect()
        one.close()


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
