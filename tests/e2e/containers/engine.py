"""The Docker engine in tests: what is in it, who made it, and what runs inside of it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import docker
from docker.models.containers import Container

from harness import targets
from harness.host import watchdog
from harness.runtimes.docker import DockerRuntime, budget, engine
from harness.runtimes.docker.prepared import DockerPrepared
from harness.runtimes.docker.project import PROJECT_LABEL, SERVICE_LABEL
from tests.e2e.campaigns.bad_days_campaign import PATIENCE_S, ROOT, TOY, Command, Place, until

SEED = 42
COMPOSE_2_VARIABLE = "CHATBENCH_TEST_COMPOSE_V2"  # a Compose 2 beside the machine's own


@cache
def prepared(name: str) -> DockerPrepared:
    """Build a target's images and seed its data, once for all tests."""
    catalogue = targets.discover(ROOT / "targets")
    runtime = DockerRuntime()
    try:
        return runtime.prepare(
            catalogue.target(str(ROOT / TOY) if name == "toy" else name), catalogue, ROOT, SEED, print
        )
    finally:
        runtime.close()


@cache
def composes() -> Mapping[int, tuple[str, ...]]:
    """Return how each major version of Compose is called on this machine."""
    named = (os.environ.get(name, "") for name in (engine.COMPOSE_VARIABLE, COMPOSE_2_VARIABLE))
    calls = [tuple(words.split()) for words in named if words]
    calls += [(client, "compose") for client in engine.programs("docker")]
    calls += [(program,) for program in engine.programs("docker-compose")]
    found: dict[int, tuple[str, ...]] = {}
    for call in calls:
        major = engine.compose_version(call).lstrip("v").partition(".")[0]
        if major.isdigit():
            found.setdefault(min(int(major), 2), call)  # what came after 2 goes on from it
    return found


@contextmanager
def connected() -> Iterator[docker.DockerClient]:
    """Give a client of the engine that DOCKER_HOST names."""
    client = engine.connect()
    try:
        yield client
    finally:
        client.close()


def labelled(client: docker.DockerClient, *labels: str) -> list[Container]:
    """Return the containers, stopped ones included, that bear all of these labels."""
    return client.containers.list(all=True, filters={"label": list(labels)}, ignore_removed=True)


def of_service(client: docker.DockerClient, service: str, mark: str | None = None) -> Container:
    """Return the container of a service that a harness started, this process where none is named."""
    labels = f"{engine.HARNESS_LABEL}={mark or engine.harness_mark()}", f"{SERVICE_LABEL}={service}"
    (found,) = labelled(client, *labels)
    return found


def of_project(client: docker.DockerClient, project: str) -> list[str]:
    """Return everything that Compose made for a project."""
    label = {"label": f"{PROJECT_LABEL}={project}"}
    found = [str(one.name) for one in labelled(client, label["label"])]
    found += [str(one.name) for one in client.volumes.list(filters={"label": label["label"]})]
    return found + [str(one.name) for one in client.networks.list(filters={"label": label["label"]})]


def main_process(container: Container) -> int:
    """Return a container's first process as this machine numbers it."""
    container.reload()
    return int(container.attrs["State"]["Pid"])


def hardened(container: Container) -> list[str]:
    """Return in words what a container's processes may do and should not; its first one runs as long as it does."""
    hierarchy = budget.of_process(main_process(container))
    assert hierarchy is not None
    pids = watchdog.group_pids(hierarchy.own["memory"])
    assert pids
    found: list[str] = []
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        except OSError:
            continue  # it ended meanwhile
        status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
        (root,) = [line.split()[5] for line in mounts if line.split()[4] == "/"]
        wrong = {
            "runs as root": "0" in status["Uid"] + status["Gid"],
            "has capabilities": any(int(status[kind][0], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb")),
            "could get capabilities": int(status["CapBnd"][0], 16) != 0,
            "may gain privileges": status["NoNewPrivs"] != ["1"],
            "may make any system call": status["Seccomp"] != ["2"],
            "may write to its root": "ro" not in root.split(","),
        }
        found += [f"{status['Name']} {what}" for what, true in wrong.items() if true]
    return found


def inside(container: Container, *words: str) -> tuple[int, str]:
    """Run a program in a container; its exit code and what it printed."""
    done = container.exec_run(list(words))
    return int(done.exit_code or 0), bytes(done.output).decode(errors="replace").strip()  # type: ignore[arg-type]


@contextmanager
def bystander(client: docker.DockerClient, labels: Mapping[str, str]) -> Iterator[Container]:
    """Have a container of somebody else's run."""
    image = prepared("toy").images["pod"].tag
    container = client.containers.run(image, detach=True, network_mode="none", init=True, labels=dict(labels))
    try:
        yield container
    finally:
        engine.remove(container)


class ContainerPlace(Place):
    """A place whose campaigns run in containers."""

    def measuring(self, *names: str) -> tuple[str, ...]:
        """Return the words that begin a campaign."""
        return ("run", *names, "--runtime", "docker", "--profile", str(self.profile), "--results", str(self.results))

    def reaches(self, command: Command, true: Callable[[], object]) -> None:
        """Wait until something is true of a running command; say all it printed where it does not become so."""
        until(lambda: true() or command.process.poll() is not None, PATIENCE_S)
        assert true(), self.said()

    def said(self) -> str:
        """Return all that its commands printed so far."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("command-*.*")))

    def under_load(self, since: float) -> bool:
        """Tell whether a trial that began after ``since`` (time.time) has answered turns and is not finished."""
        running = self.results.glob("*/trials/*/*/*/live.jsonl")
        return any(path.stat().st_size and path.stat().st_mtime > since for path in running)

    def groups(self, pid: int) -> list[Path]:
        """Return a harness's control groups, in hierarchies as well that only the engine uses."""
        mounts = [line.partition(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        tops = [Path(before.split()[4]) for before, _, after in mounts if after.startswith("cgroup")]
        return [folder for top in tops for folder in top.glob(f"chatbench-*-{pid}")]

    def in_engine(self, pid: int) -> list[str]:
        """Return the containers and volumes that a harness made."""
        label = engine.HARNESS_LABEL
        with connected() as client:
            marked = [(str(one.name), one.labels[label]) for one in labelled(client, label)]
            for volume in client.volumes.list(filters={"label": label}):
                marked.append((str(volume.name), (volume.attrs["Labels"] or {})[label]))
        return [name for name, mark in marked if mark.startswith(f"{pid}-")]

    def running(self, pid: int) -> list[str]:
        """Return what runs of a harness and the groups it made; needs no engine."""
        return [*self.processes(), *map(str, self.groups(pid))]

    def left(self, pid: int) -> list[str]:
        """Return everything that a harness started or made outside of its results."""
        return [*super().left(pid), *self.in_engine(pid)]
