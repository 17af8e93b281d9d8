"""The result of granting a wish: a patched copy of a build, tried in a browser."""

from dataclasses import dataclass
from typing import Literal

from harness.records.coding import FORMAT_VERSION

ExperimentOutcome = Literal[
    "met",
    "not met",
    "no patch",
    "does not apply",
    "does not build",
    "breaks the walk",
    "browser missing",
]
#: 0 a setting, 1 a documented extension point, 2 an escape
Level = Literal[0, 1, 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a patch that decides its level.

    Attributes:
        name: Of the pattern, as in the list of patterns.
        file: The file that the patch changes.
        line: The added line, shortened.
    """

    name: str
    file: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The effort of a patch.

    Attributes:
        lines: Added and deleted lines, without generated files and lock files.
        files: Files with such lines.
        parts_touched: Parts of the target that the patch changes.
        parts: Parts of the target.
        rebuild_s: Building what the patch changed; None where that did not happen.
        restart_s: From the start of the target until it is ready; None likewise.
    """

    lines: int
    files: int
    parts_touched: int
    parts: int
    rebuild_s: float | None = None
    restart_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One wish on one target; a file of its own.

    Attributes:
        level: How the wish was met; None where it was not.
        text: What was seen, in one sentence; of a wish without a patch the reason.
        impossible: There is no patch because the framework offers no way, as the reason says.
        depends_on: Digest of all that the result depends on.
        versions: Names and versions of the target's parts.
        machine: A name for the machine, in words.
        walk: A line per step of the walk after the acceptance test.
    """

    format_version: int = FORMAT_VERSION
    wish: str
    target: str
    outcome: ExperimentOutcome
    level: Level | None
    text: str
    impossible: bool = False
    cost: Cost | None
    marks: tuple[Mark, ...] = ()
    depends_on: str
    versions: tuple[dict[str, str], ...] = ()
    made_at: str  # ISO 8601, UTC
    browser: str | None  # name and version
    machine: str
    duration_s: float
    walk: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a level without success, or success without a level."""
        if (self.level is not None) != (self.outcome == "met"):
            raise ValueError(f"experiment {self.wish} on {self.target}: {self.outcome!r} with level {self.level}")

    @property
    def tried(self) -> bool:
        """Tell if the result counts: a patch was tried, or a reason says why there can be none."""
        return self.outcome != "browser missing" and (self.outcome != "no patch" or self.impossible)

    @property
    def rank(self) -> int:
        """The level, 3 where the wish was not achieved: lower is better."""
        return 3 if self.level is None else self.level
