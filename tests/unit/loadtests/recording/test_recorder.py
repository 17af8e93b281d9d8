"""What is told of a turn while its trial runs."""

from typing import Any

import orjson
import pytest

from loadtests.reading import GrowingText, TurnError
from loadtests.recording.recorder import live_line, note_of
from loadtests.wire.raw_reads import RawReads
from tests.unit.loadtests.recording.test_pending_turn import PENDING


def line(times: list[float], first_s: float | None) -> dict[str, float | None]:
    trace = RawReads(9.0, times, parts=[b""] * len(times), first_s=first_s, done_s=11.9, stream_format="rest")
    read: dict[str, float | None] = orjson.loads(orjson.dumps(live_line(PENDING, trace, "ok")))
    return read


def test_the_longest_gap_counts_from_the_first_token_to_the_last() -> None:
    assert line([9.1, 9.8, 9.85, 10.25, 10.3, 11.9, 12.8], first_s=9.8)["stall_s"] == pytest.approx(
        0.4
    )  # not 0.7, 1.6, 0.9


@pytest.mark.parametrize("first_s", [None, 9.8])
def test_an_answer_without_two_reads_has_no_gap(first_s: float | None) -> None:
    assert line([9.1, 9.8, 11.9], first_s)["stall_s"] is None


def test_half_of_a_sign_in_an_answer_or_an_error_is_written_as_a_question_mark() -> None:
    trace = GrowingText(9.0)
    trace.saw("\ud83d hi \ude00", 9.5)
    error = TurnError("application", "the page says \ud83d").message
    note = orjson.loads(orjson.dumps(note_of(PENDING, trace, "failed", "application", error)))
    assert (note["error"], note["begun"]) == ("the page says ?", "? hi ?")
    assert GrowingText.noted(note, trace.raw()).text == "? hi ?"


def test_bytes_are_no_answer_and_leave_the_turn_to_be_written() -> None:
    trace = GrowingText(9.0)
    piece: Any = b"piece"  # as a connection gives it
    with pytest.raises(TypeError, match="takes the answer as text, not as bytes"):
        trace.saw(piece)
    assert orjson.loads(orjson.dumps(note_of(PENDING, trace, "failed", "application", "")))["begun"] == ""
