"""CPU per relayed token of the Django part against a naive Django + httpx relay, in turns, in one run of about 70 s.

The slope over answers of 10, 100 and 400 tokens is what a token costs; its intercept is what a turn costs besides
(sign-in check, rate limit, database writes in the part; nothing of the kind in the twin).
"""

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import psutil

from harness.environments import Environments
from tests import ROOT
from tests.perf.relaying import LOAD, SEED, STREAMS, Cost, Server, bare, cost, in_conversation

PART = ROOT / "targets" / "api" / "django"
TWIN = ROOT / "tests" / "perf" / "twins" / "django_naive"
ROUNDS = 2
GOAL_RATIO = 1 / 3
# the operational bound of the quick profile: users = (R + Z) / (D / CPUs)
QUICK_TOKENS, QUICK_TTFT_S, QUICK_ITL_S, QUICK_THINK_S, CPUS = 40, 0.3, 0.02, 3.0, 2


def _users(cost: Cost) -> float:
    """Return the upper bound of operational analysis on the users two CPUs carry under the quick profile."""
    response_s = QUICK_TTFT_S + (QUICK_TOKENS - 1) * QUICK_ITL_S
    demand_s = (cost.turn_us + cost.token_us * QUICK_TOKENS) / 1e6
    return (response_s + QUICK_THINK_S) / (demand_s / CPUS)


def measure(python: Path | None = None, twin_python: Path | None = None) -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note.

    ``python`` and ``twin_python`` run the part and the twin; by default environments made from their lock files.
    """
    made = Environments(ROOT, lambda text: print(text, file=sys.stderr))
    python = python or made.ensure_python("django", PART / "requirements.txt")
    twin_python = twin_python or made.ensure_python("django-naive", TWIN / "requirements.txt")
    redis, _ = made.ensure_redis()
    ours: list[Cost] = []
    twins: list[Cost] = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        _model() as url,
        _part(python, redis, Path(scratch), url) as part,
        _twin(twin_python, url) as twin,
    ):
        for _ in range(ROUNDS):
            ours.append(cost(part))
            twins.append(cost(twin))
    return _figures(ours, twins)


def _figures(ours: list[Cost], twins: list[Cost]) -> list[dict[str, object]]:
    load = f"{LOAD}, median of {ROUNDS}"
    bound = f"operational bound at Z = {QUICK_THINK_S:g} s, {QUICK_TOKENS} tokens, {CPUS} CPUs, not a load test"
    ratio = statistics.median(a.token_us / b.token_us for a, b in zip(ours, twins, strict=True))

    def figure(name: str, value: float, unit: str, note: str, goal: float | None = None) -> dict[str, object]:
        met = None if goal is None else value <= goal
        return {"name": name, "goal": goal, "value": round(value, 4), "unit": unit, "met": met, "note": note}

    def middle(costs: list[Cost], of: Callable[[Cost], float]) -> float:
        return statistics.median(map(of, costs))

    return [
        figure("Django's CPU per relayed token / naive relay's", ratio, "ratio", load, GOAL_RATIO),
        figure("Django's CPU per relayed token", middle(ours, lambda c: c.token_us), "µs", load),
        figure("naive relay's CPU per relayed token", middle(twins, lambda c: c.token_us), "µs", load),
        figure("Django's CPU per turn besides tokens", middle(ours, lambda c: c.turn_us), "µs", load),
        figure("naive relay's CPU per turn besides tokens", middle(twins, lambda c: c.turn_us), "µs", load),
        figure("capacity of Django", middle(ours, _users), "users", bound),
        figure("capacity of the naive relay", middle(twins, _users), "users", bound + "; has no database"),
    ]


@contextlib.contextmanager
def _model() -> Iterator[str]:
    port = _free_port()
    folder = ROOT / "targets" / "llm"
    with _process([sys.executable, "-m", "llm", "--port", str(port), "--seed", str(SEED)], folder, {}, port):
        yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def _part(python: Path, redis: Path, scratch: Path, llm: str) -> Iterator[Server]:
    redis_port, port = _free_port(), _free_port()
    settings = {
        "DATA_DIR": str(scratch),
        "SECRET_KEY": "measured-on-loopback-only",
        "LLM_BASE_URL": llm,
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
        "RATE_LIMIT_PER_MINUTE": "1000000",
    }
    for command in (["migrate", "--verbosity", "0"], ["seed", "--users", str(STREAMS), "--seed", str(SEED)]):
        environment = {**os.environ, **settings}
        subprocess.run(
            [python, "manage.py", *command], cwd=PART, env=environment, check=True, stdout=subprocess.DEVNULL
        )
    cache = [str(redis), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(scratch)]
    command = [str(python), "-m", "uvicorn", "config.asgi:application", *_uvicorn(port)]
    with _process(cache, scratch, {}, redis_port), _process(command, PART, settings, port) as pid:
        yield Server(port=port, cpu_s=partial(_cpu_s, pid), request=in_conversation)


@contextlib.contextmanager
def _twin(python: Path, llm: str) -> Iterator[Server]:
    port = _free_port()
    command = [str(python), "-m", "uvicorn", "relay:application", *_uvicorn(port)]
    with _process(command, TWIN, {"LLM_BASE_URL": llm}, port) as pid:
        yield Server(port=port, cpu_s=partial(_cpu_s, pid), request=bare)


def _uvicorn(port: int) -> list[str]:
    shared = ["--workers", "2", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning", *shared]


@contextlib.contextmanager
def _process(command: list[str], folder: Path, settings: Mapping[str, str], port: int) -> Iterator[int]:
    """Start a server; yield its process id once it listens; end it with what it started."""
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
            process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}, exit code {process.poll()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _cpu_s(pid: int) -> float:
    """User + system time of a process and its children to the nanosecond (clock_getcpuclockid(3) numbers the clock)."""
    first = psutil.Process(pid)
    return sum(time.clock_gettime(~process.pid << 3 | 2) for process in (first, *first.children(recursive=True)))


if __name__ == "__main__":
    chosen = [Path(path) if (path := os.environ.get(name)) else None for name in ("DJANGO_PYTHON", "TWIN_PYTHON")]
    for row in measure(*chosen):
        print(row)
