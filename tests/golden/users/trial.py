"""Runs the load generator as the harness does: a plan in, files out."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.records import AnswerPlan, Distribution, GeneratorSummary, LoadPlan, PhaseTimes, Turn, from_json, to_json
from tests import ROOT
from tests.golden.users.twin import SEED, Twin


def plan(output: Path, url: str, **changes: Any) -> LoadPlan:
    """A trial of about two seconds with four users."""
    fields: dict[str, Any] = {
        "scenario": "chat",
        "protocol": "rest",
        "instances": (url,),
        "users": 4,
        "seed": SEED,
        "turns_per_conversation": 3,
        "message_chars": 70,
        "think_s": Distribution(median=0.2, sigma=0.3),
        "answer": AnswerPlan(ttft_s=Distribution(median=0.05), itl_s=0.02, tokens=Distribution(median=10)),
        "ramp_up_s": 0.4,
        "warm_up_s": 0.2,
        "measure_min_s": 1.0,
        "measure_max_s": 3.0,
        "measure_turns": 4,
        "drain_s": 3.0,
        "output": str(output),
        "stop_file": str(output / "stop"),
    }
    return LoadPlan(**(fields | changes))


@dataclass
class Files:
    """What the generator left behind."""

    summary: GeneratorSummary
    turns: list[Turn]
    live: list[dict[str, Any]]


def start(load: LoadPlan, *before: str) -> subprocess.Popen[str]:
    """Start the generator; ``before`` is a command that becomes it."""
    output = Path(load.output)
    output.mkdir(parents=True, exist_ok=True)
    path = output / "plan.json"
    path.write_text(json.dumps(to_json(load)))
    command = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--headless", "--loglevel", "WARNING"]
    env = {**os.environ, "CHATBENCH_PLAN": str(path)}
    return subprocess.Popen(
        [*before, *command],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def read(load: LoadPlan) -> Files:
    return read_one(load, "")


def read_one(load: LoadPlan, suffix: str) -> Files:
    """What one of several processes left behind."""
    output = Path(load.output)
    lines = (output / f"turns{suffix}.jsonl").read_text().splitlines()
    return Files(
        summary=from_json(GeneratorSummary, json.loads((output / f"generator{suffix}.json").read_text())),
        turns=[from_json(Turn, json.loads(line)) for line in lines],
        live=[json.loads(line) for line in (output / f"live{suffix}.jsonl").read_text().splitlines()],
    )


def run(load: LoadPlan) -> Files:
    """Run a plan to its end; what the generator prints must be nothing."""
    finish(load)
    return read(load)


def finish(load: LoadPlan) -> None:
    process = start(load)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    assert printed == ""


def assert_what_was_sent_is_recorded(twin: Twin, turns: list[Turn]) -> None:
    """No message that the twin had is missing, none was made up; one cut by the trial's end may not have reached it."""
    assert set(twin.sent) <= {turn.tag for turn in turns}
    assert {turn.tag for turn in turns if turn.outcome != "incomplete"} <= set(twin.sent)


def live_turn_seconds(turns: list[Turn], window: PhaseTimes) -> float:
    """The turns' share of a window, from when their users wanted to send: how late a busy machine sends is no part."""
    ends = [(turn.intended_s, turn.done_s or window.end_s) for turn in turns]
    return sum(max(0.0, min(window.end_s, end_s) - max(window.start_s, from_s)) for from_s, end_s in ends)
