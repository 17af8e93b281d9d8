"""The machine's fingerprint, its CPUs and the lock."""

import os
import sys
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.host import cpus, machine
from harness.records import machine_differences

FLAT2 = ((0,), (1,))
FLAT4 = ((0,), (1,), (2,), (3,))
HYPER4 = ((0, 2), (1, 3))
HYPER8 = ((0, 4), (1, 5), (2, 6), (3, 7))


@pytest.mark.parametrize(
    ("text", "expected"), [("0-3,8", (0, 1, 2, 3, 8)), ("0\n", (0,)), ("", ()), ("5,1-2", (1, 2, 5))]
)
def test_the_kernels_lists_are_read(text: str, expected: tuple[int, ...]) -> None:
    assert cpus.parse_list(text) == expected


def test_two_cpus_are_shared_and_said_to_be() -> None:
    split = cpus.split(FLAT2, 2)
    assert (split.target, split.others, split.spare) == ((0, 1), (0, 1), False)
    assert any("no spare CPUs" in note for note in split.notes)


def test_four_cores_give_the_others_two_of_their_own() -> None:
    split = cpus.split(FLAT4, 2)
    assert (split.target, split.others, split.spare, split.notes) == ((0, 1), (2, 3), True, ())


def test_two_cores_of_two_threads_keep_the_generator_off_the_targets_core() -> None:
    split = cpus.split(HYPER4, 2)
    assert (split.target, split.others) == ((0, 2), (1, 3))
    assert any("one physical core" in note for note in split.notes)


def test_four_cores_of_two_threads_leave_the_targets_siblings_idle() -> None:
    split = cpus.split(HYPER8, 2)
    assert (split.target, split.others) == ((0, 1), (2, 3, 6, 7))


def test_an_uneven_set_is_split_by_whole_cores() -> None:
    split = cpus.split(((0,), (1, 3)), 2)
    assert (split.target, split.others) == ((1, 3), (0,))


def test_a_core_that_has_to_be_shared_is_noted() -> None:
    split = cpus.split(((0, 1, 2, 3),), 2)
    assert (split.target, split.others, split.spare) == ((0, 1), (2, 3), True)
    assert any("shares a physical core" in note for note in split.notes)


def test_fewer_cpus_than_the_budget_is_an_error_with_the_number() -> None:
    with pytest.raises(BenchError, match="may use 1 CPU, the budget is 2"):
        cpus.split(((0,),), 2)


def test_threads_of_a_core_are_found_in_sysfs(tmp_path: Path) -> None:
    for cpu, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        folder = tmp_path / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    assert cpus.physical_cores(range(4), tmp_path) == ((0, 2), (1, 3))
    assert cpus.physical_cores((0, 1, 3), tmp_path) == ((0,), (1, 3))
    assert cpus.physical_cores((8, 9), tmp_path) == ((8,), (9,))


def test_the_fingerprint_of_this_machine_is_complete() -> None:
    found = machine.fingerprint()
    assert found["logical_cpus"] == len(os.sched_getaffinity(0))
    assert isinstance(found["memory_bytes"], int)
    assert found["memory_bytes"] > 1 << 28
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(map(type, found.values())) <= {str, int}


def test_cpu_names_of_intel_and_arm_are_read() -> None:
    assert (
        machine.cpu_model("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n\nmodel name\t: x\n") == "Some CPU @ 3 GHz"
    )
    assert machine.cpu_model("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n") == "CPU implementer 0x41, CPU part 0xd0c"


def test_family_model_stepping_and_clock_are_read() -> None:
    text = "cpu family\t: 6\nmodel\t\t: 207\nmodel name\t: x\nstepping\t: 2\ncpu MHz\t\t: 2099.998\n\ncpu MHz\t: 9\n"
    found = {"cpu_family": 6, "cpu_model_number": 207, "cpu_stepping": 2, "clock_mhz": 2100}
    assert machine.cpu_numbers(text) == found
    assert machine.cpu_numbers("CPU implementer\t: 0x41\nmodel\t: unknown\n") == {}


def test_cache_sizes_are_read_where_sysfs_shows_them(tmp_path: Path) -> None:
    for n, (level, kind, size) in enumerate([(1, "Data", "48K"), (1, "Instruction", "32K"), (3, "Unified", "307200K")]):
        folder = tmp_path / f"index{n}"
        folder.mkdir()
        for name, value in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{value}\n")
    (tmp_path / "index9").mkdir()
    sizes = {"cache_l1d_bytes": 48 << 10, "cache_l1i_bytes": 32 << 10, "cache_l3_bytes": 300 << 20}
    assert machine.cache_bytes(tmp_path) == sizes
    assert machine.cache_bytes(tmp_path / "absent") == {}


def test_machines_differ_by_what_both_are_known_by() -> None:
    here = machine.fingerprint()
    older = {k: v for k, v in here.items() if not k.startswith(("cpu_family", "cpu_model_number", "cpu_step", "cache"))}
    assert machine_differences(here, here | {"clock_mhz": 1}) == []
    assert machine_differences(older, here) == []
    assert machine_differences(here | {"cpu_stepping": 1}, here | {"cpu_stepping": 2}) == ["cpu_stepping"]
    assert machine_differences(here, here | {"kernel": "0", "cpu_model": "x"}) == ["cpu_model", "kernel"]
    assert machine_differences(here, {k: v for k, v in here.items() if k != "kernel"}) == ["kernel"]


def test_virtualisation_is_told_where_it_shows(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("flags\t: fpu hypervisor\n")
    assert machine.virtual(tmp_path) == "virtual machine"
    (tmp_path / "sys/class/dmi/id").mkdir(parents=True)
    (tmp_path / "sys/class/dmi/id/sys_vendor").write_text("QEMU\n")
    assert machine.virtual(tmp_path) == "virtual machine (QEMU)"
    (tmp_path / ".dockerenv").touch()
    assert machine.virtual(tmp_path) == "container"
    assert machine.virtual(tmp_path / "nowhere") is None
