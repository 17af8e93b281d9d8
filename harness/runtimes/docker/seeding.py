"""Seeded data of a containerised target: made once in a volume of its own, copied for every start."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import docker
from docker.errors import APIError, NotFound

from harness.errors import BenchError
from harness.runtimes.docker import engine
from harness.runtimes.docker.project import Project
from harness.runtimes.docker.topology import USER_ID
from harness.runtimes.inside import tail_of
from harness.runtimes.protocol import Report

SEEDING_LIMIT_S = 300
PREFIX = "chatbench-seeded-"


def template_name(images: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """Return the name of the volume that holds the data these images make of these settings."""
    text = json.dumps([sorted(images.items()), sorted(settings.items())])
    return f"{PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def ensure(project: Project, template: str, stamps: Path, report: Report, target: str) -> None:
    """Run the target's own ``prepare`` service into a template volume unless that was done before.

    A stamp on disk says that the volume is whole; the project's settings name the volume.

    Raises:
        BenchError: seeding failed, with the end of what it printed.
    """
    stamp = stamps / template
    if stamp.is_file() and _exists(project.client, template):
        return
    report(f"{target}: seeding the containers' data")
    stamp.unlink(missing_ok=True)
    whole = False
    try:
        _remove(project.client, template)
        project.call("up", "--detach", "--no-build", "prepare")
        with engine.reached(f"{target}: seeding"):
            code = int(project.container("prepare").wait(timeout=SEEDING_LIMIT_S)["StatusCode"])
        if code:
            raise BenchError(
                f"{target}: seeding ended with {code}:{tail_of(project.logs('prepare'))}",
                "fix the part's `prepare` command, then run it again",
            )
        whole = True
    finally:
        project.call("down", "--timeout", "20")  # the volume stays; the database closes its files in peace
        if not whole:
            with suppress(APIError):
                _remove(project.client, template)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(target)
    _remove_older(project.client, stamp, target)


def _remove_older(client: docker.DockerClient, newest: Path, target: str) -> None:
    """Remove the templates of a target's earlier images and settings, unless something still uses them."""
    for stamp in newest.parent.glob(f"{PREFIX}*"):
        if stamp != newest and not stamp.suffix and stamp.read_text() == target:
            with suppress(APIError):
                _remove(client, stamp.name)
                stamp.unlink()


def copy(client: docker.DockerClient, template: str, volume: str, image: str, labels: Mapping[str, str]) -> None:
    """Make a volume that holds a copy of a template; ``image`` is any of ours (they own /data alike)."""
    with engine.reached("copying the seeded data"):
        client.volumes.create(volume, labels=dict(labels))
        client.containers.run(
            image,
            ["-a", "/template/.", "/data/"],
            entrypoint="cp",
            user=f"{USER_ID}:{USER_ID}",
            volumes={template: {"bind": "/template", "mode": "ro"}, volume: {"bind": "/data", "mode": "rw"}},
            network_mode="none",
            labels=dict(labels),
            remove=True,
        )


def _exists(client: docker.DockerClient, name: str) -> bool:
    try:
        client.volumes.get(name)
    except NotFound:
        return False
    return True


def _remove(client: docker.DockerClient, name: str) -> None:
    try:
        client.volumes.get(name).remove(force=True)
    except NotFound:
        return
