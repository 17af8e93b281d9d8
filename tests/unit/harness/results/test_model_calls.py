"""Several calls of the model for one turn: which one is the answer, and what the turn waited for."""

from dataclasses import replace

import pytest

from harness.records import Emission, Turn
from harness.results import turn_table
from harness.results.model_calls import answering, by_tag, wait_s

TAG = "ab" * 8
TURN = Turn(
    user=0,
    conversation=0,
    turn=0,
    tag=TAG,
    phase="measure",
    intended_s=9.9,
    sent_s=10.0,
    first_s=10.81,
    done_s=10.86,
    outcome="ok",
    arrival_s=(0.81, 0.83, 0.85),
    arrival_tokens=(1, 2, 3),
    word="blue",
)


def whole(request_s: float, end_s: float, word: str) -> Emission:
    """A call answered in one piece."""
    return Emission(
        tag=TAG,
        request_s=request_s,
        ttft_s=0.3,
        itl_s=0.02,
        tokens=3,
        emit_s=(end_s,) * 3,
        finished=True,
        word=word,
        end_s=end_s,
    )


def streamed(request_s: float, word: str, ttft_s: float = 0.3) -> Emission:
    emit_s = (ttft_s, ttft_s + 0.02, ttft_s + 0.04)
    return Emission(
        tag=TAG,
        request_s=request_s,
        ttft_s=ttft_s,
        itl_s=0.02,
        tokens=3,
        emit_s=emit_s,
        finished=True,
        word=word,
        end_s=emit_s[-1],
    )


REPHRASED, ANSWER = whole(10.002, 0.4, "bird"), streamed(10.45, "blue", 0.35)


def test_the_answer_is_the_call_whose_word_arrived() -> None:
    assert answering(TURN, [REPHRASED, ANSWER]) is ANSWER
    assert answering(replace(TURN, word="bird"), [REPHRASED, ANSWER]) is REPHRASED
    assert answering(TURN, []) is None


@pytest.mark.parametrize("word", [None, "boat"])
def test_without_a_word_it_is_the_last_call_that_had_begun_to_answer(word: str | None) -> None:
    title = whole(10.9, 0.4, "boat")
    assert answering(replace(TURN, word=None), [REPHRASED, ANSWER, title]) is ANSWER
    nameless = [replace(one, word="") for one in (REPHRASED, ANSWER, title)]
    assert answering(replace(TURN, word=word), nameless) is nameless[1]


def test_a_turn_without_content_has_its_last_call_and_no_wait() -> None:
    silent = replace(TURN, first_s=None, word=None, outcome="failed")
    assert answering(silent, [REPHRASED, ANSWER]) is ANSWER
    assert wait_s(silent, [REPHRASED, ANSWER], ANSWER) is None


def test_a_turn_waits_for_the_earlier_call_in_whole_and_the_answer_until_its_first_token() -> None:
    assert wait_s(TURN, [REPHRASED, ANSWER], ANSWER) == pytest.approx(0.4 + 0.35)


def test_calls_that_overlap_count_once() -> None:
    beside = whole(10.5, 0.25, "boat")  # within the answer's wait
    longer = whole(10.5, 0.305, "door")  # 5 ms beyond it
    assert wait_s(TURN, [REPHRASED, ANSWER, beside], ANSWER) == pytest.approx(0.75)
    assert wait_s(TURN, [REPHRASED, ANSWER, beside, longer], ANSWER) == pytest.approx(0.755)


def test_a_call_after_the_first_content_is_waited_for_by_nobody() -> None:
    title = whole(10.9, 0.4, "boat")
    under_way = whole(10.807, 0.4, "boat")  # 3 ms of it before the first content
    assert wait_s(TURN, [REPHRASED, ANSWER, title], ANSWER) == pytest.approx(0.75)
    assert wait_s(TURN, [REPHRASED, ANSWER, under_way], ANSWER) == pytest.approx(0.753)


def test_a_rephrasing_target_adds_what_is_left_beyond_its_calls() -> None:
    row = turn_table.turns_frame([TURN], [ANSWER, REPHRASED]).iloc[0]
    assert row["model_calls"] == 2
    assert row["model_wait_s"] == pytest.approx(0.75)
    assert row["added_ttft_s"] == pytest.approx(0.06)
    assert row["lateness_s"] == pytest.approx(0.01)  # by the answer's own tokens
    assert row["model_request_s"] == ANSWER.request_s


def test_an_answer_that_is_withheld_is_late_whatever_is_asked_afterwards() -> None:
    """The answer was there; a title of the same message was asked for before any of it was shown."""
    title = whole(10.35, 0.4, "boat")
    answer = streamed(10.01, "blue")
    row = turn_table.turns_frame([TURN], [answer, title]).iloc[0]
    assert row["added_ttft_s"] == pytest.approx(0.81 - 0.3 - 0.4)
    assert row["lateness_s"] == pytest.approx(0.5)


def test_a_refused_call_takes_no_time_and_the_next_one_answers() -> None:
    refused = replace(ANSWER, request_s=10.1, emit_s=(), finished=False, fault="429", word="bird", end_s=0.0)
    assert answering(TURN, [refused, ANSWER]) is ANSWER
    assert wait_s(TURN, [refused, ANSWER], ANSWER) == pytest.approx(0.35)


def test_calls_are_kept_by_tag_in_the_order_of_their_requests() -> None:
    other = replace(ANSWER, tag="cd" * 8)
    assert by_tag([ANSWER, other, REPHRASED]) == {TAG: [REPHRASED, ANSWER], "cd" * 8: [other]}


def test_every_call_is_listed() -> None:
    frame = turn_table.calls_frame([REPHRASED, replace(ANSWER, tag="cd" * 8)])
    assert list(frame["tag"]) == [TAG, "cd" * 8]
    assert list(frame["first_s"]) == [0.4, 0.35]
    assert list(frame["end_s"]) == [pytest.approx(0.4), pytest.approx(0.39)]
    assert len(turn_table.calls_frame([])) == 0
