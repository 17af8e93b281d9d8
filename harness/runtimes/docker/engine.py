"""The Docker engine: finding it, and removing exactly what a harness that is gone has left in it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import requests
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from harness.errors import BenchError
from harness.host import procfs

DEFAULT_CONTEXT = "default"  # of the CLI: this machine's own socket
SOCKET = "unix:///var/run/docker.sock"
TIMEOUT_S = 60
HARNESS_LABEL = "chatbench.harness"  # process number and start of the harness that made an object
TRIAL_LABEL = "chatbench.trial"
CHOOSE = "choose another one: docker context use default, or set DOCKER_HOST to the engine's socket"
COMPOSE_VARIABLE = "CHATBENCH_COMPOSE"
LOST = (DockerException, requests.exceptions.ConnectionError, requests.exceptions.Timeout)


def connect(timeout_s: int = TIMEOUT_S) -> docker.DockerClient:
    """Return a client of this machine's engine.

    Raises:
        BenchError: none answers, or it is on another machine, where its limits cannot be read.
    """
    host = address()
    remedy = "start the engine (`systemctl start docker`), set DOCKER_HOST to its socket, or measure with RUNTIME=local"
    if not host.startswith("unix://"):
        raise BenchError(
            f"the Docker engine at {host} is not on this machine",
            "use the local engine's unix socket: DOCKER_HOST, or docker context use",
        )
    try:
        # asked first, because the SDK leaves a socket open that nobody answers on
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(host.removeprefix("unix://"))
        return docker.DockerClient(base_url=host, timeout=timeout_s)
    except (*LOST, OSError) as absent:
        reason = str(absent).splitlines()[0][:120]
        raise BenchError(f"no Docker engine answers at {host} ({reason})", remedy) from absent


def address() -> str:
    """Return where the engine is that the CLI would use: ``DOCKER_HOST``, else its context; empty counts as unset.

    Raises:
        BenchError: the context that is in use does not exist, or cannot be read.
    """
    if host := os.environ.get("DOCKER_HOST"):
        return host
    name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name() or DEFAULT_CONTEXT
    if name == DEFAULT_CONTEXT:
        return SOCKET
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the SDK names no error of its own for a damaged one
        raise BenchError(f"the Docker context {name!r} cannot be read: {error}", CHOOSE) from error
    if context is None or not context.Host:
        raise BenchError(f"the Docker context {name!r} does not exist", CHOOSE)
    return str(context.Host).removeprefix("http+")


@contextmanager
def reached(what: str) -> Iterator[None]:
    """Turn a lost or refusing engine into a BenchError that says what was being done."""
    try:
        yield
    except NotFound as gone:
        raise BenchError(f"{what}: {gone.explanation}", "something else removed it; measure again") from gone
    except APIError as refused:
        message = refused.explanation or str(refused)
        raise BenchError(f"{what}: the Docker engine refused: {message}", "see `chatbench doctor`") from refused
    except LOST as lost:
        raise BenchError(
            f"{what}: the Docker engine went away ({str(lost)[:160]})",
            "start it again",
        ) from lost


def same_engine() -> dict[str, str]:
    """Return variables that lead the CLI and Compose to the engine of the SDK, in any context of theirs."""
    return {"DOCKER_HOST": address(), "DOCKER_CONTEXT": "", "BUILDX_BUILDER": "default"}


def compose_command() -> tuple[str, ...]:
    """Return how Compose is called here: as a plug-in of the CLI, else as ``docker-compose`` (1.29 or newer).

    Raises:
        BenchError: there is neither.
    """
    chosen = os.environ.get(COMPOSE_VARIABLE)
    if chosen:
        return tuple(chosen.split())
    for client in programs("docker"):
        if _works([client, "compose", "version"]):
            return (client, "compose")
    for program in programs("docker-compose"):
        return (program,)
    raise BenchError(
        "Docker Compose is not installed", "install it: docker-compose-plugin, or Debian's package docker-compose"
    )


def compose_version(command: Sequence[str]) -> str:
    """Return the version that a Compose command prints."""
    done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.strip() or "unknown"


def builder() -> tuple[str, str | None]:
    """Return a Docker CLI that can build with BuildKit, and why there is none.

    Since version 23 the CLI needs the plug-in buildx for that; before, BuildKit is part of it.
    """
    for client in programs("docker"):
        if _works([client, "buildx", "version"]):
            return client, None
        if client_version(client) < (23,):
            return client, None
    return "", "no Docker CLI that can build with BuildKit: install docker-buildx (docker-buildx-plugin)"


def client_version(client: str) -> tuple[int, ...]:
    """Return a Docker CLI's version as numbers; one that cannot be read counts as newer than any."""
    done = subprocess.run([client, "--version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"\d+(\.\d+)*", done.stdout)  # Docker version 20.10.24+dfsg1, build …
    return tuple(map(int, found[0].split("."))) if found else (sys.maxsize,)


def programs(name: str) -> list[str]:
    """Return every program of a name on PATH, in its order."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = [program for folder in folders if (program := shutil.which(name, path=folder))]
    return list(dict.fromkeys(found))


def _works(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def harness_mark(pid: int | None = None) -> str:
    """Return what tells this harness from another one that got its process number later.

    Raises:
        OSError: there is no such process, or it has ended and nobody has taken note yet.
    """
    pid = pid or os.getpid()
    text = procfs.read(f"/proc/{pid}/stat")
    fields = text[text.rindex(")") + 2 :].split()  # from the third on, proc_pid_stat(5)
    if fields[0] in "ZX":
        raise ProcessLookupError(f"process {pid} has ended")
    return f"{pid}-{fields[19]}"  # starttime


def _lives(mark: str) -> bool:
    pid = mark.partition("-")[0]
    with suppress(OSError, ValueError):
        return harness_mark(int(pid)) == mark
    return False


def sweep(client: docker.DockerClient, mark: str) -> None:
    """Remove the containers and volumes that one harness made; others are left alone."""
    _sweep(client, f"{HARNESS_LABEL}={mark}")


def sweep_trial(client: docker.DockerClient, name: str) -> None:
    """Remove what is left of one trial."""
    _sweep(client, f"{TRIAL_LABEL}={name}")


def _sweep(client: docker.DockerClient, label: str) -> None:
    wanted: dict[str, str | list[str] | bool] = {"label": label}
    for container in client.containers.list(all=True, filters=wanted, ignore_removed=True):
        remove(container)
    for volume in client.volumes.list(filters=wanted):
        with suppress(NotFound):
            try:
                volume.remove(force=True)
            except APIError as refused:
                if refused.response is None or refused.response.status_code != 409:  # 409: still in use
                    raise


def sweep_leftovers(client: docker.DockerClient) -> None:
    """Remove what harnesses made that are gone."""
    labelled: dict[str, str | list[str] | bool] = {"label": HARNESS_LABEL}
    objects = [*client.containers.list(all=True, filters=labelled, ignore_removed=True)]
    marks = {str(one.labels[HARNESS_LABEL]) for one in objects}
    marks |= {str((one.attrs.get("Labels") or {})[HARNESS_LABEL]) for one in client.volumes.list(filters=labelled)}
    for mark in marks:
        if not _lives(mark):
            sweep(client, mark)


def remove(container: Container) -> None:
    """Kill and remove a container; one that is being removed already counts as removed."""
    with suppress(NotFound):
        try:
            container.remove(force=True, v=True)
        except APIError as refused:
            if refused.response is None or refused.response.status_code != 409:  # 409: removal is in progress
                raise


def exit_code(container: Container, limit_s: float) -> int | None:
    """Wait for a container to end and return its exit code, None where it still runs after its time."""
    deadline_s = time.monotonic() + limit_s
    try:
        return int(container.wait(timeout=limit_s)["StatusCode"])
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
        if time.monotonic() < deadline_s:
            raise  # the engine is what was lost
        return None


def sweeper(mark: str) -> list[str]:
    """Return a command that sweeps after a harness; it runs without this process."""
    return [sys.executable, str(Path(__file__).resolve()), mark]


if __name__ == "__main__":
    engine = connect(timeout_s=8)
    sweep(engine, sys.argv[1])
    time.sleep(1)  # what the engine had been told to make before it knew
    sweep(engine, sys.argv[1])
