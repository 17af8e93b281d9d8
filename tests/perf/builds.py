"""What freezing imports and PostgreSQL bring to Django: the same load on four builds, in turns, in one run.

An event loop's freeze is the time that it woke up too late: every stream of that process stood still meanwhile. Other
programs on the machine lengthen it. The longest collection is CPU time, which they do not lengthen.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
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
USERS = 300
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
    """One trial: while it measured, the longest freeze of an event loop and the longest collection; its figures."""

    freeze_s: float
    collection_s: float
    outcome: str
    figures: dict[str, float | None]


#: what is printed of each build, and as ratios
MEASURES: dict[str, Callable[[Seen], float | None]] = {
    "longest freeze": lambda one: one.freeze_s,
    "longest collection": lambda one: one.collection_s,
    "CPU per turn": lambda one: one.figures.get("target_cpu_s_per_turn"),
    "added stall p95": lambda one: one.figures.get("added_stall_p95_s"),
}
RATIOS = {"freezing": (FROZEN, AS_IT_WAS), "PostgreSQL": (POSTGRES, FROZEN), "both": (POSTGRES, AS_IT_WAS)}


def measure() -> list[dict[str, Any]]:
    """Return the longest freezes, and the ratios of freezing and of PostgreSQL."""
    catalogue, runtime = targets.discover(ROOT / "targets"), LocalRuntime()
    seen: dict[str, list[Seen]] = {name: [] for name in BUILDS}
    with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as scratch:
        try:
            for turn in range(ROUNDS):
                for number, build in list(enumerate(BUILDS))[:: 1 if turn % 2 == 0 else -1]:  # a drift evens out
                    seen[build].append(trial(runtime, catalogue, build, Path(scratch, f"{turn}-{number}")))
        finally:
            runtime.close()
    return figures(seen)


def trial(runtime: LocalRuntime, catalogue: Catalogue, build: str, folder: Path) -> Seen:
    """Run one trial of a build under the quick profile's load."""
    watched = folder / "watched"
    watched.mkdir(parents=True)
    prepared = ready(runtime, catalogue, build, watched)
    context = TrialContext(run=folder, runtime=runtime, profile=profiles.load("quick"), tell=lambda *_: None)
    key = TrialKey(target=prepared.target.name, scenario="chat", level=USERS, repetition=0, number=1)
    made = run_trial(context, prepared, key)
    if made.summary is None:
        raise RuntimeError(f"{build}: the generator left no account: {made.verdict}")
    measured = made.summary.phases["measure"]
    seen = Seen(
        freeze_s=longest("late", watched, measured),
        collection_s=longest("collected", watched, measured),
        outcome=made.verdict.outcome,
        figures=dict(made.figures),
    )
    print(f"{build}: {seen.outcome}, {[f'{name} {of(seen)}' for name, of in MEASURES.items()]}", file=sys.stderr)
    return seen


def ready(runtime: LocalRuntime, catalogue: Catalogue, build: str, watched: Path) -> LocalPrepared:
    """Return a build made ready, whose processes write down what they see into a folder."""
    name, frozen = BUILDS[build]
    api, *others = catalogue.target(name).parts
    start = tuple(word.replace("config.asgi:", "watched:") for word in api.local.start)
    settings = {"PYTHONPATH": f"{api.folder}:{TWIN}", "WATCHED": str(watched)}
    if not frozen:
        settings["DJANGO_SETTINGS_MODULE"] = "settings_unfrozen"
    changed = replace(api, local=replace(api.local, start=start, env=settings))
    return runtime.prepare(Target(name=name, parts=(changed, *others)), catalogue, ROOT, 42, print)


def longest(what: str, watched: Path, within: PhaseTimes) -> float:
    """Return the longest of what the processes noted within a time; 0 without a note."""
    lines = [json.loads(line) for file in watched.glob("*.jsonl") for line in file.read_text().splitlines()]
    return max(
        (took_s for kind, at_s, took_s in lines if kind == what and within.start_s <= at_s <= within.end_s), default=0.0
    )


def figures(seen: dict[str, list[Seen]]) -> list[dict[str, Any]]:
    """Return the rows: the longest over the rounds, and the median of the ratios within each."""
    load, rounds = f"{USERS} users, quick profile", f"{ROUNDS} interleaved rounds"
    rows = []
    for build, trials in seen.items():
        outcomes = ", ".join(one.outcome for one in trials)
        for what in ("longest freeze", "longest collection"):
            value_s = max((value for one in trials if (value := MEASURES[what](one)) is not None), default=None)
            goal = build == POSTGRES and what == "longest freeze"
            rows.append(
                {
                    "name": f"Django's {what}: {build}",
                    "goal": GOAL_S * 1000 if goal else None,
                    "value": None if value_s is None else value_s * 1000,
                    "unit": "ms",
                    "met": value_s <= GOAL_S if goal and value_s is not None else None,
                    "note": f"{load}, longest of {rounds}; trials: {outcomes}",
                }
            )
    for title, (above, below) in RATIOS.items():
        for what, of in MEASURES.items():
            pairs = [(of(a), of(b)) for a, b in zip(seen[above], seen[below], strict=True)]
            value = median([a / b if a is not None and b else None for a, b in pairs])
            note = f"{above} ÷ {below}; {load}, median of {rounds}"
            rows.append(
                {"name": f"{title}: {what}", "goal": None, "value": value, "unit": "×", "met": None, "note": note}
            )
    return rows


def median(values: list[float | None]) -> float | None:
    """Return the median of what was measured, None if nothing was."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
