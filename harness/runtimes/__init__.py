"""Where a trial's components run: one small protocol, whichever way they are started."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from harness.records import Component, Limits, ResourceSample, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start one component; ``ready_url`` is ``http://…`` (any status below 400) or ``tcp://host:port``."""

    name: str  # [a-z0-9-]
    role: Role
    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    log: Path
    version: str
    endpoint: str | None
    ready_url: str | None
    ready_timeout_s: float = 60.0


class Pod(Protocol):
    """One trial's components under its limits; leaving the ``with`` block stops them."""

    def __enter__(self) -> "Pod": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def limits(self) -> Limits:
        """Return the limits as the kernel enforces them."""
        ...

    def free_port(self) -> int:
        """Return a port of 127.0.0.1 that nobody listens on and that was not handed out before."""
        ...

    def scratch(self) -> Path:
        """Return a folder for the trial's data, removed with the trial."""
        ...

    def start(self, launch: Launch) -> Component:
        """Start a component and wait until it is ready.

        Raises:
            BenchError: it ended or stayed silent; with the last lines of its log.
        """
        ...

    def components(self) -> tuple[Component, ...]:
        """Return what was started, in that order."""
        ...

    def ready_after_s(self, name: str) -> float:
        """Return how long a component took from its start until it was ready."""
        ...

    def sample(self) -> list[ResourceSample]:
        """Return one reading of every component now."""
        ...

    def exited(self) -> list[tuple[str, int]]:
        """Return components that ended without being asked to, with their return code (negative: signal)."""
        ...

    def oom_kills(self) -> int:
        """Return how many processes of the target were killed for want of memory; still right once stopped."""
        ...

    def wait(self, name: str, timeout_s: float) -> int | None:
        """Wait for a component to end; its return code, or None when it still runs."""
        ...

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a component's processes."""
        ...

    def stop(self) -> None:
        """Stop everything within five seconds and remove the groups; may be called again."""
        ...


class Runtime(Protocol):
    """Opens trials."""

    def open_trial(self, name: str, folder: Path) -> Pod:
        """Make the limits of a trial; ``name`` is [a-z0-9-], ``folder`` its place in the results."""
        ...
