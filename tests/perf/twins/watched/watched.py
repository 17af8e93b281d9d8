"""The Django part with a watch on its event loop: each process writes down how late the loop was at its worst."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from config.asgi import application as served

EVERY_S = 0.005
LATE = Path(os.environ["LATE"])  # a folder
tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references


async def watch() -> None:
    """Wake up every 5 ms and keep when that came late, and by how much: `[monotonic seconds, seconds late]`."""
    with (LATE / f"{os.getpid()}.jsonl").open("w", buffering=1) as file:
        while True:
            due_s = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            now_s = time.monotonic()
            if (late_s := now_s - due_s) > EVERY_S:
                file.write(json.dumps([now_s, late_s]) + "\n")


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve as the part does; its start begins the watch."""
    if scope["type"] == "lifespan":
        tasks.add(asyncio.create_task(watch()))
    await served(scope, receive, send)
