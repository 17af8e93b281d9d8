"""The protocol of a runtime: the small interface to a target's stack, in processes or containers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from harness.records import AnswerPlan, Component, Limits, LoadPlan, ResourceSample, TargetInfo
from harness.targets import Catalogue, Target

MESSAGES_PER_MINUTE = 60  # what a person may send
UNLIMITED_PER_MINUTE = 1_000_000  # under load the rate limit stays in the code path, its bound out of reach
SEEDED_USERS = 1000
MODEL_PATIENCE_S = 5  # that a model is given to answer, once nobody was answered
GENERATOR = "generator"
Report = Callable[[str], None]


class Prepared(Protocol):
    """A target ready to be started as often as wanted; the rest is the runtime's own."""

    @property
    def target(self) -> Target:
        """The target to start."""
        ...

    @property
    def seed(self) -> int:
        """The seed of its data and of the model's answers."""
        ...

    @property
    def info(self) -> TargetInfo:
        """The report's facts on the target."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A started target."""

    instances: tuple[str, ...]  # base URLs as the generator reaches them
    model_url: str
    model_log: Path  # on this machine's disk
    ready_after_s: float  # from launching the first component of the target until all are ready
    api_url: str | None = None  # of the API behind a page that is a server of its own; else it is the page's
    log_inside: str | None = None  # ``model_log`` as a module that ``Pod.inside`` runs sees it
    site_inside: str | None = None  # folder of packages with the target's own Streamlit, as such a module sees it


class Pod(Protocol):
    """One trial's components under its limits; leaving the ``with`` block stops them."""

    def __enter__(self) -> "Pod": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def limits(self) -> Limits:
        """Return the limits as the kernel enforces them on what was launched."""
        ...

    def launch(self, prepared: Any, answer: AnswerPlan, messages_per_minute: int) -> Stack:
        """Start model, services and all instances of a target on a fresh copy of its seeded data.

        ``prepared`` is what the same runtime's ``prepare`` returned.

        Raises:
            BenchError: a component ended or stayed silent; with the last lines of its log.
        """
        ...

    def generate(self, plan: LoadPlan) -> None:
        """Write the plan and start the generator, outside the target's budget, as the component ``generator``."""
        ...

    def inside(self, purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
        """Run a Python module of this checkout where the target can be reached, on the others' CPUs.

        Returns the JSON list that it prints.

        Raises:
            BenchError: it failed or did not end in its time; ``purpose`` says of what, with the end of what it printed.
        """
        ...

    def components(self) -> tuple[Component, ...]:
        """Return what was started, in that order."""
        ...

    def sample(self) -> list[ResourceSample]:
        """Return one reading of every component now."""
        ...

    def exited(self) -> list[tuple[str, int]]:
        """Return components that ended without being asked to, with their return code (negative: signal)."""
        ...

    def model_silent(self, stack: Stack) -> str:
        """Return why the model does not answer within ``MODEL_PATIENCE_S``; empty where it does."""
        ...

    def oom_kills(self) -> int:
        """Return how many processes of the target were killed for lack of memory; still right once stopped."""
        ...

    def memory_limit_reached(self) -> bool | None:
        """Tell whether the target reached its own memory limit so far; None where the kernel does not tell.

        A limit around target, model and generator is not its own. Asked as long as the trial runs.
        """
        ...

    def wait(self, name: str, timeout_s: float) -> int | None:
        """Wait for a component to end; its return code, or None when it still runs."""
        ...

    def stop(self) -> None:
        """Stop everything within five seconds and remove it; may be called again."""
        ...


class Runtime(Protocol):
    """Makes targets ready and opens trials."""

    def prepare(self, target: Target, catalogue: Catalogue, root: Path, seed: int, report: Report) -> Prepared:
        """Make all that starting a target needs, kept for the next time in ``root``/.chatbench.

        Raises:
            BenchError: an installation, build or seeding that failed, with the last lines of its log.
        """
        ...

    def open_trial(self, name: str, folder: Path) -> Pod:
        """Make the limits of a trial; ``name`` is [a-z0-9-], ``folder`` its place in the results."""
        ...
