"""What the doctor says of this machine and of lesser ones."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.doctor import machine as doctor
from harness.doctor.advice import Advice
from harness.doctor.enforcing import Account
from harness.host import cgroups, cpus, machine
from harness.records import Limits
from tests.doubles.trials import LIMITS

NAMES = ["CPUs", "spare CPUs", "memory", "CPU limit", "memory limit", "outer limits", "temporary files"]
NAMES += ["other load", "steal", "disk"]
PLAIN = Account(user=1000, group=1000, groups="v2", systemd=True, sudo=True)
PROGRAMS = ["Node.js", "redis-server", "PostgreSQL", "Chromium", "Docker engine"]


def test_everything_is_examined_and_nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    checks = doctor.examine(tmp_path)
    assert [check.name for check in checks] == NAMES + PROGRAMS
    assert {check.state for check in checks} <= {"ok", "warn", "missing"}
    assert all(check.what for check in checks)
    assert all(check.remedy for check in checks if check.state != "ok")
    hierarchy = cgroups.find()
    places = {place for c in hierarchy.own for place in hierarchy.upwards(c)} if hierarchy else set()
    assert [group for place in places for group in place.glob("chatbench-doctor-*")] == []


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    assert doctor.disk(tmp_path) == Advice(
        name="disk", state="warn", what="1.0 GiB free", remedy="free up 4 GiB for set-up and results"
    )


def test_a_small_memory_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_bytes", lambda: 4 << 30)
    assert [check.state for check in doctor._memory()] == ["warn"]


def test_one_cpu_is_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "usable", lambda: (0,))
    found = doctor._cpus()
    assert [(check.state, check.what) for check in found] == [
        ("missing", "this process may use 1 CPU, the budget is 2")
    ]
    assert doctor._limits(Path()) == []


def test_limits_that_cannot_be_enforced_come_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "make", lambda *_: None)
    monkeypatch.setattr(doctor.enforcing.Account, "here", lambda: PLAIN)
    *checks, outer = doctor._limits(Path("/srv/bench"))
    assert outer.name == "outer limits"
    for check in checks:
        assert (check.state, check.remedy) == ("warn", "run the command below")
        assert "not enforced" in check.what
        assert "Delegate=yes" in check.command


@pytest.mark.parametrize(
    ("limits", "state", "what"),
    [
        (LIMITS, "ok", "none below the budget"),
        (replace(LIMITS, open_files=20_000), "ok", "none below the budget; files, tasks and ports for 6,600 users"),
        (replace(LIMITS, open_files=3_200), "ok", "none below the budget; files, tasks and ports for 1,000 users"),
        (
            replace(LIMITS, open_files=3_199),
            "warn",
            "open files allowed to a process (`ulimit -n`) 3199: for 999 users",
        ),
        (
            replace(LIMITS, notes=("an outer group holds all to 3.00 CPUs",)),
            "warn",
            "an outer group holds all to 3.00 CPUs",
        ),
        (replace(LIMITS, shortfall="memory is 2.00 GiB"), "missing", "memory is 2.00 GiB"),
    ],
)
def test_outer_limits_are_told_the_worst_first(limits: Limits, state: str, what: str) -> None:
    found = doctor.outer_limits(limits)
    assert (found.state, found.what) == (state, what)
    assert bool(found.remedy) == (state != "ok")


def test_temporary_files_in_memory_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    for in_memory, state in ((True, "warn"), (False, "ok")):
        monkeypatch.setattr(doctor.scratch, "in_memory", lambda _, is_so=in_memory: is_so)
        assert doctor.temporary_files().state == state


def test_programs_that_set_up_brings_along_are_fine_when_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert (doctor._node().state, doctor._redis().state) == ("ok", "ok")
    assert doctor._chromium().state == "missing"


def test_a_chromium_whose_driver_does_not_start_is_told_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.chromium, "find", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
    for flaw, state, command in (
        ("", "ok", ""),
        ("node: error while loading shared libraries: libatomic.so.1", "warn", "sudo apt-get install libatomic1"),
        ("it ended with 1", "warn", ""),
    ):
        monkeypatch.setattr(doctor.chromium, "driver_flaw", lambda said=flaw: said)
        found = doctor._chromium()
        assert (found.state, found.command) == (state, command)
        assert flaw in found.what


@pytest.mark.parametrize(("kind", "state"), [("x86_64", "ok"), ("aarch64", "ok"), ("riscv64", "missing")])
def test_a_processor_without_postgres_is_told_what_to_measure(
    monkeypatch: pytest.MonkeyPatch, kind: str, state: str
) -> None:
    monkeypatch.setattr(doctor.platform, "machine", lambda: kind)
    found = doctor._postgres()
    assert found.state == state
    assert ("django:sqlite" in found.remedy) == (state == "missing")
