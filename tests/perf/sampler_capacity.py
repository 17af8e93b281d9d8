"""Capacity with and without the sampler, from the CPU time a turn takes of a fixed load, in turns, in one run of 140 s.

Turns per second that the machine's CPUs bear: what the sampler leaves of them, by the CPU time per turn (the bound of
operational analysis). Turns answered of an overload would be nearer to the word, and differ by a quarter from round to
round. What the same kind gives in different rounds is the noise that the difference has to be seen in.
"""

import contextlib
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from harness import profiles, targets
from harness.records import LoadPlan
from harness.runtimes.local import LocalRuntime
from harness.runtimes.protocol import GENERATOR, UNLIMITED_PER_MINUTE, Pod
from harness.runtimes.sampler import Sampler
from harness.trials import accounts
from harness.trials.plans import chat_plan, patience_s
from tests import ROOT

TARGET, USERS, SEED = "django+angular", 150, 7
RAMP_UP_S, WARM_UP_S, WINDOW_S, DRAIN_S = 4.0, 1.0, 12.0, 2.0
USEFUL_NOISE = 0.1  # beyond it nearly any difference would be called noise
ORDER = (True, False, False, True, True, False)  # a drift of the machine or the target falls on both


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note."""
    bounds: dict[bool, list[float]] = {True: [], False: []}
    catalogue = targets.discover(ROOT / "targets")
    profile = profiles.load("quick")
    runtime = LocalRuntime()
    with contextlib.closing(runtime), tempfile.TemporaryDirectory(prefix="chatbench-perf-") as name:
        prepared = runtime.prepare(
            catalogue.target(TARGET), catalogue, ROOT, SEED, lambda text: print(text, file=sys.stderr)
        )
        for number, sampled in enumerate(ORDER):
            folder = Path(name) / str(number)
            folder.mkdir()
            with runtime.open_trial(f"sampler-capacity-{number}", folder) as pod:
                stack = pod.launch(prepared, profile.answer, UNLIMITED_PER_MINUTE)
                plan = chat_plan(
                    profile,
                    protocol=prepared.target.protocol,
                    instances=stack.instances,
                    users=USERS,
                    folder=folder,
                    seed=SEED,
                )
                bounds[sampled].append(_turns_per_s(pod, _short(plan), sampled=sampled))
    with_it, without = (statistics.mean(bounds[sampled]) for sampled in (True, False))
    noise = max((max(some) - min(some)) / statistics.mean(some) for some in bounds.values())
    return [
        {
            "name": "capacity with the sampler / without",
            "goal": "1 within noise",
            "value": round(with_it / without, 4),
            "unit": "ratio",
            "met": abs(with_it / without - 1) <= noise if noise <= USEFUL_NOISE else None,
            "note": f"{TARGET}, by the CPU time per turn at {USERS} users: {with_it:.1f} and {without:.1f} turns/s; "
            f"rounds of one kind differ by up to {noise:.1%}",
        }
    ]


def _short(plan: LoadPlan) -> LoadPlan:
    """Return the same plan with windows that only a mean needs."""
    return replace(
        plan,
        ramp_up_s=RAMP_UP_S,
        warm_up_s=WARM_UP_S,
        measure_min_s=WINDOW_S,
        measure_max_s=WINDOW_S,
        measure_turns=1,
        drain_s=DRAIN_S,
    )


def _turns_per_s(pod: Pod, plan: LoadPlan, *, sampled: bool) -> float:
    """Return how many turns a second this machine's CPUs bear, from all turns of a trial."""
    sampler = Sampler(pod) if sampled else None
    before_s, begun_s = _target_cpu_s(pod), time.monotonic()
    pod.generate(plan)
    with sampler or contextlib.nullcontext():
        pod.wait(GENERATOR, patience_s(plan))
    spent_s, elapsed_s = _target_cpu_s(pod) - before_s, time.monotonic() - begun_s
    turns = len(accounts.gather(Path(plan.output), plan).turns)
    left = (os.cpu_count() or 1) - (sampler.cpu_s() / elapsed_s if sampler else 0.0)
    return left * turns / spent_s


def _target_cpu_s(pod: Pod) -> float:
    return sum(one.cpu_s for one in pod.sample() if one.role == "target")


if __name__ == "__main__":
    for figure in measure():
        print(figure)
