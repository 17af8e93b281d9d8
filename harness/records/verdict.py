"""A verdict and its reasons."""

from dataclasses import dataclass
from typing import Literal

VerdictOutcome = Literal["pass", "fail", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a verdict."""

    code: str  # such as slo.added_ttft_p95_s or target.oom: harness/analysis/reason.py explains all
    text: str  # one sentence
    value: float | None = None
    limit: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Pass, fail or invalid, with reasons; contended: the machine may have failed instead of the target."""

    outcome: VerdictOutcome
    reasons: tuple[Reason, ...] = ()
    contended: bool = False
