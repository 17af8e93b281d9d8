"""The machine's speed around a trial: the same fixed work, timed before and after."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedWork:
    """One execution of the fixed work.

    Attributes:
        seconds: CPU time by kind of work, the median over its rounds; empty where it was not timed.
        missing: Why it was not timed; None where it was.
    """

    seconds: dict[str, float]
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpeed:
    """The fixed work before a trial's start and after its stop."""

    before: FixedWork
    after: FixedWork
