"""A trial and its key."""

from dataclasses import dataclass

from harness.records.coding import FORMAT_VERSION
from harness.records.resources import Component, Limits
from harness.records.speed import MachineSpeed
from harness.records.turn import GeneratorSummary
from harness.records.verdict import Verdict


def scenario_name(scenario: str, parameter: int | None = None) -> str:
    """Return a scenario with its parameter in one word, such as ``open-70``: for folders, ids and people."""
    return scenario if parameter is None else f"{scenario}-{parameter}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """The key of a trial: target × scenario × level × repetition, numbered in the order of the target's trials.

    Attributes:
        scenario: ``check``, ``audit``, ``idle``, ``climb``, ``chat``, ``think``, ``visit``, ``open``, ``spike`` or
            ``soak``.
        parameter: What sets a scenario apart from others of its kind. ``think``: the median think time in seconds.
            ``open``: arrivals as a share of the target's own capacity in percent; None for the common rate.
        level: Users; ``open``: arrivals a minute.
    """

    target: str
    scenario: str
    parameter: int | None = None
    level: int
    repetition: int
    number: int
    round: int = 0  # of the estimate; 0: the search and everything else

    @property
    def name(self) -> str:
        """The scenario with its parameter in one word."""
        return scenario_name(self.scenario, self.parameter)


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
    speed: MachineSpeed | None = None  # None: a trial without load, or one recorded before it was timed
