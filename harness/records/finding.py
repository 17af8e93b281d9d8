"""The results of an audit and of a swap matrix."""

from dataclasses import dataclass
from typing import Literal

from harness.records.coding import FORMAT_VERSION

Topic = Literal["flexibility", "integration", "security", "maintenance"]
FindingOutcome = Literal["passed", "failed", "not measured"]
CONTROL = "control: "  # begins the lines of a finding that describe no input


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of trying one property of a target; ``audit.json`` holds a list of them.

    Attributes:
        topic: The row of the table it belongs to.
        name: Stable id in [a-z0-9-], unique within a target's audit.
        title: The property, in plain words.
        outcome: ``passed`` where every input did what it should, ``failed`` where one did not, else ``not measured``.
        exercised: Inputs or steps that were really tried.
        passed: How many of them did what they should.
        text: The observation, in one sentence.
        brief: What differs from what should be, in a few words for the table; empty where the first line says it.
        value: A number of its own, where it has one, in ``unit``.
        details: A line per input: the input, the expectation, the observation. Also a line per control that passed,
            marked as such, which no count holds.
        table: The same as a table, in lines, where it is easier to read so.
    """

    topic: Topic
    name: str
    title: str
    outcome: FindingOutcome
    exercised: int
    passed: int
    text: str
    value: float | None = None
    unit: str | None = None
    details: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    brief: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for an outcome that contradicts its counts: nothing tried is never a pass."""
        if not 0 <= self.passed <= self.exercised:
            raise ValueError(f"finding {self.name}: {self.passed} of {self.exercised} inputs passed")
        carried = {
            "not measured": self.exercised == 0,
            "passed": 0 < self.exercised == self.passed,
            "failed": self.passed < self.exercised,
        }
        if not carried[self.outcome]:
            raise ValueError(f"finding {self.name}: {self.outcome!r} with {self.passed} of {self.exercised} inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedPair:
    """One API with one web part, used in a real browser from end to end."""

    api: str
    web: str
    parts: tuple[dict[str, str], ...]  # name, title, package, version; none where they could not be made ready
    duration_s: float  # start of the stack and all steps
    finding: Finding  # an input is a step
    screenshot: str | None = None  # file beside the evidence, where a step failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapMatrix:
    """The pairs of APIs and web parts that work together; ``swap.json``."""

    format_version: int = FORMAT_VERSION
    made_at: str  # ISO 8601, UTC
    browser: str | None  # name and version
    duration_s: float
    pairs: tuple[SwappedPair, ...]
    note: str | None = None  # why there is no pair
