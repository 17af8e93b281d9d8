"""CPU per token of the model against a Starlette twin's: the same streams, in turns, in one run of about 50 s.

A bare sender beside them shows what the kernel alone takes for each token: no server on TCP can be below that.
"""

import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

STREAMS = 100
ITL_S = 0.05
SETTLE_S = 0.8  # connections are made and every stream sends tokens
WINDOW_S = 3.0
ROUNDS = 3
GOAL_RATIO = 0.2


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note. CPU is user + system time of the server's process."""
    options = ["--itl-s", str(ITL_S), "--tokens", "2000"]
    ours: list[float] = []
    twins: list[float] = []
    bare: list[float] = []
    folder = ROOT / "tests" / "perf" / "twins"
    with (
        _server(["-m", "llm", *options], ROOT / "targets" / "llm") as (our_pid, our_port),
        _server(["starlette_llm.py", *options], folder) as (twin_pid, twin_port),
        _server(["bare_sender.py", *options], folder) as (bare_pid, bare_port),
    ):
        for _ in range(ROUNDS):
            ours.append(_cpu_us_per_token(our_pid, our_port))
            twins.append(_cpu_us_per_token(twin_pid, twin_port))
            bare.append(_cpu_us_per_token(bare_pid, bare_port))
    value, twin = statistics.median(ours), statistics.median(twins)
    ratio = _ratio(ours, twins)
    load = f"{STREAMS} streams × {1 / ITL_S:g} tokens/s, median of {ROUNDS}"
    return [
        _figure("model CPU per token / Starlette twin's", GOAL_RATIO, ratio, "ratio", load),
        _figure("model CPU per token", None, value, "µs", load),
        _figure("Starlette twin's CPU per token", None, twin, "µs", load),
        _figure("bare send per token (floor)", None, statistics.median(bare), "µs", load),
        _figure("bare send / Starlette twin's", None, _ratio(bare, twins), "ratio", load),
        _figure("model CPU per token / bare send", None, _ratio(ours, bare), "ratio", load),
    ]


def _ratio(some: list[float], others: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(some, others, strict=True))


def _figure(name: str, goal: float | None, value: float, unit: str, note: str) -> dict[str, object]:
    met = None if goal is None else value <= goal
    return {"name": name, "goal": goal, "value": round(value, 4), "unit": unit, "met": met, "note": note}


@contextlib.contextmanager
def _server(arguments: list[str], folder: Path) -> Iterator[tuple[int, int]]:
    """Start a server on a free port; yield its process id and port once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, *arguments, "--port", str(port)], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}, exit code {process.poll()}")


def _cpu_us_per_token(pid: int, port: int) -> float:
    """Load a server from another process and return its CPU time per token while all streams are live, in µs."""
    client = subprocess.Popen([sys.executable, __file__, str(port)], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    readings = [(int(line), _cpu_s(pid)) for line in client.stdout]
    if client.wait(10) != 0 or len(readings) != 2:
        raise RuntimeError(f"the client of port {port} failed: exit code {client.returncode}, {len(readings)} readings")
    (tokens, cpu_s), (tokens_after, cpu_after_s) = readings
    expected = STREAMS * WINDOW_S / ITL_S
    if abs(tokens_after - tokens - expected) > 0.1 * expected:
        raise RuntimeError(f"{tokens_after - tokens} tokens arrived instead of {expected:g}: the machine is too busy")
    return (cpu_after_s - cpu_s) / (tokens_after - tokens) * 1e6


def _cpu_s(pid: int) -> float:
    """User + system time of a process to the nanosecond: its CPU-time clock, as clock_getcpuclockid(3) numbers it."""
    return time.clock_gettime(~pid << 3 | 2)


class _Stream(asyncio.Protocol):
    events = 0

    def __init__(self, number: int) -> None:
        messages = [{"role": "user", "content": f"Tell me more. tag-{number:016x}"}]
        self._body = json.dumps({"model": "stand-in", "stream": True, "messages": messages}).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: model\r\ncontent-length: {len(self._body)}\r\n\r\n"
        transport.write(head.encode() + self._body)

    def data_received(self, data: bytes) -> None:
        _Stream.events += data.count(b"data: ")


async def _load(port: int) -> None:
    """Open all streams, then print the number of events so far twice, a window apart."""
    loop = asyncio.get_running_loop()
    for number in range(STREAMS):
        await loop.create_connection(lambda number=number: _Stream(number), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.sleep(ITL_S / STREAMS)  # phases spread evenly, as those of people would
    await asyncio.sleep(SETTLE_S)
    print(_Stream.events, flush=True)
    await asyncio.sleep(WINDOW_S)
    print(_Stream.events, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_load(int(sys.argv[1])))
    else:
        for figure in measure():
            print(figure)
