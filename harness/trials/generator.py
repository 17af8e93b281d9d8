"""The generator as a subprocess: files in, files out, and a look at its answers while it runs."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from math import exp
from pathlib import Path

from harness.analysis.slo import certainly_failing
from harness.records import LoadPlan, Profile
from harness.runtimes.protocol import GENERATOR, Pod
from harness.trials.accounts import suffixes
from harness.trials.plans import patience_s

POLL_S = 0.25
NINETY_NINE_POINT_NINE = 3.09  # standard normal quantile


@dataclass(slots=True, kw_only=True)
class Live:
    """The answers so far; for people's eyes and the early stop, never for a printed number."""

    turns: int = 0
    measured: int = 0
    violations: int = 0
    ttft_s: list[float] = field(default_factory=list)
    phase: str = "ramp_up"

    def add(self, row: dict[str, object], worst_ttft_s: float) -> None:
        """Count one ended turn."""
        self.turns += 1
        self.phase = str(row["phase"])
        ttft = row["ttft_s"]
        if isinstance(ttft, float | int):
            self.ttft_s = [*self.ttft_s[-199:], float(ttft)]
        if row["phase"] == "measure":
            self.measured += 1
            slow = not isinstance(ttft, float | int) or ttft > worst_ttft_s
            self.violations += int(slow or not row["ok"])


def worst_acceptable_ttft_s(profile: Profile) -> float:
    """Return a TTFT beyond which a turn violates its SLO for 99.9 % of the model's draws."""
    ttft = profile.answer.ttft_s
    return ttft.median * exp(NINETY_NINE_POINT_NINE * ttft.sigma) + profile.slo.added_ttft_p95_s


def turns_possible(plan: LoadPlan, cycle_s: float) -> float:
    """Return how many turns the measured window holds at most, by the unloaded cycle and a fifth more."""
    per_s = plan.arrivals_per_s or plan.users / cycle_s
    return 1.2 * max(plan.measure_turns, plan.measure_min_s * per_s)


def follow(pod: Pod, plan: LoadPlan, profile: Profile, tell: Callable[[Live], None]) -> tuple[Live, bool]:
    """Wait for the generator to end; stop it early once the verdict is certain or a component of the target died.

    Returns what was seen, and whether the generator ended by itself (False: given up after its time).
    """
    live, worst_s = Live(), worst_acceptable_ttft_s(profile)
    possible = turns_possible(plan, profile.cycle_s())
    deadline = time.monotonic() + patience_s(plan)
    tails = [_Tail(Path(plan.output) / f"live{suffix}.jsonl") for suffix in suffixes(plan.workers)]
    while time.monotonic() < deadline:
        code = pod.wait(GENERATOR, POLL_S)
        for row in chain.from_iterable(tail.rows() for tail in tails):
            live.add(row, worst_s)
        tell(live)
        if code is not None:
            return live, True
        died = any(name != GENERATOR for name, _ in pod.exited()) or pod.oom_kills()
        may_end = plan.scenario == "chat" and plan.spike is None  # what comes after a spike is what it is made for
        if died or (may_end and certainly_failing(live.violations, possible)):
            Path(plan.stop_file).touch()
    return live, False


class _Tail:
    """Reads the complete lines that were added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0

    def rows(self) -> list[dict[str, object]]:
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.offset)
                data = stream.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self.offset += end
        return [json.loads(line) for line in data[:end].splitlines()]
