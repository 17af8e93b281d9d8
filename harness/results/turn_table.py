"""Raw samples as data frames: turns joined with the model's log, and the figures of each turn alone."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from harness.records import Emission, ResourceSample, Turn, to_json
from harness.results.model_calls import answering, by_tag, wait_s


def longest_gap(times: Iterable[float]) -> float | None:
    """Return the longest gap between successive times; None for fewer than two."""
    return max((b - a for a, b in pairwise(times)), default=None)


def lateness(turn: Turn, emission: Emission) -> float | None:
    """Return the largest (arrival − emission) over the tokens of an answer, in seconds.

    A token arrives with the first read whose cumulative count includes it.
    """
    worst, token = None, 0
    for offset_s, tokens in zip(turn.arrival_s, turn.arrival_tokens, strict=True):
        arrived_s = turn.sent_s + offset_s
        for emit_s in emission.emit_s[token:tokens]:
            late_s = arrived_s - (emission.request_s + emit_s)
            worst = late_s if worst is None else max(worst, late_s)
        token = max(token, tokens)
    return worst


def _model(emission: Emission | None) -> dict[str, Any]:
    if emission is None or not emission.emit_s:
        names = ("request_s", "ttft_s", "last_s", "stall_s", "lag_s")
        return {f"model_{name}": None for name in names} | {"model_tokens": 0 if emission else None}
    intended = [emission.ttft_s + i * emission.itl_s for i in range(len(emission.emit_s))]
    if emission.in_one_piece:  # the model holds it back until its last token is due
        intended = intended[-1:] * len(intended)
    return {
        "model_request_s": emission.request_s,
        "model_ttft_s": emission.emit_s[0],
        "model_last_s": emission.request_s + emission.emit_s[-1],
        "model_stall_s": longest_gap(emission.emit_s),
        "model_lag_s": max(a - b for a, b in zip(emission.emit_s, intended, strict=True)),
        "model_tokens": len(emission.emit_s),
    }


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _row(turn: Turn, calls: Sequence[Emission], *, from_intended: bool) -> dict[str, Any]:
    emission = answering(turn, calls)
    waited_s = wait_s(turn, calls, emission)
    start_s = turn.intended_s if from_intended else turn.sent_s
    row = to_json(turn)
    del row["arrival_s"], row["arrival_tokens"]
    model = _model(emission)
    ttft_s = _difference(turn.first_s, start_s)
    stall_s = longest_gap(turn.arrival_s)
    derived = {
        "model_calls": len(calls),
        "model_wait_s": waited_s,
        "ttft_s": ttft_s,
        "added_ttft_s": _difference(ttft_s, waited_s),
        "lateness_s": lateness(turn, emission) if emission else None,
        "stall_s": stall_s,
        "added_stall_s": _difference(stall_s, model["model_stall_s"]),
        "turn_s": _difference(turn.done_s, start_s),
        "ready_delay_s": _difference(turn.ready_s, turn.done_s),
        "schedule_delay_s": turn.sent_s - turn.intended_s,
    }
    return row | model | derived


def turns_frame(turns: Iterable[Turn], emissions: Iterable[Emission], *, from_intended: bool = False) -> pd.DataFrame:
    """Return a row per turn: the client's times, the model's, and their differences (seconds).

    Of several calls of a turn, the model's times are those of the one that brought the answer.

    ``from_intended``: an open workload's latencies run from the arrival, however late its message was sent.
    """
    calls = by_tag(emissions)
    frame = pd.DataFrame([_row(turn, calls.get(turn.tag, ()), from_intended=from_intended) for turn in turns])
    if frame.empty:
        probe = Turn(user=0, conversation=0, turn=0, tag="", phase="measure", intended_s=0, sent_s=0, outcome="ok")
        return pd.DataFrame([_row(probe, (), from_intended=False)]).iloc[:0]
    return frame.astype({name: "float64" for name in map(str, frame.columns) if name.endswith("_s")})


def tokens_frame(turns: Iterable[Turn], emissions: Iterable[Emission]) -> pd.DataFrame:
    """Return per turn its arrival offsets after send, cumulative tokens, and emission offsets after request."""
    calls = by_tag(emissions)
    answers = ((turn, answering(turn, calls.get(turn.tag, ()))) for turn in turns)
    rows = [
        {
            "tag": turn.tag,
            "arrival_s": list(turn.arrival_s),
            "arrival_tokens": list(turn.arrival_tokens),
            "emit_s": list(answer.emit_s) if answer else [],
        }
        for turn, answer in answers
    ]
    return pd.DataFrame(rows, columns=["tag", "arrival_s", "arrival_tokens", "emit_s"])


def calls_frame(emissions: Iterable[Emission]) -> pd.DataFrame:
    """Return a row per call of the model: its message's tag, its request, and its first token and end after that."""
    rows = [
        {
            "tag": one.tag,
            "request_s": one.request_s,
            "first_s": one.emit_s[0] if one.emit_s else None,
            "end_s": one.over_s,
            "tokens": len(one.emit_s),
            "word": one.word,
            "finished": one.finished,
            "fault": one.fault,
        }
        for one in emissions
    ]
    columns = ["tag", "request_s", "first_s", "end_s", "tokens", "word", "finished", "fault"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({name: "float64" for name in columns if name.endswith("_s")})


def resources_frame(samples: Iterable[ResourceSample]) -> pd.DataFrame:
    """Return a row per sample and component; CPU by process is kept as JSON text."""
    columns = list(ResourceSample.__dataclass_fields__)
    rows = [to_json(s) | {"process_cpu_s": json.dumps(s.process_cpu_s)} for s in samples]
    return pd.DataFrame(rows, columns=columns)
