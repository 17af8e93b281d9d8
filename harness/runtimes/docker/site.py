"""The facts of this machine and its engine that a trial needs."""

import os
from dataclasses import dataclass
from pathlib import Path

import docker

from harness.host.cgroups import Budget, Hierarchy
from harness.host.cpus import CpuSplit
from harness.runtimes.docker.topology import USER_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The engine, how Compose is called, and how CPUs are divided."""

    client: docker.DockerClient
    compose: tuple[str, ...]
    compose_version: str
    version: str
    driver: str  # of the engine's control groups: cgroupfs or systemd
    split: CpuSplit
    budget: Budget
    hierarchy: Hierarchy | None

    @property
    def user(self) -> str:
        """The user that model and generator write results as: this person, or for root the images' own user."""
        return f"{os.getuid()}:{os.getgid()}" if os.getuid() else f"{USER_ID}:{USER_ID}"

    def hand_over(self, folder: Path) -> None:
        """Let model and generator write into a trial's folder."""
        if os.getuid() == 0:
            os.chown(folder, USER_ID, USER_ID)

    def take_back(self, folder: Path) -> None:
        """Make everything in a trial's folder ours again."""
        if os.getuid() == 0:
            for parent, _, files in os.walk(folder):
                for name in (".", *files):
                    os.chown(Path(parent, name), 0, 0, follow_symlinks=False)
