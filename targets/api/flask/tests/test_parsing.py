"""The model's events, however the network cuts them."""

import json

import pytest

from chat.language_model import END, Events, LanguageModelError

TEXTS = ["nonce ", "é✓ ", "\n\n", "data: [DONE]", "[end]"]
STREAM = (
    b": hello\r\n\r\n"
    + b"".join(
        b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\r\n\r\n" for text in TEXTS
    )
    + b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    + b'event: x\ndata:{"choices":[],"usage":{}}\n\ndata: [DONE]\n\n'
)
PIECE = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
OVER = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
LAST = PIECE.replace(b"}]", b',"finish_reason":"length"}]')
THOUGHT = b'data: {"choices":[{"delta":{"reasoning_content":"b"},"finish_reason":"stop"}]}\n\n'
WHOLE = b'{"choices": [\n {"message": {"content": "a"},\n  "finish_reason": "stop"}\n]}'
# one stream each, all of which say "a"
STREAMS = {
    "no end mark": PIECE + OVER,
    "end mark alone": PIECE + b"data: [DONE]\n\n",
    "no blank line at the end": PIECE + b"data: [DONE]",
    "single line ends": PIECE.strip() + b"\n" + OVER.strip() + b"\n",
    "carriage returns": (PIECE + OVER).replace(b"\n", b"\r"),
    "byte order mark": b"\xef\xbb\xbf" + PIECE + OVER,
    "a document over two lines": b'data: {"choices":\ndata: [{"delta":{"content":"a"}}]}\n\n' + OVER,
    "delta null": PIECE + OVER.replace(b"{}", b"null"),
    "no delta": PIECE + b'data: {"choices":[{"finish_reason":"stop"}]}\n\n',
    "no choices": b'data: {"choices":[]}\n\ndata: {"choices":null}\n\ndata: {}\n\n' + PIECE + OVER,
    "no objects": b'data: 7\n\ndata: []\n\ndata: "x"\n\ndata: null\n\ndata:\n\n' + PIECE + OVER,
    "error null": PIECE.replace(b"{", b'{"error":null,', 1) + OVER,
    "reasoning": b'data: {"choices":[{"delta":{"content":null,"reasoning_content":"b"}}]}\n\n' + PIECE + OVER,
    "parts": PIECE.replace(b'"a"', b'[{"type":"thinking"},{"type":"text","text":"a"}]') + OVER,
    "refusal": PIECE.replace(b'"content"', b'"content":null,"refusal"') + OVER,
    "a NUL": PIECE.replace(b'"a"', b'"a\\u0000"') + OVER,
    "text with the end": LAST,
    "a reason with every piece": THOUGHT + LAST,
    "nothing after the end": PIECE + OVER + b"data: {nonsense\n\n" + PIECE,
    "whole": WHOLE,
}
FAILURES = {
    "error": PIECE + b'data: {"error":{"message":"no"}}\n\n' + PIECE,
    "error in words": PIECE + b'data: {"error":"no"}\n\n',
    "error object": PIECE + b'data: {"object":"error","message":"no"}\n\n',
    "nonsense": PIECE + b"data: {nonsense\n\n" + PIECE,
    "broken off": PIECE + b'data: {"choices":[{"del',
    "not over": PIECE,
    "not over after a reason": THOUGHT + PIECE,
}
SILENT = {"empty": OVER, "error alone": b'{"error": {"message": "no"}}', "page": b"<html>\n<p>no</p>\n</html>\n"}


def test_every_cut_gives_the_same_pieces() -> None:
    for cut in range(len(STREAM) + 1):
        events = Events()
        assert events.pieces(STREAM[:cut]) + events.pieces(STREAM[cut:]) == TEXTS
        assert events.finished


def test_pieces_come_as_soon_as_their_line_is_complete() -> None:
    events = Events()
    assert events.pieces(b'data: {"choices":[{"delta":{"content":"a"}}]}\n') == ["a"]
    assert not events.finished


def read(stream: bytes) -> tuple[list[str], Events]:
    events = Events()
    return events.pieces(stream) + events.pieces(END), events


@pytest.mark.parametrize("kind", STREAMS)
def test_models_are_read_as_they_are(kind: str) -> None:
    pieces, events = read(STREAMS[kind])
    assert pieces == ["a"]
    events.check()


@pytest.mark.parametrize("kind", FAILURES)
def test_what_came_before_a_failure_is_kept(kind: str) -> None:
    pieces, events = read(FAILURES[kind])
    assert pieces == ["a"]
    with pytest.raises(LanguageModelError):
        events.check()


@pytest.mark.parametrize("kind", SILENT)
def test_no_text_is_no_answer(kind: str) -> None:
    pieces, events = read(SILENT[kind])
    assert pieces == []
    with pytest.raises(LanguageModelError):
        events.check()
