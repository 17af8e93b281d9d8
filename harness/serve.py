"""A target started to be looked at or tested: same stack, same limits, no load."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import stack, store
from harness.records import AnswerPlan, Limits
from harness.runtimes import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where a started target can be reached."""

    base_urls: tuple[str, ...]
    upstream_url: str
    upstream_log: Path
    limits: Limits
    folder: Path


@contextmanager
def serving(runtime: Runtime, prepared: stack.Prepared, answer: AnswerPlan, folder: Path) -> Iterator[Served]:
    """Start a target on fresh seeded data, yield where it is, stop it on leaving.

    Raises:
        BenchError: a component that does not come up.
    """
    name = store.slug(prepared.target.name)
    folder.mkdir(parents=True, exist_ok=True)
    data = stack.scratch_folder(name)
    try:
        with runtime.open_trial(f"serve-{name}", folder) as pod:
            launched = stack.launch(pod, prepared, answer, folder, data)
            yield Served(
                base_urls=launched.instances,
                upstream_url=launched.upstream_url,
                upstream_log=launched.upstream_log,
                limits=pod.limits(),
                folder=folder,
            )
    finally:
        shutil.rmtree(data, ignore_errors=True)
