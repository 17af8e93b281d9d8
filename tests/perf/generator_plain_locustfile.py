"""The load a plain Locust file would make: ``HttpUser``, ``iter_lines``, a JSON parse per event; the yardstick.

With PLAIN_CLIENT=fast it is a ``FastHttpUser``, whose geventhttpclient reads line by line; its own ``iter_lines`` waits
for 1,024 bytes at a time.

Writes to PLAIN_OUTPUT: one JSON object with the turns of the measured window, its chunks and its CPU seconds.
"""

import hashlib
import itertools
import json
import os
import time
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, HttpUser, User, constant, events, task

SEED = int(os.environ["PLAIN_SEED"])
FROM_S, TO_S = float(os.environ["PLAIN_FROM_S"]), float(os.environ["PLAIN_TO_S"])
_numbers = itertools.count()
_turns: list[dict[str, Any]] = []
_cpu_s: list[float] = []
_chunks: list[float] = []


class AskingUser(User):
    abstract = True
    wait_time = constant(float(os.environ["PLAIN_THINK_S"]))

    def on_start(self) -> None:
        self.number = next(_numbers)
        self.turn = 0

    @task
    def ask(self) -> None:
        tag = hashlib.sha256(f"{SEED}:{self.number}:plain:{self.turn}".encode()).hexdigest()[:16]
        self.turn += 1
        body = {"model": "stand-in", "stream": True, "messages": [{"role": "user", "content": f"hello tag-{tag}"}]}
        sent_s = time.monotonic()
        first_s = None
        with self.client.post("/chat/completions", json=body, stream=True, catch_response=True) as response:
            for line in self.lines_of(response):
                if not line.startswith(b"data: {"):
                    continue
                content = json.loads(line[6:])["choices"][0]["delta"].get("content")
                if content:
                    now_s = time.monotonic()
                    _chunks.append(now_s)
                    first_s = first_s or now_s
        _turns.append({"tag": tag, "sent_s": sent_s, "first_s": first_s})

    @abstractmethod
    def lines_of(self, response: Any) -> Iterator[bytes]:
        """Return an answer's lines as they come."""


if os.environ.get("PLAIN_CLIENT") == "fast":

    class FastUser(AskingUser, FastHttpUser):
        def lines_of(self, response: Any) -> Iterator[bytes]:
            while line := response.stream.readline(b"\n"):
                yield line

else:

    class PlainUser(AskingUser, HttpUser):
        def lines_of(self, response: Any) -> Iterator[bytes]:
            return response.iter_lines()  # type: ignore[no-any-return]  # what requests returns has no type here


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def note_cpu(environment: Any, **_: Any) -> None:
    start_s = time.monotonic()

    def watch() -> None:
        for at_s in (FROM_S, TO_S):
            time.sleep(max(0.0, start_s + at_s - time.monotonic()))
            _cpu_s.append(time.process_time())
        window = (start_s + FROM_S, start_s + TO_S)
        turns = [turn for turn in _turns if window[0] <= turn["sent_s"]]
        chunks = sum(window[0] <= at_s < window[1] for at_s in _chunks)
        figures = {"turns": turns, "chunks": chunks, "cpu_s": _cpu_s[1] - _cpu_s[0]}
        Path(os.environ["PLAIN_OUTPUT"]).write_text(json.dumps(figures))
        environment.runner.quit()

    gevent.spawn(watch)
