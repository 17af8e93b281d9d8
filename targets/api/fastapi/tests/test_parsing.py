"""The model's events, however the network cuts them."""

import json

import pytest
from app.language_model import Events, LanguageModelError

TEXTS = ["nonce ", "é✓ ", "\n\n", "data: [DONE]", "[end]"]
STREAM = (
    b": hello\r\n\r\n"
    + b"".join(
        b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\r\n\r\n" for text in TEXTS
    )
    + b'data: {"choices":[{"delta":{"content":null},"finish_reason":"stop"}]}\n\n'
    + b'event: x\ndata:{"choices":[],"usage":{}}\n\ndata: [DONE]\n\n'
)


def test_every_cut_gives_the_same_pieces() -> None:
    for cut in range(len(STREAM) + 1):
        events = Events()
        assert events.pieces(STREAM[:cut]) + events.pieces(STREAM[cut:]) == TEXTS
        assert events.finished


def test_pieces_come_as_soon_as_their_line_is_complete() -> None:
    events = Events()
    assert events.pieces(b'data: {"choices":[{"delta":{"content":"a"}}]}\n') == ["a"]
    assert not events.finished


@pytest.mark.parametrize(
    "data", [b'{"error":"no"}', b"[]", b'"text"', b'{"choices":[{}]}', b'{"choices":[{"delta":1}]}']
)
def test_reported_errors_are_raised(data: bytes) -> None:
    with pytest.raises(LanguageModelError):
        Events().pieces(b"data: " + data + b"\n")
