"""One Compose project: its files and settings, its calls, and its containers as the engine shows them."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.models.containers import Container

from harness.errors import BenchError
from harness.runtimes.docker import engine

PROJECT_LABEL, SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
CALL_LIMIT_S = 120
TAIL_LINES = 15


def _nobody(_: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Compose project by name; ``settings`` are the variables its files take."""

    name: str
    files: tuple[Path, ...]
    compose: tuple[str, ...]
    client: docker.DockerClient
    settings: Mapping[str, str] = field(repr=False)  # secrets among them
    noted: Callable[[int], None] = _nobody  # hears of every call's process

    def call(self, *words: str) -> str:
        """Run a Compose command and return what it printed.

        Raises:
            BenchError: it failed or did not end; with the last lines that it printed.
        """
        files = [word for file in self.files for word in ("--file", str(file))]
        command = [*self.compose, "--project-name", self.name, *files, *words]
        with subprocess.Popen(
            command,
            env={**os.environ, **engine.same_engine(), **self.settings, "COMPOSE_IGNORE_ORPHANS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is the harness's to answer
        ) as done:
            self.noted(done.pid)
            try:
                printed, _ = done.communicate(timeout=CALL_LIMIT_S)
            except subprocess.TimeoutExpired as late:
                done.kill()
                message = f"`compose {' '.join(words)}` did not end in {CALL_LIMIT_S} s"
                raise BenchError(message, "see the engine's log") from late
        if done.returncode:
            tail = "".join(f"\n    {line}" for line in printed.splitlines()[-TAIL_LINES:])
            raise BenchError(
                f"`compose {' '.join(words)}` ended with {done.returncode}:{tail}",
                "see whether the engine still answers: `chatbench doctor`",
            )
        return printed

    def up(self, *services: str) -> None:
        """Start services as they are, without those they depend on and without building anything."""
        self.call("up", "--detach", "--no-deps", "--no-build", *services)

    def down(self) -> None:
        """Stop and remove everything of the project, its volume included."""
        self.call("down", "--volumes", "--timeout", "3")

    def container(self, service: str) -> Container:
        """Return the container of a service.

        Raises:
            BenchError: there is none.
        """
        wanted = [f"{PROJECT_LABEL}={self.name}", f"{SERVICE_LABEL}={service}"]
        with engine.reached(f"looking for the container of {service}"):
            found = self.client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True)
        if not found:
            raise BenchError(
                f"there is no container of {service} in {self.name}", "something else removed it; measure again"
            )
        return found[0]

    def logs(self, service: str, lines: int = TAIL_LINES) -> str:
        """Return the end of what a service printed."""
        with engine.reached(f"reading what {service} printed"):
            return bytes(self.container(service).logs(tail=lines)).decode(errors="replace")
