"""The doctor's checks of the Docker engine, with a fix for each thing missing."""

import os
import platform
import shlex
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
from docker.errors import ImageNotFound

from harness.doctor import enforcing
from harness.doctor.advice import Advice
from harness.errors import BenchError
from harness.host import cgroups, cpus, procfs, watchdog
from harness.host.cgroups import Budget
from harness.runtimes.docker import budget, engine, images

TIMEOUT_S = 3
REMOVE_S = 1.0
NEEDED_BYTES = 5 << 30  # images, build cache and data of both default targets took 3.5 GiB
COMPOSE_1 = (1, 29)
SLOW_DRIVERS = {"vfs": "copies whole images for every container", "fuse-overlayfs": "goes through a process of its own"}
ONLY_FOR = "only measuring in containers (RUNTIME=docker) needs it"


def examine(root: Path) -> list[Advice]:
    """Look at the engine and at what measuring with it needs; one finding alone where it cannot be used."""
    try:
        client = engine.connect(TIMEOUT_S)
        try:
            info = client.info()
            with ThreadPoolExecutor() as meanwhile:  # each starts programs and waits for them
                compose, builder = meanwhile.submit(_compose), meanwhile.submit(_builder)
                found = [_engine(info), *_limits(info), _store(info), _base(root, client)]
                return [found[0], compose.result(), builder.result(), *found[1:]]
        finally:
            client.close()
    except BenchError as absent:
        return [_unusable(absent)]
    except engine.LOST as silent:
        what = f"does not say anything about itself ({str(silent).splitlines()[0][:120]})"
        return [Advice(name="Docker engine", state="missing", what=what, remedy=f"restart it; {ONLY_FOR}")]


def _unusable(absent: BenchError) -> Advice:
    if isinstance(absent.__cause__, PermissionError):
        remedy = "join its group, then sign out of every session and in again; or run as root"
        what = "is there, but this user may not use it"
        command = 'sudo usermod -aG docker "$(id -un)"'
        return Advice(name="Docker engine", state="warn", what=what, remedy=f"{remedy}; {ONLY_FOR}", command=command)
    command = "sudo systemctl start docker" if shutil.which("dockerd") and enforcing.SYSTEMD.is_dir() else ""
    remedy = f"{ONLY_FOR}: {absent.hint}"
    return Advice(name="Docker engine", state="missing", what=absent.message, remedy=remedy, command=command)


def _engine(info: Mapping[str, Any]) -> Advice:
    version, kernel = str(info["ServerVersion"]), str(info.get("KernelVersion", ""))
    if kernel != platform.release():
        return Advice(
            name="Docker engine",
            state="warn",
            what=f"{version}, in another machine or a virtual one (kernel {kernel}): its limits cannot be read back",
            remedy="measure on the machine where the engine runs, or with RUNTIME=local",
        )
    return Advice(name="Docker engine", state="ok", what=f"{version}, on this machine")


def _compose() -> Advice:
    try:
        command = engine.compose_command()
    except BenchError as absent:
        return Advice(name="Docker Compose", state="missing", what="not found", remedy=absent.hint)
    version = engine.compose_version(command)
    numbers = version.lstrip("v").split(".")
    what = f"{version} ({' '.join(command)})"
    if all(number.isdigit() for number in numbers[:2]) and tuple(map(int, numbers[:2])) >= COMPOSE_1:
        return Advice(name="Docker Compose", state="ok", what=what)
    remedy = "install 1.29 or newer: docker-compose-plugin, or Debian's package docker-compose"
    return Advice(name="Docker Compose", state="warn", what=what, remedy=remedy)


def _builder() -> Advice:
    client, missing = engine.builder()
    if missing:
        what, _, remedy = missing.partition(": ")
        return Advice(name="BuildKit", state="missing", what=what, remedy=remedy)
    how = "part of the client" if engine.client_version(client) < (23,) else "with buildx"
    return Advice(name="BuildKit", state="ok", what=f"{client}, {how}")


def _limits(info: Mapping[str, Any]) -> list[Advice]:
    """Make the parents of a trial's containers for real, read the limits back, and remove them again."""
    driver, version = str(info.get("CgroupDriver", "unknown")), str(info.get("CgroupVersion", "1"))
    wanted, hierarchy = Budget(), cgroups.find()
    try:
        split = cpus.split(cpus.physical_cores(cpus.usable()), wanted.cpus)
    except BenchError:
        return [_swap(info)]  # too few CPUs: said already
    parents = budget.make_parents(hierarchy, driver, f"doctor-{os.getpid()}", split, wanted)
    try:
        whole = hierarchy is not None and parents.groups is not None
        wrong = budget.parent_shortfall(parents, hierarchy, split, wanted) if whole and hierarchy else None
    finally:
        for folder in parents.folders():
            watchdog.remove_group(folder, time.monotonic() + REMOVE_S)
    groups = f"driver {driver}, control groups v{version}"
    if not whole:
        why = "; ".join(parents.notes) or "no group may be made"
        what = f"a declared split instead of one for the whole stack ({why}; {groups})"
        remedy = "run as root, with an engine started with --exec-opt native.cgroupdriver=cgroupfs"
        return [Advice(name="container limits", state="warn", what=what, remedy=remedy), _swap(info)]
    if wrong:
        remedy = "lift what an outer group limits, or run outside of it"
        return [Advice(name="container limits", state="warn", what=f"{wrong} ({groups})", remedy=remedy), _swap(info)]
    size = f"{wanted.cpus} CPUs and {wanted.memory_bytes >> 30} GiB"
    return [
        Advice(name="container limits", state="ok", what=f"{size} for a whole stack by one parent group ({groups})"),
        _swap(info),
    ]


def _swap(info: Mapping[str, Any]) -> Advice:
    if procfs.counter("SwapTotal:", "meminfo") == 0:
        return Advice(name="swap", state="ok", what="this machine has none")
    if info.get("SwapLimit"):
        return Advice(name="swap", state="ok", what="containers get none of it")
    remedy = "turn swap off, or boot with swapaccount=1: a stack that may swap is not the stated budget"
    what = "the engine cannot keep containers from it"
    return Advice(name="swap", state="warn", what=what, remedy=remedy, command="sudo swapoff -a")


def _store(info: Mapping[str, Any]) -> Advice:
    driver, folder = str(info.get("Driver", "unknown")), str(info.get("DockerRootDir", ""))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return Advice(name="image store", state="ok", what=f"{driver}; its disk cannot be seen from here")
    what = f"{driver}, {free / 2**30:.1f} GiB free in {folder}"
    if driver in SLOW_DRIVERS:
        remedy = f"{driver} {SLOW_DRIVERS[driver]}: have the engine use overlay2, its data on ext4 or xfs"
        return Advice(name="image store", state="warn", what=what, remedy=remedy)
    if free < NEEDED_BYTES:
        remedy = f"free up {NEEDED_BYTES >> 30} GiB; the command below removes what nothing uses"
        return Advice(name="image store", state="warn", what=what, remedy=remedy, command="docker system prune")
    return Advice(name="image store", state="ok", what=what)


def _base(root: Path, client: docker.DockerClient) -> Advice:
    wanted = images.wanted_base(root)
    try:
        client.images.get(wanted)
        return Advice(name="base image", state="ok", what=f"{wanted} is there")
    except ImageNotFound:
        pass
    if shutil.which("debootstrap") and os.getuid() == 0:
        what = f"{wanted} is not there yet; set-up fetches it, or makes one of Debian's packages"
        return Advice(name="base image", state="ok", what=what)
    remedy = "with no image registry within reach: install debootstrap, then run the command below"
    what, command = (
        f"{wanted} is not there yet; set-up fetches it",
        shlex.join(["sudo", "make", "-C", str(root), "base-image"]),
    )
    return Advice(name="base image", state="warn", what=what, remedy=remedy, command=command)
