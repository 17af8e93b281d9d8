"""The generator straight at the model: its records against the model's own log of emissions."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.records import Emission, from_json
from tests.golden.users.trial import ROOT, plan, run
from tests.golden.users.twin import SEED

TTFT_S, ITL_S, TOKENS = 0.1, 0.02, 10
SLACK_S = 0.25
EARLY_S = 0.002


@contextmanager
def model(log: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "llm", "--port", "0", "--seed", str(SEED), "--log", str(log)]
    command += ["--ttft-s", str(TTFT_S), "--itl-s", str(ITL_S), "--tokens", str(TOKENS)]
    with subprocess.Popen(command, cwd=ROOT / "targets" / "llm", stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.mark.alone
def test_what_is_recorded_is_what_the_model_sent(tmp_path: Path) -> None:
    log = tmp_path / "emissions.jsonl"
    with model(log) as url:
        files = run(plan(tmp_path / "out", url, protocol="openai"))
    emissions = {}
    for line in log.read_text().splitlines():
        emission = from_json(Emission, json.loads(line))
        emissions[emission.tag] = emission
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    assert len(measured) >= 4
    for turn in measured:
        emission = emissions[turn.tag]
        assert turn.outcome == "ok", turn.error
        assert turn.arrival_tokens[-1] == emission.tokens == TOKENS
        assert turn.sent_s - EARLY_S <= emission.request_s <= turn.sent_s + SLACK_S
        arrived_s: list[float] = []  # per token: when the read that brought it arrived
        for at_s, cumulative in zip(turn.arrival_s, turn.arrival_tokens, strict=True):
            arrived_s += [turn.sent_s + at_s] * (cumulative - len(arrived_s))
        for emit_s, arrived in zip(emission.emit_s, arrived_s, strict=True):
            emitted = emission.request_s + emit_s
            assert emitted - EARLY_S <= arrived <= emitted + SLACK_S
