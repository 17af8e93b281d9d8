"""A run: its settings, its machine, its versions."""

from dataclasses import dataclass
from typing import Any

from harness.records.coding import FORMAT_VERSION
from harness.records.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    """One target of a run: its parts with versions as installed."""

    title: str
    kind: str  # monolith, modular, hybrid or control
    protocol: str
    instances: int  # 0: no application, the generator talks to the model
    python_processes: int  # of all instances together: bounds the cores its busiest code can use
    processes: str  # in words
    features: tuple[str, ...]
    parts: tuple[dict[str, str], ...]  # name, title, package, version; of the target's own also sources, a SHA-256


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownQuantity:
    """A quantity whose true value is known, as this machine measured it.

    Attributes:
        error: Of the measurement; None where nothing was measured.
        allowed: The largest error that is ``ok``.
        text: The two sides of the comparison.
    """

    name: str
    unit: str  # s, users, bytes, turns; empty for what has no number
    true: float | None
    measured: float | None
    error: float | None
    allowed: float | None
    outcome: str  # ok, failed, not measured
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """The harness's own error on a machine; ``.chatbench/selftest.json``."""

    format_version: int = FORMAT_VERSION
    created_at: str  # ISO 8601, UTC
    tool_version: str
    machine: dict[str, Any]
    duration_s: float
    foreign_cpu_ratio: float | None  # the most that other programs took during one of its trials
    quantities: tuple[KnownQuantity, ...]

    @property
    def passed(self) -> bool:
        """Tell if nothing failed and something was measured."""
        outcomes = {one.outcome for one in self.quantities}
        return "failed" not in outcomes and "ok" in outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTerms:
    """The terms of a gate: two revisions by name, the share that head may add, and the pairs of a batch.

    ``remarks`` say where the revisions differ by more, or by less, than head's own change.
    """

    base: str
    head: str
    margin: float
    pairs: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The settings, machine and versions of a run; ``run.json``."""

    format_version: int = FORMAT_VERSION
    run_id: str
    created_at: str  # ISO 8601, UTC
    command: tuple[str, ...]
    tool_version: str
    seed: int
    runtime: str
    profile: Profile
    machine: dict[str, Any]
    common_level: int  # users at which cost figures are compared
    targets: dict[str, TargetInfo]
    selftest: SelfTest | None = None  # the machine's last before this run; None: never run there
    workers: int = 1  # generator processes
    gate: GateTerms | None = None  # None: no gate was asked for
    directory: str | None = None  # in which the command was typed: folders of targets start there; None: an older run
    measuring: str | None = None  # SHA-256 of all that decides how trials are measured; None: an older run
