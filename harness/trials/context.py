"""Where and how the trials of a campaign run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.validity import Validity
from harness.records import (
    Profile,
)
from harness.runtimes.protocol import (
    Runtime,
)
from harness.trials import generator

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialContext:
    """Where and how trials are run."""

    run: Path
    runtime: Runtime
    profile: Profile
    tell: Callable[[str, generator.Live | None], None]
    validity: Validity = field(default_factory=Validity)
    workers: int = 1  # generator processes, where there is load
