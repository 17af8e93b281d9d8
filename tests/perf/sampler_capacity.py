"""Turns per second that an overloaded target answers with and without the sampler, in turns, in one run of about 150 s.

Offered is half as much again as the target carries, so that turns answered per second are its capacity. What the same
arm gives in different rounds is the noise that the difference has to be seen in.
"""

import contextlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness import generators, load, profiles, targets
from harness.records import LoadPlan
from harness.runtimes import GENERATOR, UNLIMITED_PER_MINUTE, Pod
from harness.runtimes.local import LocalRuntime
from harness.sampler import Sampler

REPOSITORY = Path(__file__).parents[2]
TARGET, USERS, SEED = "django+angular", 900, 7
RAMP_UP_S, WARM_UP_S, WINDOW_S, DRAIN_S = 10.0, 3.0, 12.0, 1.0
USEFUL_NOISE = 0.1  # beyond it any difference would be called noise
ORDER = (True, False, False, True, True, False)  # a drift of the machine or the target falls on both


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    catalogue = targets.discover(REPOSITORY / "targets")
    runtime = LocalRuntime()
    with contextlib.closing(runtime), tempfile.TemporaryDirectory(prefix="chatbench-perf-") as name:
        prepared = runtime.prepare(
            catalogue.target(TARGET), catalogue, REPOSITORY, SEED, lambda text: print(text, file=sys.stderr)
        )
        profile = profiles.load("quick")
        for number, sampled in enumerate(ORDER):
            folder = Path(name) / str(number)
            folder.mkdir()
            with runtime.open_trial(f"sampler-capacity-{number}", folder) as pod:
                stack = pod.launch(prepared, profile.answer, UNLIMITED_PER_MINUTE)
                plan = load.chat_plan(
                    profile,
                    protocol=prepared.target.protocol,
                    instances=stack.instances,
                    users=USERS,
                    folder=folder,
                    seed=SEED,
                )
                rates[sampled].append(_turns_per_s(pod, _short(plan), sampled=sampled))
    with_it, without = (sum(rates[sampled]) / len(rates[sampled]) for sampled in (True, False))
    noise = max((max(some) - min(some)) / (sum(some) / len(some)) for some in rates.values())
    ratio = with_it / without
    return [
        {
            "name": "capacity with the sampler / without",
            "goal": "1 within noise",
            "value": round(ratio, 4),
            "unit": "ratio",
            "met": abs(ratio - 1) <= noise if noise <= USEFUL_NOISE else None,
            "note": f"{TARGET}, {USERS} users: {with_it:.1f} and {without:.1f} turns/s answered; "
            f"rounds of one kind differ by up to {noise:.1%}",
        }
    ]


def _short(plan: LoadPlan) -> LoadPlan:
    """Return the same plan with windows that only a rate needs."""
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
    """Return the turns answered per second of the window, whenever they were asked for."""
    pod.generate(plan)
    with Sampler(pod) if sampled else contextlib.nullcontext():
        pod.wait(GENERATOR, load.patience_s(plan))  # not load.follow: it would end what has certainly failed
    gathered = generators.gather(Path(plan.output), plan)
    if gathered.summary is None:
        raise RuntimeError(f"the generator left no summary in {plan.output}")
    window = gathered.summary.phases["measure"]
    answered = sum(
        turn.outcome == "ok" and turn.done_s is not None and window.start_s <= turn.done_s < window.end_s
        for turn in gathered.turns
    )
    return answered / (window.end_s - window.start_s)


if __name__ == "__main__":
    for figure in measure():
        print(figure)
