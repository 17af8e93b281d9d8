"""TTFT as the generator records it against the model's own log, beside a plain Locust ``HttpUser``; about 50 s.

200 live streams × 20 tokens/s, both generators in turns. The error of a turn is the difference of
first content − send, as recorded, and first token's emission − request read completely, as the model logged it: what
connection, event loop and the generator itself add. CPU is user + system time of the generator's process over its
measured window, divided by the chunks of content that arrived in it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.records import AnswerPlan, Distribution, LoadPlan, Turn, from_json, to_json
from tests import ROOT

SEED = 7
TTFT_S, ITL_S, TOKENS = 0.3, 0.05, 40
THINK_S = 0.25
LIVE = 200
USERS = round(LIVE * (1 + THINK_S / (TTFT_S + ITL_S * (TOKENS - 1))))
RAMP_UP_S, WARM_UP_S, WINDOW_S = 2.3, 0.5, 4.0
ROUNDS = 2
GOAL_ERROR_MS = 2.0
_QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass
class Window:
    """What one generator did in its measured window."""

    turns: list[dict[str, Any]]
    chunks: int
    cpu_s: float


@dataclass
class Measured:
    """How far its turns were off, and what a chunk cost."""

    errors_ms: list[float]
    us_per_chunk: float


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note."""
    ours: list[Measured] = []
    plain: list[Measured] = []
    for _ in range(ROUNDS):
        ours.append(_run(_ours))
        plain.append(_run(_plain))
    our_errors_ms, plain_errors_ms = ([error for one in some for error in one.errors_ms] for some in (ours, plain))
    our_p99, plain_p99 = _p99(our_errors_ms), _p99(plain_errors_ms)
    our_us, plain_us = (statistics.median(one.us_per_chunk for one in some) for some in (ours, plain))
    load = f"{LIVE} streams × {1 / ITL_S:g} tokens/s, {len(our_errors_ms)} turns, load {os.getloadavg()[0]:.1f}"
    both = f"ours p50 {statistics.median(our_errors_ms):.2f} ms, plain p50 {statistics.median(plain_errors_ms):.2f} ms"
    return [
        _figure("TTFT error p99", GOAL_ERROR_MS, our_p99, "ms", load),
        _figure("plain HttpUser's TTFT error p99", None, plain_p99, "ms", both),
        _figure("TTFT error p99 / plain HttpUser's", None, our_p99 / plain_p99, "ratio", load),
        _figure("generator CPU per chunk", None, our_us, "µs", load),
        _figure("plain HttpUser's CPU per chunk", None, plain_us, "µs", load),
        _figure("generator CPU per chunk / plain HttpUser's", None, our_us / plain_us, "ratio", load),
    ]


def _figure(name: str, goal: float | None, value: float, unit: str, note: str) -> dict[str, object]:
    met = None if goal is None else value <= goal
    return {"name": name, "goal": goal, "value": round(value, 4), "unit": unit, "met": met, "note": note}


def _run(load: Callable[[Path, str], Window]) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with model(folder) as (url, log):
            window = load(folder, url)
        emissions = {line["tag"]: line["emit_s"] for line in map(json.loads, log.read_text().splitlines())}
    errors_ms = []
    for turn in window.turns:
        emitted_s = emissions.get(turn["tag"])
        if emitted_s and turn["first_s"] is not None:
            errors_ms.append(abs(turn["first_s"] - turn["sent_s"] - emitted_s[0]) * 1000)
    return Measured(errors_ms, window.cpu_s / window.chunks * 1e6)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


@contextmanager
def model(folder: Path) -> Iterator[tuple[str, Path]]:
    """Start the model; yield its URL and its log, complete once the last stream has ended."""
    log = folder / "emissions.jsonl"
    command = [sys.executable, "-m", "llm", "--port", "0", "--seed", str(SEED), "--log", str(log)]
    command += ["--ttft-s", str(TTFT_S), "--itl-s", str(ITL_S), "--tokens", str(TOKENS)]
    process = subprocess.Popen(command, cwd=ROOT / "targets" / "llm", stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1], log
    finally:
        process.terminate()
        process.communicate()


def _locust(arguments: list[str], variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "locust", "--headless", "--loglevel", "ERROR", *arguments]
    env = {**os.environ, **variables}
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=40, **_QUIET)


def plan_of(output: Path, url: str) -> LoadPlan:
    """Return the plan of the measured load."""
    return LoadPlan(
        scenario="chat",
        protocol="openai",
        instances=(url,),
        users=USERS,
        seed=SEED,
        turns_per_conversation=4,
        message_chars=70,
        think_s=Distribution(median=THINK_S),
        answer=AnswerPlan(ttft_s=Distribution(median=TTFT_S), itl_s=ITL_S, tokens=Distribution(median=TOKENS)),
        ramp_up_s=RAMP_UP_S,
        warm_up_s=WARM_UP_S,
        measure_min_s=WINDOW_S,
        measure_max_s=WINDOW_S,
        measure_turns=1,
        drain_s=5.0,
        output=str(output),
        stop_file=str(output / "stop"),
    )


def run_plain(client: str = "http") -> float:
    """Return the CPU time per chunk of the plain ``HttpUser``, or of a ``FastHttpUser`` ("fast"), in µs."""
    return _run(partial(_plain, client=client)).us_per_chunk


def _ours(output: Path, url: str) -> Window:
    plan = plan_of(output, url)
    (output / "plan.json").write_text(json.dumps(to_json(plan)))
    _locust(["-f", "loadtests/locustfile.py"], {"CHATBENCH_PLAN": str(output / "plan.json")})
    turns = [from_json(Turn, json.loads(line)) for line in (output / "turns.jsonl").read_text().splitlines()]
    summary = json.loads((output / "generator.json").read_text())
    window = summary["phases"]["measure"]
    chunks = events_in(turns, window["start_s"], window["end_s"])
    measured = [to_json(turn) for turn in turns if turn.phase == "measure"]
    return Window(measured, chunks, summary["cpu_s"])


def events_in(turns: list[Turn], start_s: float, end_s: float) -> int:
    """Return how many tokens, each an event of its own, came in a window: one read may bring several."""
    found = 0
    for turn in turns:
        before = 0
        for at_s, tokens in zip(turn.arrival_s, turn.arrival_tokens, strict=True):
            found += (tokens - before) * (start_s <= turn.sent_s + at_s < end_s)
            before = tokens
    return found


def _plain(folder: Path, url: str, client: str = "http") -> Window:
    output = folder / "plain.json"
    variables = {
        "PLAIN_CLIENT": client,
        "PLAIN_SEED": str(SEED),
        "PLAIN_THINK_S": str(THINK_S),
        "PLAIN_FROM_S": str(RAMP_UP_S + WARM_UP_S),
        "PLAIN_TO_S": str(RAMP_UP_S + WARM_UP_S + WINDOW_S),
        "PLAIN_OUTPUT": str(output),
    }
    run_time = f"{RAMP_UP_S + WARM_UP_S + WINDOW_S + 15:.0f}"  # at the latest: it ends by itself after its window
    arguments = ["-f", "tests/perf/generator_plain_locustfile.py", "--host", url, "--only-summary"]
    arguments += ["-u", str(USERS), "-r", str(round(USERS / RAMP_UP_S)), "--run-time", run_time]
    _locust(arguments, variables)
    figures = json.loads(output.read_text())
    return Window(figures["turns"], figures["chunks"], figures["cpu_s"])


if __name__ == "__main__":
    for figure in measure():
        print(figure)
