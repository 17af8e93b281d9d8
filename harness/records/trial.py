"""A trial and its key."""

from dataclasses import dataclass

from harness.records.coding import FORMAT_VERSION
from harness.records.resources import Component, Limits
from harness.records.turn import GeneratorSummary
from harness.records.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """The key of a trial: target × scenario × level × repetition, numbered in the order of the target's trials."""

    target: str
    scenario: str
    level: int
    repetition: int
    number: int
    round: int = 0  # of the estimate; 0: the search and everything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measured point; ``trial.json``."""

    format_version: int = FORMAT_VERSION
    key: TrialKey
    started_at: str  # ISO 8601, UTC
    limits: Limits
    components: tuple[Component, ...]
    summary: GeneratorSummary | None
    verdict: Verdict
    figures: dict[str, float | None]  # names carry units; see harness/analysis/chat_figures.py
    files: dict[str, str]  # name -> SHA-256
