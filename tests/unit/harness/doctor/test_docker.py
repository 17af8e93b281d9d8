"""What the doctor says of engines that offer all a measurement wants, and of lesser ones."""

import platform
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound

from harness.doctor import docker
from harness.doctor.advice import Advice
from harness.errors import BenchError
from harness.host import cgroups, procfs
from harness.runtimes.docker import engine, images

GOOD = {
    "ServerVersion": "28.1.0",
    "KernelVersion": platform.release(),
    "CgroupDriver": "cgroupfs",
    "CgroupVersion": "2",
    "SwapLimit": True,
    "Driver": "overlay2",
    "DockerRootDir": "/",
}
NAMES = ["Docker engine", "Docker Compose", "BuildKit", "container limits", "swap", "image store", "base image"]


class Client:
    """An engine's answers; ``there`` are the images it has."""

    def __init__(self, info: Mapping[str, Any] | None = None, there: tuple[str, ...] = ()) -> None:
        self._info, self._there = {**GOOD, **(info or {})}, there
        self.images = self

    def info(self) -> Mapping[str, Any]:
        return self._info

    def get(self, name: str) -> str:
        if name not in self._there:
            raise ImageNotFound(name)
        return name

    def close(self) -> None:
        """Keeps nothing open."""


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_IMAGE", engine.COMPOSE_VARIABLE, "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_everything_is_said_of_an_engine_and_nothing_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "connect", lambda _: Client())
    found = docker.examine(tmp_path)
    assert [check.name for check in found] == NAMES
    assert all(check.what for check in found)
    assert all(check.remedy for check in found if check.state != "ok")
    hierarchy = cgroups.find()
    tops = set(hierarchy.tops.values()) if hierarchy else set()
    assert [group for top in tops for group in top.glob("chatbench-doctor-*")] == []


def test_an_absent_engine_is_one_finding_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    (found,) = docker.examine(tmp_path)
    assert (found.name, found.state) == ("Docker engine", "missing")
    assert f"{tmp_path}/nobody.sock" in found.what
    assert "only measuring in containers" in found.remedy
    assert "start the engine" in found.remedy


def test_an_engine_at_an_address_counts_as_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    (found,) = docker.examine(tmp_path)
    assert found.state == "missing"
    assert "not on this machine" in found.what


def test_a_socket_that_this_user_may_not_use_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> Client:
        raise BenchError("no Docker engine answers", "start it") from PermissionError(13, "Permission denied")

    monkeypatch.setattr(engine, "connect", refuse)
    (found,) = docker.examine(tmp_path)
    assert found.state == "warn"
    assert "may not use it" in found.what
    assert "usermod" in found.command


def test_an_engine_that_falls_silent_is_named_not_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Client):
        def info(self) -> Mapping[str, Any]:
            raise engine.LOST[0]("no answer")

    monkeypatch.setattr(engine, "connect", lambda _: Silent())
    (found,) = docker.examine(tmp_path)
    assert found.state == "missing"
    assert "restart it" in found.remedy


def test_an_engine_under_another_kernel_is_in_another_machine() -> None:
    found = docker._engine({**GOOD, "KernelVersion": "6.6.0-linuxkit"})
    assert found.state == "warn"
    assert "linuxkit" in found.what


@pytest.mark.parametrize(
    ("printed", "state"), [("1.29.2", "ok"), ("v2.26.1", "ok"), ("2.26.1-4", "ok"), ("1.25.0", "warn"), ("", "warn")]
)
def test_compose_is_judged_by_its_version(programs: Path, printed: str, state: str) -> None:
    program(programs, "docker-compose", f"echo {printed}")
    found = docker._compose()
    assert found.state == state
    assert (printed or "unknown") in found.what
    assert ("1.29" in found.remedy) == (state != "ok")


def test_the_compose_of_the_client_goes_first(programs: Path) -> None:
    program(programs, "docker-compose", "echo 1.29.2")
    program(programs, "docker", "echo 2.40.0")
    assert docker._compose() == Advice(name="Docker Compose", state="ok", what=f"2.40.0 ({programs}/docker compose)")


@pytest.mark.usefixtures("programs")
def test_without_compose_it_says_what_to_install() -> None:
    found = docker._compose()
    assert found.state == "missing"
    assert "docker-compose" in found.remedy


@pytest.mark.parametrize(
    ("script", "state", "words"),
    [
        ("echo Docker version 20.10.24+dfsg1, build 297e128; test $1 = --version", "ok", "part of the client"),
        ("echo Docker version 28.2.2, build e6534b4", "ok", "with buildx"),
        ("echo Docker version 28.2.2, build e6534b4; test $1 = --version", "missing", "BuildKit"),
        ("echo nothing that could be read; test $1 = --version", "missing", "BuildKit"),
    ],
)
def test_a_client_builds_by_plug_in_or_by_age(programs: Path, script: str, state: str, words: str) -> None:
    program(programs, "docker", script)
    found = docker._builder()
    assert found.state == state
    assert words in found.what
    assert ("docker-buildx" in found.remedy) == (state == "missing")


def test_with_the_driver_systemd_the_budget_is_a_declared_split() -> None:
    found = docker._limits({**GOOD, "CgroupDriver": "systemd"})[0]
    assert (found.name, found.state) == ("container limits", "warn")
    assert "declared split" in found.what
    assert "driver is systemd" in found.what
    assert "native.cgroupdriver=cgroupfs" in found.remedy


def test_who_may_make_no_groups_is_told_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "make", lambda *_: None)
    found = docker._limits(GOOD)[0]
    assert found.state == "warn"
    assert "run as root" in found.what + found.remedy


@pytest.mark.cgroup
def test_a_parent_that_holds_the_whole_budget_is_fine() -> None:
    hierarchy = cgroups.find()
    assert hierarchy is not None
    found = docker._limits({**GOOD, "CgroupVersion": str(hierarchy.version)})[0]
    assert found.state == "ok"
    assert "2 CPUs and 4 GiB for a whole stack" in found.what


@pytest.mark.cgroup
def test_a_parent_that_an_outer_group_holds_to_less_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.host.limits.strictest_memory", lambda _: 1 << 30)
    found = docker._limits(GOOD)[0]
    assert found.state == "warn"
    assert "1.00 GiB, not 4.00" in found.what


@pytest.mark.parametrize(("swap", "limited", "state"), [(0, False, "ok"), (9, True, "ok"), (9, False, "warn")])
def test_swap_matters_only_where_it_cannot_be_kept_from_containers(
    monkeypatch: pytest.MonkeyPatch, swap: int, limited: bool, state: str
) -> None:
    monkeypatch.setattr(procfs, "counter", lambda *_: swap)
    found = docker._swap({"SwapLimit": limited})
    assert found.state == state
    assert ("swapaccount=1" in found.remedy) == (state == "warn")


def test_room_and_driver_of_the_image_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=20 << 30))
    assert docker._store(GOOD).state == "ok"
    assert "overlay2" in docker._store({**GOOD, "Driver": "vfs"}).remedy
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    assert "5 GiB" in docker._store(GOOD).remedy


def test_a_store_that_cannot_be_seen_is_said_to_be_so(tmp_path: Path) -> None:
    found = docker._store({**GOOD, "DockerRootDir": str(tmp_path / "elsewhere")})
    assert "cannot be seen" in found.what


def test_the_base_image_is_there_or_needs_a_registry_or_debootstrap(programs: Path, tmp_path: Path) -> None:
    there = docker._base(tmp_path, Client(there=(images.OFFICIAL_BASE,)))  # type: ignore[arg-type]
    assert there.state == "ok"
    absent = docker._base(tmp_path, Client())  # type: ignore[arg-type]
    assert absent.state == "warn"
    assert "debootstrap" in absent.remedy


def test_root_with_debootstrap_can_make_a_base_image(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "debootstrap", "")
    monkeypatch.setattr("os.getuid", lambda: 0)
    found = docker._base(tmp_path, Client())  # type: ignore[arg-type]
    assert found.state == "ok"
    assert "Debian's packages" in found.what
