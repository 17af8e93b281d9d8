"""Both versions of Compose there are: a target checked with each, and stacks that a person puts up by hand."""

import os
import re
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from playwright.sync_api import Browser

from harness.probes.browser.person import Person
from harness.runtimes.docker import engine
from harness.runtimes.docker.project import PROJECT_LABEL, SERVICE_LABEL
from tests.e2e.campaigns.bad_days_campaign import ROOT, until
from tests.e2e.containers.engine import (
    SEED,
    ContainerPlace,
    composes,
    connected,
    hardened,
    labelled,
    of_project,
    prepared,
)

pytestmark = pytest.mark.docker

UP_S = 400.0
PAGE = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
#: file -> the variables that the page sets before ``docker compose … up``
DOCUMENTED = {
    file: dict(word.split("=", 1) for word in variables.split())
    for variables, file in re.findall(r"^((?:\w+=\w+ )+)docker compose -p \S+ -f compose/(\S+) up$", PAGE, re.MULTILINE)
}
TARGETS = {"modular.yaml": "django+angular", "monolith.yaml": "streamlit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A stack that ``docker compose up`` has put up."""

    url: str
    containers: dict[str, Container]


@pytest.fixture(params=[1, 2], ids=["Compose 1.29", "Compose 2"])
def compose(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How Compose of each version is called."""
    call = composes().get(request.param)
    if call is None:
        pytest.skip(
            f"docker tests with Compose {request.param} (install it, or name its command in {engine.COMPOSE_VARIABLE})"
        )
    return call


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    with connected() as found:
        yield found


@contextmanager
def by_hand(client: docker.DockerClient, compose: tuple[str, ...], file: str) -> Iterator[ByHand]:
    """Put a stack up with the variables of docs/containers.md, and take it down again: nothing may be left.

    The project, the port and the volume are the test's own, and it does not wait at a terminal.
    """
    project = f"byhand{secrets.token_hex(3)}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = DOCUMENTED[file] | {"PORT": str(port), "DATA_VOLUME": f"{project}-data"}

    def call(*words: str) -> None:
        command = [*compose, "--file", str(ROOT / "compose" / file), "--project-name", project, *words]
        done = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, timeout=UP_S, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        call("up", "--detach")
        found = labelled(client, f"{PROJECT_LABEL}={project}")
        yield ByHand(url=f"http://127.0.0.1:{port}", containers={str(one.labels[SERVICE_LABEL]): one for one in found})
    finally:
        call("down", "--volumes", "--timeout", "3")
    assert of_project(client, project) == []


def is_healthy(container: Container) -> bool:
    """Tell whether a container's own health check is content."""
    container.reload()
    return str(container.attrs["State"]["Health"]["Status"]) == "healthy"


def published(container: Container) -> list[str]:
    """Return the addresses of this machine at which a container can be reached."""
    container.reload()
    return [f"{b['HostIp']}:{b['HostPort']}" for bound in container.ports.values() for b in bound or ()]


def test_the_page_names_the_parts_of_each_target() -> None:
    assert {file: "+".join(variables.values()) for file, variables in DOCUMENTED.items()} == TARGETS
    assert {file: set(variables) for file, variables in DOCUMENTED.items()} == {
        "modular.yaml": {"API", "WEB"},
        "monolith.yaml": {"APP"},
    }


@pytest.mark.parametrize("file", list(TARGETS))
@pytest.mark.browser
def test_a_stack_put_up_by_hand_is_chatted_with_and_taken_down(
    client: docker.DockerClient, compose: tuple[str, ...], file: str, browser: Browser
) -> None:
    target = TARGETS[file]
    built = prepared(target).images
    with by_hand(client, compose, file) as stack:
        assert set(stack.containers) == {*built, "prepare"} - {"generator"}
        lasting = {name: one for name, one in stack.containers.items() if name != "prepare"}
        for name, container in lasting.items():
            assert until(lambda one=container: is_healthy(one), UP_S), name  # type: ignore[misc]  # mypy: no default's type
            assert container.image is not None
            assert container.image.id == built[name].digest
            assert hardened(container) == [], name
        assert {name: found for name, one in lasting.items() if (found := published(one))} == {
            "pod": [stack.url.removeprefix("http://")]
        }
        chats(browser, target, stack.url)


def chats(browser: Browser, target: str, url: str) -> None:
    """Sign in at the published port, ask, and see the answer grow and stay."""
    context = browser.new_context()
    person = Person(context.new_page(), url, SEED)
    person.sign_in("user0001")
    person.new_conversation()
    message = person.message("Tell me of containers.")
    person.say(message)
    _, lengths = person.watch.shown(message.nonce)
    assert len(set(lengths)) >= 5, f"the answer did not grow: {lengths}"
    assert all(a < b for a, b in pairwise(lengths)), f"the answer shrank while it grew: {lengths}"
    person.reload()
    person.answer(message)
    assert person.watch.foreign_requests() == []
    context.close()


def test_a_target_is_checked_with_either_version(
    compose: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared("streamlit")
    monkeypatch.setenv(engine.COMPOSE_VARIABLE, " ".join(compose))
    place = ContainerPlace(tmp_path)
    with place.command("check", "streamlit", "--runtime", "docker") as command:
        ended = command.end()
        assert place.left(command.process.pid) == []
    assert ended.code == 0, ended.out + ended.err
    passed = re.search(r"(\d+) of (\d+) checks passed", ended.out)
    assert passed, ended.out
    assert passed[1] == passed[2] != "0"
