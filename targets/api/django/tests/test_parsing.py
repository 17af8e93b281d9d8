"""The model's events, however the network cuts them."""

import json

from chat.language_model import Events, LanguageModelError
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

    def test_reported_errors_are_raised(self) -> None:
        with self.assertRaises(LanguageModelError):
            Events().pieces(b'data: {"error":"no"}\n')
