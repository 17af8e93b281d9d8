"""One component of a local stack, and what starts it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.records import Component, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The launch of one component; ``ready_url`` is ``http://…`` (any status below 400) or ``tcp://host:port``."""

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


class Starter(Protocol):
    """As much of a local pod as putting up a stack takes."""

    def free_port(self) -> int:
        """Return a port of 127.0.0.1 that nobody listens on and that was not handed out before."""
        ...

    def scratch(self) -> Path:
        """Return a folder for the trial's data, removed with the trial."""
        ...

    def open_scratch(self) -> Path:
        """Return a folder for the data of a program that runs as another user, removed with the trial."""
        ...

    def start(self, wanted: Launch, /) -> Component:
        """Start a component and wait until it is ready; BenchError with the last lines of its log when it does not."""
        ...
