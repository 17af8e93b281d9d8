"""What freezing imports and PostgreSQL bring to Django: the same load on four builds, in turns, in one run.

An event loop's freeze is the time that it woke up too late: every stream of that process stood still meanwhile.
"""

import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import profiles, targets
from harness.records import PhaseTimes, TrialKey
from harness.runtimes.local import LocalRuntime
from harness.runtimes.local.stack import LocalPrepared
from harness.targets import Catalogue, Target
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial
from tests import ROOT

TWIN = ROOT / "tests" / "perf" / "twins" / "watched"
USERS = 500
ROUNDS = 2
GOAL_S = 0.060
AS_IT_WAS, FROZEN, POSTGRES = "SQLite, not frozen", "SQLite, frozen", "PostgreSQL, frozen"
#: build -> the target's name, and whether it freezes what it imported
BUILDS = {
    AS_IT_WAS: ("django:sqlite+angular", False),
    FROZEN: ("django:sqlite+angular", True),
    "PostgreSQL, not frozen": ("django+angular", False),
    POSTGRES: ("django+angular", True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One trial: the longest freeze of an event loop while it measured, and the trial's figures."""

    freeze_s: float
    figures: dict[str, float | None]


def measure() -> list[dict[str, Any]]:
    """Return the longest freezes, and the ratios of freezing and of PostgreSQL."""
    catalogue, runtime = targets.discover(ROOT / "targets"), LocalRuntime()
    seen: dict[str, list[Seen]] = {name: [] for name in BUILDS}
    with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as scratch:
        try:
            for turn in range(ROUNDS):
                for build in list(BUILDS)[:: 1 if turn % 2 == 0 else -1]:  # a drift of the machine evens out
                    folder = Path(scratch, f"{build}-{turn}".replace(", ", "-").replace(" ", "-"))
                    seen[build].append(trial(runtime, catalogue, build, folder))
                    print(f"{build}: {seen[build][-1]}", file=sys.stderr)
        finally:
            runtime.close()
    return figures(seen)


def trial(runtime: LocalRuntime, catalogue: Catalogue, build: str, folder: Path) -> Seen:
    """Run one trial of a build under the quick profile's load."""
    profile, late = profiles.load("quick"), folder / "late"
    late.mkdir(parents=True)
    prepared = watched(runtime, catalogue, build, late)
    context = TrialContext(run=folder, runtime=runtime, profile=profile, tell=lambda *_: None)
    key = TrialKey(target=prepared.target.name, scenario="chat", level=USERS, repetition=0, number=1)
    made = run_trial(context, prepared, key)
    if made.summary is None:
        raise RuntimeError(f"{build}: the generator left no account: {made.verdict}")
    return Seen(freeze_s=longest(late, made.summary.phases["measure"]), figures=dict(made.figures))


def watched(runtime: LocalRuntime, catalogue: Catalogue, build: str, late: Path) -> LocalPrepared:
    """Return a build made ready, whose processes tell how late their loops are."""
    name, frozen = BUILDS[build]
    target = catalogue.target(name)
    api, *others = target.parts
    start = tuple(word.replace("config.asgi:", "watched:") for word in api.local.start)
    settings = {"PYTHONPATH": f"{api.folder}:{TWIN}", "LATE": str(late)}
    if not frozen:
        settings["DJANGO_SETTINGS_MODULE"] = "settings_unfrozen"
    changed = replace(api, local=replace(api.local, start=start, env=settings))
    return runtime.prepare(Target(name=name, parts=(changed, *others)), catalogue, ROOT, 42, print)


def longest(late: Path, within: PhaseTimes) -> float:
    """Return the longest freeze within a time, over all processes."""
    lines = [json.loads(line) for file in late.glob("*.jsonl") for line in file.read_text().splitlines()]
    return max((late_s for at_s, late_s in lines if within.start_s <= at_s <= within.end_s), default=0.0)


def figures(seen: dict[str, list[Seen]]) -> list[dict[str, Any]]:
    """Return the rows: medians over the rounds, ratios within a round."""
    note = f"{USERS} users, quick profile, {ROUNDS} interleaved rounds"
    rows = []
    for build, trials in seen.items():
        freeze_s = statistics.median(one.freeze_s for one in trials)
        goal = build == POSTGRES
        rows.append(
            {
                "name": f"Django's longest freeze: {build}",
                "goal": GOAL_S * 1000 if goal else None,
                "value": round(freeze_s * 1000, 1),
                "unit": "ms",
                "met": freeze_s <= GOAL_S if goal else None,
                "note": note,
            }
        )
    for title, above, below in (
        ("freezing", FROZEN, AS_IT_WAS),
        ("PostgreSQL", POSTGRES, FROZEN),
        ("both", POSTGRES, AS_IT_WAS),
    ):
        for what, figure in (
            ("longest freeze", lambda one: one.freeze_s),
            ("CPU per turn", lambda one: one.figures["target_cpu_s_per_turn"]),
            ("added stall p95", lambda one: one.figures["added_stall_p95_s"]),
        ):
            pairs = [(figure(a), figure(b)) for a, b in zip(seen[above], seen[below], strict=True)]
            whole = [a / b for a, b in pairs if a is not None and b]
            value = statistics.median(whole) if whole else None
            rows.append(
                {
                    "name": f"{title}: {what}, ratio",
                    "goal": None,
                    "value": value,
                    "unit": "×",
                    "met": None,
                    "note": f"{above} ÷ {below}; {note}",
                }
            )
    return rows
