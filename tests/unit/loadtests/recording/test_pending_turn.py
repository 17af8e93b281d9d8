"""A turn's record is the same from the note and the raw bytes of its trace as from the trace itself."""

from typing import Any

import orjson
import pytest

from harness.records import Turn
from loadtests.page import Page, Visitor
from loadtests.reading import AnswerTrace, GrowingText, Reading
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.wire.raw_reads import RawReads

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class NoPage(Page):
    """A page that is never used."""

    def connect(self) -> None: ...

    def new_conversation(self) -> None: ...

    def ask(self, text: str, nonce: str, reading: Any) -> None: ...


PAGE = NoPage(Visitor(number=0, base_url="http://localhost:1", username="user0001", session=""))
PENDING = new_turn(42, 0, 0, 0, 9.0, PAGE)


def raw_reads() -> RawReads:
    def token(text: str) -> bytes:
        return b'event: token\ndata: {"text": "%b"}\n\n' % text.encode()

    parts = [HEAD, token(f"{PENDING.nonce} "), token("some ") + token("[end]"), b"event: done\ndata: {}\n\n"]
    return RawReads(9.0, [9.1, 9.2, 9.3, 9.4], parts=parts, done_s=9.4, ready_s=9.4, stream_format="rest")


def growing_text() -> GrowingText:
    trace = GrowingText(9.0, wire_bytes=500)
    trace.saw(f"{PENDING.nonce} ", 9.2)
    trace.saw(f"{PENDING.nonce} so", 9.3)
    trace.saw(f"{PENDING.nonce} some [end]", 9.3)
    trace.finish(9.4)
    trace.ready_s = 9.4
    return trace


@pytest.mark.parametrize("trace", [raw_reads(), growing_text()], ids=["raw reads", "growing text"])
def test_a_trace_survives_its_note(trace: AnswerTrace) -> None:
    note = orjson.loads(orjson.dumps(note_of(PENDING, trace, "ok", None, None)))
    assert type(trace).noted(note, trace.raw()).growth() == trace.growth()
    turn = turn_of(note | {"phase": "measure"}, trace.raw())
    assert (turn.outcome, turn.error) == ("ok", None)
    assert (turn.first_s, turn.last_s, turn.done_s) == (9.2, 9.3, 9.4)
    assert (turn.arrival_s, turn.arrival_tokens) == ((0.2, 0.3), (1, 3))
    assert (turn.chunks, turn.updates, turn.text_bytes) == (2, 3, len(f"{PENDING.nonce} some [end]"))


def test_bytes_on_the_wire_are_those_of_all_reads() -> None:
    trace = raw_reads()
    assert trace.note()["wire_bytes"] == len(trace.raw())
    assert sum(trace.note()["read_bytes"]) == len(trace.raw())


def test_a_turn_without_a_response_has_no_arrivals() -> None:
    trace = RawReads(9.0, stream_format="rest")
    turn = turn_of(note_of(PENDING, trace, "failed", "connection", "refused") | {"phase": "measure"}, trace.raw())
    assert (turn.outcome, turn.error, turn.first_s, turn.arrival_s) == ("failed", "refused", None, ())


def test_a_page_is_told_by_default_each_time_the_answer_has_grown() -> None:
    trace = PAGE.new_trace(9.0)
    assert isinstance(trace, Reading)
    assert trace.sent_s == 9.0


def told(*states: str) -> tuple[GrowingText, Turn]:
    """Return the trace of an answer in these states, one a second, and its turn."""
    trace = GrowingText(0.0)
    for at_s, state in enumerate(states, start=1):
        trace.saw(state, float(at_s))
    trace.finish(float(len(states)))
    return trace, turn_of(note_of(PENDING, trace, "ok", None, None) | {"phase": "measure"}, trace.raw())


NONCE = PENDING.nonce
WHOLE = f"{NONCE} one two [end]"


@pytest.mark.parametrize("cursor", ["▕", "●", " | ", "▌", "_", ":material/circle:", "</p>", "…"])
def test_a_cursor_is_no_text_and_the_last_state_counts_though_it_is_shorter(cursor: str) -> None:
    states = (f"{NONCE} ", f"{NONCE} {cursor}", f"{NONCE} one {cursor}", f"{NONCE} one two {cursor}", WHOLE + cursor)
    trace, turn = told(*states, WHOLE)
    assert (turn.outcome, turn.error) == ("ok", None)
    assert trace.text == WHOLE
    assert (turn.arrival_s, turn.arrival_tokens) == ((1.0, 3.0, 4.0, 5.0), (1, 2, 3, 4))
    assert (turn.first_s, turn.last_s, turn.updates) == (1.0, 5.0, 6)


def test_words_that_were_replaced_arrived_when_they_stood() -> None:
    _, turn = told(f"{NONCE} one two ", f"{NONCE} on", "", WHOLE)
    assert (turn.arrival_s, turn.arrival_tokens) == ((1.0, 4.0), (2, 4))
    _, cut = told(WHOLE, f"{NONCE} one ")
    assert (cut.outcome, cut.error_kind) == ("failed", "truncated")


def test_text_behind_the_end_marker_is_counted_apart() -> None:
    _, turn = told(f"{NONCE} one ", f"{WHOLE}\n", f"{WHOLE}\n\nSources: é", f"{WHOLE}\n\nSources: é, b")
    assert (turn.outcome, turn.error) == ("ok", None)
    assert (turn.arrival_s, turn.arrival_tokens, turn.last_s) == ((1.0, 2.0), (2, 4), 2.0)
    assert (turn.text_bytes, turn.after_bytes) == (len(WHOLE), len("Sources: é, b".encode()))


PIECES = [(f"{NONCE} ", "one ", "two ", "[end]"), tuple(WHOLE), (f"{NONCE} one two", " [end]")]


@pytest.mark.parametrize("pieces", PIECES)
def test_pieces_in_place_of_the_whole_answer_are_told_in_these_words(pieces: tuple[str, ...]) -> None:
    _, turn = told(*pieces)
    assert (turn.outcome, turn.error_kind) == ("failed", "application")
    assert "reading.saw takes the whole answer so far, not the new piece" in (turn.error or "")


def test_another_answer_and_a_wrong_beginning_are_not_taken_for_pieces() -> None:
    assert told("fedcba987654 word [end]")[1].error_kind == "foreign_nonce"
    assert told(f"fedcba987654 word [end] {'more ' * 9} {WHOLE}")[1].error_kind == "foreign_nonce"
    stamped = told(f"202611291849 {WHOLE}")[1]
    assert (stamped.error_kind, stamped.error) == (
        "application",
        f"the answer starts with '202611291849 {NONCE[:11]}', expected {NONCE}",
    )
    assert "expected" in (told("Sorry, something broke")[1].error or "")
