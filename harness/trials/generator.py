"""The generator as a subprocess: files in, files out, and a look at its answers while it runs."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import chain
from math import ceil, exp
from pathlib import Path

from harness.analysis.slo import certainly_failing
from harness.records import LoadPlan, Profile, Soak, Spike, SpikePlan, Visiting
from harness.runtimes import GENERATOR, Pod
from harness.trials.accounts import suffixes

POLL_S = 0.25
TURNS_NEEDED = 40  # two turns beyond the 95th percentile: fewer leave it to one
OPEN_RESERVE_S = 2.0  # as loadtests.schedule.arrivals keeps users ready for so much of the arrivals
NINETY_NINE_POINT_NINE = 3.09  # standard normal quantile


@dataclass(slots=True, kw_only=True)
class Live:
    """What the answers looked like so far; for people's eyes and the early stop, never for a printed number."""

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


def chat_plan(
    profile: Profile,
    *,
    protocol: str,
    user_class: str | None = None,
    instances: tuple[str, ...],
    users: int,
    folder: Path,
    seed: int,
) -> LoadPlan:
    """Return the generator's plan for one trial of scenario ``chat``."""
    cycle_s = profile.cycle_s()
    enough_s = 1.3 * min(TURNS_NEEDED, profile.window.measure_turns) * cycle_s / users  # a few users take their time
    return LoadPlan(
        scenario="chat",
        protocol=protocol,
        user_class=user_class,
        instances=instances,
        users=users,
        seed=seed,
        turns_per_conversation=profile.turns_per_conversation,
        message_chars=profile.message_chars,
        think_s=profile.think_s,
        answer=profile.answer,
        ramp_up_s=max(cycle_s, users / 60),  # opening sessions faster than 60/s would be a test of its own
        warm_up_s=cycle_s,
        measure_min_s=profile.window.measure_min_s,
        measure_max_s=max(profile.window.measure_max_s, enough_s),
        measure_turns=profile.window.measure_turns,
        drain_s=profile.window.drain_s,
        output=str(folder),
        stop_file=str(folder / "stop"),
    )


def open_plan(closed: LoadPlan, profile: Profile, per_minute: int) -> LoadPlan:
    """Return the plan of a chat trial whose turns arrive at a rate, whoever of the users is free.

    The pool may grow to four times the answers in flight on a target that adds nothing, and never less than 50 users
    more than those: a target that needs more is not measured by it.
    """
    per_s = per_minute / 60
    cycle_s = profile.cycle_s()
    enough_s = 1.3 * min(TURNS_NEEDED, profile.window.measure_turns) / per_s
    live = per_s * profile.answer_mean_s()
    reserve = OPEN_RESERVE_S * per_s
    return replace(
        closed,
        workers=1,  # one pool of users, one order of arrivals
        users=ceil(max(4 * live, live + 50) + reserve),
        arrivals_per_s=per_s,
        ramp_up_s=max(cycle_s, reserve / 30),  # its reserve opens its pages
        warm_up_s=max(cycle_s, 2 * profile.answer_mean_s()),
        measure_max_s=max(profile.window.measure_max_s, enough_s),
    )


def visit_plan(closed: LoadPlan, visit: Visiting) -> LoadPlan:
    """Return the plan of whole visits."""
    return _lasting(replace(closed, scenario="visit", workers=1), visit.measure_s)


def spike_plan(closed: LoadPlan, spike: Spike) -> LoadPlan:
    """Return the plan of a chat trial to which several times as many users come and leave again."""
    further = SpikePlan(users=(spike.times - 1) * closed.users, after_s=spike.before_s, hold_s=spike.hold_s)
    return _lasting(replace(closed, workers=1, spike=further), spike.before_s + spike.hold_s + spike.after_s)


def soak_plan(closed: LoadPlan, soak: Soak) -> LoadPlan:
    """Return the plan of a long chat trial."""
    return _lasting(closed, soak.minutes * 60)


def _lasting(plan: LoadPlan, measure_s: float) -> LoadPlan:
    return replace(plan, measure_min_s=measure_s, measure_max_s=measure_s)


def patience_s(plan: LoadPlan) -> float:
    """Return after how many seconds a generator that has not ended is given up."""
    phases_s = plan.ramp_up_s + plan.warm_up_s + plan.measure_max_s + plan.drain_s
    return phases_s + len(plan.steps) * (plan.hold_s + 30) + plan.turn_timeout_s + 30


def worst_acceptable_ttft_s(profile: Profile) -> float:
    """Return a TTFT beyond which a turn violates its SLO whatever the upstream drew for it (99.9 % of draws)."""
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
