"""The context of a campaign's trials, and a trial that has begun."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness import results
from harness.analysis.validity import Validity
from harness.records import FixedWork, Profile, TrialKey
from harness.runtimes.protocol import Pod, Prepared, Runtime
from harness.trials.watching import Live


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialContext:
    """The place and the settings that trials are run with."""

    run: Path
    runtime: Runtime
    profile: Profile
    tell: Callable[[str, Live | None], None]
    validity: Validity = field(default_factory=Validity)
    workers: int = 1  # generator processes, where there is load
    fixed_work: Callable[[Path, Iterable[int]], FixedWork] | None = None  # None: the machine's speed is not recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A trial that has begun: what it is, and its empty folder."""

    context: TrialContext
    prepared: Prepared
    key: TrialKey
    folder: Path
    started_at: str  # ISO 8601, UTC

    def open_pod(self) -> Pod:
        """Make the trial's limits."""
        key = self.key
        return self.context.runtime.open_trial(f"{results.slug(key.target)}-{key.name}-{key.number}", self.folder)


def begin(context: TrialContext, prepared: Prepared, key: TrialKey) -> Begun:
    """Empty a trial's folder and say that it starts."""
    folder = results.trial_folder(context.run, key)
    shutil.rmtree(folder, ignore_errors=True)  # left by an interrupted campaign
    folder.mkdir(parents=True)
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    context.tell("starting", None)
    return Begun(context=context, prepared=prepared, key=key, folder=folder, started_at=started_at)
