"""What the generator costs: CPU per chunk, per message and per recorded turn, memory per user, streams per core; 110 s.

Everything is a ratio or a rate taken in this run: both generators meet the same model in turns, and the median of the
rounds counts. CPU is user + system time of the generator's process over its measured window.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from harness.host.cgroups import Budget
from harness.records import AnswerPlan, Distribution, GeneratorSummary, LoadPlan, Turn, from_json, to_json
from harness.runtimes.local import LocalRuntime
from tests import ROOT
from tests.perf import generator_ttft, sampler_cost

COUNTING = "tests/perf/generator_counting_locustfile.py"
GOAL_CHUNK, GOAL_MESSAGE, GOAL_MEMORY_KB, GOAL_STREAMS, GOAL_RECORDER = 0.4, 2.0, 150.0, 1500.0, 0.03
ROUNDS = 2
STREAMLIT_USERS, STREAMLIT_THINK_S = 12, 0.5
TOKENS, ITL_S = 10, 0.1
SESSIONS = (10, 70)  # between which memory is compared
STREAMLIT_APP = "tests/golden/users/streamlit_app/app.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One trial of our generator with its own costs counted from inside (the counting file's last line)."""

    cpu_s: float
    recorder_s: float  # of it, in the recorder while users are live
    messages: int  # WebSocket messages
    window_s: float
    chunks: int
    live_streams: float
    schedule_delay_p95_s: float


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note."""
    ours, plain, fast = [], [], []
    for _ in range(ROUNDS):
        ours.append(_rest(generator_ttft.LIVE))
        plain.append(generator_ttft.run_plain())
        fast.append(generator_ttft.run_plain("fast"))
    chunk_us = statistics.median(one.cpu_s / one.chunks * 1e6 for one in ours)
    plain_us, fast_us = statistics.median(plain), statistics.median(fast)
    ratio = statistics.median(o.cpu_s / o.chunks * 1e6 / p for o, p in zip(ours, plain, strict=True))
    message_us, messages, kb = _streamlit()
    with tempfile.TemporaryDirectory() as name:
        sampler_cores, _, _ = sampler_cost.cost(LocalRuntime(Budget()), Path(name))
    shares = [(o.recorder_s + sampler_cores * o.window_s) / o.cpu_s for o in ours]
    waiting = generator_ttft.TTFT_S / (generator_ttft.ITL_S * (generator_ttft.TOKENS - 1))
    many = _rest(round(GOAL_STREAMS * (1 + waiting)))
    cores = many.cpu_s / many.window_s
    load = f"{generator_ttft.LIVE} streams × 20 tokens/s, median of {ROUNDS}, load {os.getloadavg()[0]:.1f}"
    late = f"{many.schedule_delay_p95_s * 1000:.1f} ms late (p95)"
    valid = cores <= 0.8 and many.schedule_delay_p95_s <= 0.010 and many.live_streams >= 0.9 * GOAL_STREAMS
    return [
        _figure("generator CPU per chunk / plain HttpUser's", GOAL_CHUNK, ratio, "ratio", load),
        _figure("generator CPU per chunk", None, chunk_us, "µs", f"plain HttpUser {plain_us:.1f} µs"),
        _figure("generator CPU per chunk / FastHttpUser's", None, chunk_us / fast_us, "ratio", f"{fast_us:.1f} µs"),
        {
            "name": "GuideLLM's and AIPerf's CPU per chunk",
            "goal": None,
            "value": None,
            "unit": "µs",
            "met": None,
            "note": "they count tokens with a model's tokenizer, which a machine without a model hub has not",
        },
        _figure(
            "Streamlit user's CPU per message / chunk",
            GOAL_MESSAGE,
            message_us / chunk_us,
            "ratio",
            f"{message_us:.0f} µs, {messages} messages, {STREAMLIT_USERS} users",
        ),
        _figure("Streamlit user's memory", GOAL_MEMORY_KB, kb, "kB", f"generators with {SESSIONS} sessions"),
        _figure(
            "recorder + sampler / generator CPU",
            GOAL_RECORDER,
            statistics.median(shares),
            "ratio",
            f"sampler {sampler_cores:.4f} cores",
        ),
        {
            "name": "live streams in one generator, valid",
            "goal": f"≥ {GOAL_STREAMS:.0f} streams",
            "value": round(many.live_streams),
            "unit": "streams",
            "met": valid,
            "note": f"{GOAL_STREAMS:.0f} tried: {cores:.2f} core, {late}; plain HttpUser's CPU allows "
            f"{0.8e6 / plain_us / 20:.0f}",
        },
    ]


def _figure(name: str, goal: float | None, value: float, unit: str, note: str) -> dict[str, object]:
    met = None if goal is None else value <= goal
    return {"name": name, "goal": goal, "value": round(value, 4), "unit": unit, "met": met, "note": note}


def _rest(live: int) -> Counted:
    """Read so many streams of the model at once; the OpenAI user reads as the REST user does, by the same code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with generator_ttft.model(folder) as (url, _):
            plan = generator_ttft.plan_of(folder, url)
            users = round(generator_ttft.USERS * live / generator_ttft.LIVE)
            return _counted(replace(plan, users=users, ramp_up_s=max(plan.ramp_up_s, users / 250)))


def _counted(plan: LoadPlan) -> Counted:
    """Run a plan by the counting locustfile."""
    output = Path(plan.output)
    _start(plan).communicate(timeout=80)
    counted = json.loads((output / "counted.json").read_text())
    summary = from_json(GeneratorSummary, json.loads((output / "generator.json").read_text()))
    turns = [from_json(Turn, json.loads(line)) for line in (output / "turns.jsonl").read_text().splitlines()]
    window = summary.phases["measure"]
    delays = [turn.sent_s - turn.intended_s for turn in turns if turn.phase == "measure"]
    window_s = window.end_s - window.start_s
    streaming = sum(
        max(0.0, min(turn.last_s, window.end_s) - max(turn.first_s, window.start_s))
        for turn in turns
        if turn.first_s is not None and turn.last_s is not None
    )
    return Counted(
        cpu_s=summary.cpu_s,
        recorder_s=counted["recorder_s"],
        messages=counted["messages"],
        window_s=window_s,
        chunks=generator_ttft.events_in(turns, window.start_s, window.end_s),
        live_streams=streaming / window_s,
        schedule_delay_p95_s=statistics.quantiles(delays, n=20)[-1] if len(delays) > 1 else max(delays, default=0.0),
    )


def _start(plan: LoadPlan) -> "subprocess.Popen[bytes]":
    path = Path(plan.output) / "plan.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(plan)))
    command = [sys.executable, "-m", "locust", "-f", COUNTING, "--headless", "--loglevel", "ERROR", "--only-summary"]
    env = {**os.environ, "CHATBENCH_PLAN": str(path)}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _streamlit() -> tuple[float, int, float]:
    """Return CPU in µs per message, how many there were, and kB per open session.

    Against a small Streamlit app that writes ten tokens a second: few messages, so that what the generator takes with
    one quiet user (Locust's own greenlets, the trial's clock) is subtracted.
    """
    with tempfile.TemporaryDirectory() as name, _app() as url:
        chat = LoadPlan(
            scenario="chat",
            protocol="streamlit",
            instances=(url,),
            users=STREAMLIT_USERS,
            seed=generator_ttft.SEED,
            turns_per_conversation=4,
            message_chars=70,
            think_s=Distribution(median=STREAMLIT_THINK_S),
            answer=AnswerPlan(ttft_s=Distribution(median=ITL_S), itl_s=ITL_S, tokens=Distribution(median=TOKENS)),
            ramp_up_s=2.0,
            warm_up_s=2.0,
            measure_min_s=6.0,
            measure_max_s=6.0,
            measure_turns=1,
            drain_s=3.0,
            output=f"{name}/chat",
            stop_file=f"{name}/stop",
        )
        # first: they also make Streamlit import what it imports late
        few, many = (
            _memory_kb(replace(chat, scenario="idle", users=0, steps=(n,), hold_s=2.0, output=f"{name}/idle-{n}"))
            for n in SESSIONS
        )
        counted = _counted(chat)
        quiet = _counted(replace(chat, users=1, think_s=Distribution(median=3.0), output=f"{name}/quiet"))
        spent_s = counted.cpu_s - quiet.cpu_s * counted.window_s / quiet.window_s
        messages = counted.messages - quiet.messages
        return spent_s / messages * 1e6, messages, (many - few) / (SESSIONS[1] - SESSIONS[0])


def _memory_kb(plan: LoadPlan) -> float:
    """Return the generator's resident memory with all sessions open: the median over its quiet window."""
    process = _start(plan)
    seen: list[tuple[float, float]] = []
    try:
        memory = psutil.Process(process.pid)
        while process.poll() is None:
            seen.append((time.monotonic(), memory.memory_info().rss / 1000))
            time.sleep(0.1)
    except psutil.NoSuchProcess:
        pass
    finally:
        process.wait(10)
    step = json.loads((Path(plan.output) / "generator.json").read_text())["steps"][0]
    return statistics.median(kb for at_s, kb in seen if step["start_s"] <= at_s <= step["end_s"])


@contextmanager
def _app() -> Iterator[str]:
    """Serve the small Streamlit app; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", STREAMLIT_APP, "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port), "--browser.gatherUsageStats", "false"]
    command += ["--", str(generator_ttft.SEED), str(TOKENS), str(ITL_S), str(ITL_S)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    for figure in measure():
        print(figure)
