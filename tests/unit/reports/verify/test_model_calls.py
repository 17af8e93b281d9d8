"""The second way to a turn's calls agrees with the first on every order of calls, drawn at random."""

import random
from pathlib import Path

import numpy as np
import pytest

from harness.records import Emission, Turn
from harness.results import turn_table
from reports.verify.model_calls import Calls

WORDS = ("bird", "blue", "boat", "")


def drawn(rng: random.Random, tag: str) -> tuple[Turn, list[Emission]]:
    calls = []
    for _ in range(rng.randrange(5)):
        first_s, tokens = rng.uniform(0, 0.5), rng.randrange(4)
        emit_s = tuple(first_s + 0.02 * n for n in range(tokens))
        calls.append(
            Emission(
                tag=tag if rng.random() < 0.9 else "f" * 16,
                request_s=10 + rng.uniform(0, 1),
                ttft_s=first_s,
                itl_s=0.02,
                tokens=3,
                emit_s=emit_s,
                finished=tokens == 3,
                word=rng.choice(WORDS),
                end_s=first_s + 0.1,
            )
        )
    first_s = rng.choice((None, 10 + rng.uniform(0, 2)))
    turn = Turn(
        user=0,
        conversation=0,
        turn=0,
        tag=tag,
        phase="measure",
        intended_s=10.0,
        sent_s=10.0,
        first_s=first_s,
        outcome="ok" if first_s else "failed",
        word=rng.choice((*WORDS[:3], None)),
    )
    return turn, calls


def test_both_ways_lead_to_the_same(tmp_path: Path) -> None:
    rng = random.Random(7)
    turns, log = [], []
    for number in range(500):
        turn, calls = drawn(rng, f"{number:016x}")
        turns.append(turn)
        log += calls
    turn_table.calls_frame(log).to_parquet(tmp_path / "calls.parquet", index=False)
    frame = turn_table.turns_frame(turns, log)
    calls_again = Calls.read(tmp_path / "calls.parquet")
    assert calls_again is not None
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    again = calls_again.of_turns(columns)
    for name, values in again.items():
        np.testing.assert_allclose(values, columns[name].astype(float), atol=1e-9, err_msg=name)
    foreign = sum(one.tag == "f" * 16 for one in log)
    assert foreign
    assert calls_again.unmatched(list(columns["tag"]), 0.0, 100.0) == foreign
    assert calls_again.unmatched(list(columns["tag"]), 0.0, 5.0) == 0


def test_an_older_trial_has_no_list_of_calls(tmp_path: Path) -> None:
    assert Calls.read(tmp_path / "calls.parquet") is None


@pytest.mark.parametrize("name", ["model_calls", "model_request_s", "model_wait_s"])
def test_no_turns_have_no_calls(name: str) -> None:
    nothing = {"tag": np.array([], object), "word": np.array([], object), "first_s": np.array([], float)}
    assert len(Calls(()).of_turns(nothing)[name]) == 0
