"""The Django part, watched: each process writes down when its event loop woke up late, and how long it collected."""

import asyncio
import gc
import json
import os
import time
from pathlib import Path
from typing import Any

from config.asgi import application as served

EVERY_S = 0.005
FILE = Path(os.environ["WATCHED"], f"{os.getpid()}.jsonl").open("w", buffering=1)  # noqa: SIM115  # for life
tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references
collecting_since_s = 0.0


def note(what: str, took_s: float) -> None:
    """Write a line: what it was, the monotonic time, and how long it took."""
    FILE.write(json.dumps([what, time.monotonic(), took_s]) + "\n")


async def watch() -> None:
    """Wake up every 5 ms and note when that came late, and by how much."""
    while True:
        due_s = time.monotonic() + EVERY_S
        await asyncio.sleep(EVERY_S)
        if (late_s := time.monotonic() - due_s) > EVERY_S:
            note("late", late_s)


def collected(phase: str, _: dict[str, int]) -> None:
    """Note how much CPU time a garbage collection took of its thread; the clock would count other programs' as well."""
    global collecting_since_s  # of the one collection at a time
    if phase == "start":
        collecting_since_s = time.thread_time()
    elif (took_s := time.thread_time() - collecting_since_s) > 0.001:
        note("collected", took_s)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve as the part does; its start begins the watch."""
    if scope["type"] == "lifespan":
        gc.callbacks.append(collected)
        tasks.add(asyncio.create_task(watch()))
    await served(scope, receive, send)
