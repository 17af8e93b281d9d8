"""A target started to be looked at or tested: same stack, same limits, a person's rate limit, no load."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import results
from harness.records import AnswerPlan, Limits
from harness.runtimes.protocol import MESSAGES_PER_MINUTE, Pod, Prepared, Runtime, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A started target: where it can be reached, within which limits, and the folder of its logs."""

    pod: Pod
    stack: Stack
    limits: Limits
    folder: Path


@contextmanager
def serving(runtime: Runtime, prepared: Prepared, answer: AnswerPlan, folder: Path) -> Iterator[Served]:
    """Start a target on fresh seeded data, yield where it is, stop it on leaving.

    Raises:
        BenchError: a component that does not come up.
    """
    name = results.slug(prepared.target.name)
    folder.mkdir(parents=True, exist_ok=True)
    with runtime.open_trial(f"serve-{name}", folder) as pod:
        launched = pod.launch(prepared, answer, MESSAGES_PER_MINUTE)
        yield Served(pod=pod, stack=launched, limits=pod.limits(), folder=folder)
