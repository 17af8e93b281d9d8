"""The model's events, however the network cuts them."""

import json

from chat.language_model import END, Events, LanguageModelError
from django.test import SimpleTestCase

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


class EventsTests(SimpleTestCase):
    def test_every_cut_gives_the_same_pieces(self) -> None:
        for cut in range(len(STREAM) + 1):
            events = Events()
            self.assertEqual(events.pieces(STREAM[:cut]) + events.pieces(STREAM[cut:]), TEXTS)
            self.assertTrue(events.finished)

    def test_pieces_come_as_soon_as_their_line_is_complete(self) -> None:
        events = Events()
        self.assertEqual(events.pieces(b'data: {"choices":[{"delta":{"content":"a"}}]}\n'), ["a"])
        self.assertFalse(events.finished)

    def read(self, stream: bytes) -> tuple[list[str], Events]:
        events = Events()
        return events.pieces(stream) + events.pieces(END), events

    def test_models_are_read_as_they_are(self) -> None:
        for kind, stream in STREAMS.items():
            with self.subTest(kind):
                pieces, events = self.read(stream)
                self.assertEqual(pieces, ["a"])
                events.check()

    def test_what_came_before_a_failure_is_kept(self) -> None:
        for kind, stream in FAILURES.items():
            with self.subTest(kind):
                pieces, events = self.read(stream)
                self.assertEqual(pieces, ["a"])
                self.assertRaises(LanguageModelError, events.check)

    def test_no_text_is_no_answer(self) -> None:
        for kind, stream in SILENT.items():
            with self.subTest(kind):
                pieces, events = self.read(stream)
                self.assertEqual(pieces, [])
                self.assertRaises(LanguageModelError, events.check)
