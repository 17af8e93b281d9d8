"""The harness dies under load: nothing of its own goes on, and nobody else's containers are touched."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from harness.host import procfs
from harness.runtimes.docker import DockerRuntime, engine
from tests.e2e.campaigns.bad_days_campaign import TOY, Command, until
from tests.e2e.containers.engine import ContainerPlace, bystander, connected, prepared

pytestmark = pytest.mark.docker

ENDED_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def images() -> None:
    """Have the images built before anything is timed."""
    prepared("toy")


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    with connected() as found:
        yield found


def starting(place: ContainerPlace, command: Command) -> None:
    """Wait until Compose has made the first container of a trial, and goes on to the next."""
    pid = command.process.pid
    place.reaches(command, lambda: any("pod" in name for name in place.in_engine(pid)))


def under_load(place: ContainerPlace, command: Command) -> None:
    """Wait until a trial of a campaign answers turns."""
    since = time.time()
    place.reaches(command, lambda: place.under_load(since))
    assert any("app" in name for name in place.in_engine(command.process.pid))


def watchdogs(place: ContainerPlace) -> list[int]:
    """Return the watchdogs of a place's commands."""
    everything = {one.pid: Path(f"/proc/{one.pid}") for one in procfs.every_process()}
    mark = str(place.temporary).encode()
    found = []
    for pid, folder in everything.items():
        try:
            ours = mark in (folder / "environ").read_bytes() and b"watchdog.py" in (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        found += [pid] if ours else []
    return found


@pytest.mark.parametrize("moment", [starting, under_load])
def test_nothing_outlives_a_killed_harness(
    client: docker.DockerClient, tmp_path: Path, moment: Callable[[ContainerPlace, Command], None]
) -> None:
    place = ContainerPlace(tmp_path)
    ours = {engine.HARNESS_LABEL: engine.harness_mark(), engine.TRIAL_LABEL: "chatbench-another"}
    with bystander(client, ours) as another, place.command(*place.measuring(TOY)) as command:
        moment(place, command)
        command.process.kill()
        command.process.wait()
        until(lambda: not place.left(command.process.pid), ENDED_S)
        assert place.left(command.process.pid) == []
        another.reload()
        assert another.status == "running"


@pytest.mark.alone  # any local trial that starts meanwhile would remove it, too
def test_what_a_watchdog_could_not_remove_goes_at_the_next_start(tmp_path: Path) -> None:
    place = ContainerPlace(tmp_path)
    with place.command(*place.measuring(TOY)) as command:
        under_load(place, command)
        for pid in (*watchdogs(place), command.process.pid):
            os.kill(pid, signal.SIGKILL)
        command.process.wait()
    gone = command.process.pid
    assert place.in_engine(gone)
    assert place.groups(gone)
    runtime = DockerRuntime()
    try:
        assert place.in_engine(gone) == []
        runtime.open_trial("next", tmp_path / "next").stop()
        assert place.groups(gone) == []
        assert place.running(gone) == []
    finally:
        runtime.close()


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(client: docker.DockerClient) -> None:
    alive, dead = engine.harness_mark(), f"{os.getpid()}-1"  # the same number, used by a process before this one
    kept, lost = "chatbench-test-kept", "chatbench-test-lost"
    volumes = [
        client.volumes.create(f"{name}-{alive}", labels={engine.HARNESS_LABEL: mark})
        for name, mark in ((kept, alive), (lost, dead))
    ]
    try:
        with (
            bystander(client, {engine.HARNESS_LABEL: dead}) as gone,
            bystander(client, {engine.TRIAL_LABEL: "x"}) as left,
        ):
            DockerRuntime().close()
            names = {str(one.name) for one in client.containers.list(all=True, ignore_removed=True)}
            assert gone.name not in names
            assert left.name in names
        names = {str(one.name) for one in client.volumes.list()}
        assert f"{kept}-{alive}" in names
        assert f"{lost}-{alive}" not in names
    finally:
        volumes[0].remove()
