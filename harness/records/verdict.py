"""A verdict and its reasons."""

from dataclasses import dataclass
from typing import Literal

VerdictOutcome = Literal["pass", "fail", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a verdict."""

    code: str  # slo.added_ttft, slo.failures, target.oom, invalid.foreign_cpu, note.contended, …
    text: str  # one sentence
    value: float | None = None
    limit: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Pass, fail or invalid, with reasons; contended: without spare CPUs a fail is a bound, not a capacity."""

    outcome: VerdictOutcome
    reasons: tuple[Reason, ...] = ()
    contended: bool = False
