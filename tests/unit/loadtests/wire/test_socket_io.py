"""Socket.IO packets as texts: those of the protocol's own pages, both ways."""

from typing import Any

import pytest

from loadtests.wire.socket_io import ACK, CONNECT, EVENT, PING, Packet, PacketReader, packet
from loadtests.wire.websocket import BINARY, TEXT

PACKETS: list[tuple[str, dict[str, Any]]] = [
    ("40", {"kind": CONNECT}),
    ("40/admin,", {"kind": CONNECT, "namespace": "/admin"}),
    ('40/admin,{"sid":"o"}', {"kind": CONNECT, "namespace": "/admin", "data": {"sid": "o"}}),
    ('42["foo"]', {"kind": EVENT, "data": ["foo"]}),
    ('42/admin,12["foo","a/b"]', {"kind": EVENT, "namespace": "/admin", "number": 12, "data": ["foo", "a/b"]}),
    ('4313["bar"]', {"kind": ACK, "number": 13, "data": ["bar"]}),
]


@pytest.mark.parametrize(("text", "fields"), PACKETS)
def test_a_packet_is_read_from_its_text(text: str, fields: dict[str, Any]) -> None:
    assert PacketReader().feed(TEXT, text.encode()) == Packet(engine="4", **fields)


@pytest.mark.parametrize(("text", "fields"), PACKETS)
def test_a_packet_is_written_as_its_text(text: str, fields: dict[str, Any]) -> None:
    rest = dict(fields)
    assert packet(rest.pop("kind"), rest.pop("data", None), **rest) == text


def test_messages_of_the_engine_are_told_apart() -> None:
    assert PacketReader().feed(TEXT, b"2") == Packet(engine=PING)
    assert PacketReader().feed(TEXT, b'0{"sid":"e"}') == Packet(engine="0", data={"sid": "e"})


def test_binary_parts_come_behind_their_event() -> None:
    reader = PacketReader()
    text = b'452-/admin,7["a",{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}]]'
    assert reader.feed(TEXT, text) is None
    assert reader.feed(BINARY, b"one") is None
    expected = Packet(engine="4", kind=EVENT, namespace="/admin", number=7, data=["a", b"two", [b"one"]])
    assert reader.feed(BINARY, b"two") == expected


@pytest.mark.parametrize(("opcode", "payload"), [(TEXT, b"49"), (TEXT, b"42[no json"), (BINARY, b"alone")])
def test_what_is_not_of_the_protocol_is_an_error(opcode: int, payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"Socket\.IO|column"):
        PacketReader().feed(opcode, payload)
