"""The generator as a subprocess: files in, files out, and a look at its answers while it runs."""

import json
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from harness.analysis.slo import turns_possible
from harness.records import LoadPlan, Profile
from harness.runtimes.protocol import GENERATOR, Pod
from harness.trials.accounts import suffixes
from harness.trials.plans import patience_s
from harness.trials.watching import Live, Worst, verdict_is_certain

POLL_S = 0.25


def follow(
    pod: Pod, plan: LoadPlan, profile: Profile, model_log: Path, tell: Callable[[Live], None], *, may_fail: bool
) -> tuple[Live, bool]:
    """Wait for the generator to end; stop it early once the verdict is certain or a component of the target died.

    ``model_log`` tells how many calls of the model have ended and if all were streamed, ``may_fail`` whether a certain
    fail ends the trial.
    Returns what was seen, and whether the generator ended by itself (False: given up after its time).
    """
    live, possible = Live(worst=Worst.of(profile)), turns_possible(plan)
    asked = _Tail(model_log)
    deadline = time.monotonic() + patience_s(plan)
    tails = [_Tail(Path(plan.output) / f"live{suffix}.jsonl") for suffix in suffixes(plan.workers)]
    while time.monotonic() < deadline:
        code = pod.wait(GENERATOR, POLL_S)
        for row in chain.from_iterable(tail.rows() for tail in tails):
            live.add(row)
        for line in asked.lines():
            live.calls += 1
            live.in_one_piece = live.in_one_piece or in_one_piece(line)
        tell(live)
        if code is not None:
            return live, True
        died = any(name != GENERATOR for name, _ in pod.exited()) or pod.oom_kills()
        if died or verdict_is_certain(live, plan, possible, may_fail=may_fail):
            Path(plan.stop_file).touch()
    return live, False


def in_one_piece(line: bytes) -> bool:
    """Return whether a line of the model's log is of an answer that was not streamed: its times are all the same.

    There may be hundreds of lines a second: they are not read as JSON.
    """
    first, several, others = line.partition(b'"emit_s":[')[2].partition(b"]")[0].partition(b",")
    return bool(several) and others.rpartition(b",")[2] == first


class _Tail:
    """The complete lines that were added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]

    def lines(self) -> list[bytes]:
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.offset)
                data = stream.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self.offset += end
        return data[:end].splitlines()
