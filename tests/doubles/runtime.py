"""A runtime of no processes: its generator's files and readings are made up, the same for the same trial every time."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from harness.records import (
    Component,
    GeneratorSummary,
    Limits,
    LoadPlan,
    ResourceSample,
    StepTimes,
    TargetInfo,
    to_json,
)
from harness.results import write_json
from harness.runtimes.protocol import Stack
from harness.targets import Catalogue, Target
from tests.doubles import results_run
from tests.doubles.trials import LIMITS

SYSTEMS = {system.name: replace(system, spare_cpus=True) for system in results_run.SMALL}
END_S = results_run.START_S + results_run.RAMP_S + results_run.WARM_S + results_run.MEASURE_S + results_run.DRAIN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePrepared:
    """A target that is always ready."""

    target: Target
    seed: int
    info: TargetInfo


class FakePod:
    """One trial's files, written at once."""

    def __init__(self, name: str, folder: Path) -> None:
        self._folder, self._system = folder, SYSTEMS["streamlit"]
        self._readings: list[ResourceSample] = []

    def __enter__(self) -> "FakePod":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is running."""

    def limits(self) -> Limits:
        return LIMITS

    def launch(self, prepared: FakePrepared, answer: Any, messages_per_minute: int) -> Stack:
        self._system = SYSTEMS[prepared.target.name]
        log = self._folder / "emissions.jsonl"
        log.touch()
        return Stack(instances=("http://fake",), model_url="http://fake", model_log=log, ready_after_s=1.0)

    def generate(self, plan: LoadPlan) -> None:
        """Write what a generator and a model would, and keep the readings for the sampler."""
        users = plan.users
        turns, emissions = results_run.turns_of(self._system, users, random.Random(f"{self._system.name}:{users}"))
        summary = results_run._summary(users, turns)
        self._readings = results_run.samples(self._system, summary.turns_begun / results_run.MEASURE_S, END_S)
        if plan.scenario == "idle":
            turns, emissions, summary = [], [], self._idle(plan, summary)
        self._write("turns.jsonl", turns)
        self._write("emissions.jsonl", emissions)
        write_json(self._folder / "generator.json", to_json(summary))

    def _idle(self, plan: LoadPlan, summary: GeneratorSummary) -> GeneratorSummary:
        steps = tuple(
            StepTimes(sessions=n, start_s=results_run.START_S + 6 * i, end_s=results_run.START_S + 6 * i + 4)
            for i, n in enumerate(plan.steps)
        )
        self._readings = [
            sample
            for step in steps
            for sample in results_run.samples(self._system, 0.0, END_S, step.sessions)
            if step.start_s <= sample.t_s <= step.end_s
        ]
        return replace(summary, steps=steps)

    def _write(self, name: str, records: list[Any]) -> None:
        (self._folder / name).write_bytes(b"".join(orjson.dumps(to_json(one)) + b"\n" for one in records))

    def inside(self, purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
        """Return one passed check of the contract, and an audit without findings."""
        return [{"operation": "page", "passed": True, "text": "it is there"}] if words[0] == "contract" else []

    def components(self) -> tuple[Component, ...]:
        return (Component(name="app", role="target", version="1"), Component(name="llm", role="model", version="1"))

    def sample(self) -> list[ResourceSample]:
        """Return all readings the first time: they lie on the made-up turns' own clock."""
        found, self._readings = self._readings, []
        return found

    def exited(self) -> list[tuple[str, int]]:
        return []

    def model_silent(self, stack: Stack) -> str:
        return ""

    def oom_kills(self) -> int:
        return 0

    def memory_limit_reached(self) -> bool | None:
        return False

    def wait(self, name: str, timeout_s: float) -> int | None:
        return 0

    def stop(self) -> None:
        """Nothing is running."""


class FakeRuntime:
    """Makes targets ready and opens trials, in no time."""

    def prepare(self, target: Target, catalogue: Catalogue, root: Path, seed: int, report: Any) -> FakePrepared:
        return FakePrepared(target=target, seed=seed, info=results_run.target_info(SYSTEMS[target.name]))

    def open_trial(self, name: str, folder: Path) -> FakePod:
        return FakePod(name, folder)

    def close(self) -> None:
        """Nothing is open."""
