"""What the stand-in model refused is told once per kind of call."""

import json
from pathlib import Path

from harness.records import Outcome, Turn
from harness.trials.refusals import refused_calls, unasked

UNKNOWN = "404: Unknown request URL: POST /v1/audio/speech. Known paths: /v1/chat/completions."


def line(fault: str | None) -> str:
    times = {"request_s": 1.0, "ttft_s": 0.0, "itl_s": 0.0, "tokens": 0, "emit_s": [], "end_s": 0.0}
    return json.dumps({**times, "tag": "", "word": "", "finished": fault is None, "fault": fault})


def test_each_kind_of_refused_call_is_told_once(tmp_path: Path) -> None:
    log = tmp_path / "emissions.jsonl"
    log.write_text("\n".join(line(one) for one in (None, UNKNOWN, "429", "500", "stall", UNKNOWN, "400: n is 0.")))
    first, second = refused_calls(log, answered=False)
    assert (first.operation, first.passed) == ("model", False)
    assert UNKNOWN in first.text
    assert "400: n is 0." in second.text


def test_what_was_refused_but_not_needed_fails_nothing(tmp_path: Path) -> None:
    log = tmp_path / "emissions.jsonl"
    log.write_text(line(UNKNOWN))
    (found,) = refused_calls(log, answered=True)
    assert found.passed
    assert "not needed" in found.text


def turn(outcome: Outcome) -> Turn:
    return Turn(user=0, conversation=0, turn=0, tag="tag", phase="measure", intended_s=1.0, sent_s=1.0, outcome=outcome)


def test_a_model_that_nobody_asked_is_told_where_no_message_was_answered(tmp_path: Path) -> None:
    log = tmp_path / "emissions.jsonl"
    log.touch()
    (found,) = unasked(log, [turn("failed"), turn("incomplete")])
    assert (found.passed, "OPENAI_BASE_URL" in found.text) == (False, True)
    assert unasked(log, []) == unasked(log, [turn("failed"), turn("ok")]) == []
    log.write_text(line(None))
    assert unasked(log, [turn("failed")]) == []
