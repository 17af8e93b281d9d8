"""The budget of a stack of containers as the kernel of other machines would show it, from recorded trees."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.host import cgroups
from harness.host.cgroups import Budget, Hierarchy
from harness.host.cpus import CpuSplit
from harness.records import Limits
from harness.runtimes.docker import budget
from harness.runtimes.docker.budget import Parents
from tests import ROOT

TREES = ROOT / "tests/doubles/cgroup_trees"
SPLIT = CpuSplit(target=(0, 1), others=(2, 3), spare=True)
GIB = 1 << 30
NO_LIMIT = "9223372036854771712"
FULL = 4 * GIB


class Machine:
    """A machine with containers, its control groups in plain folders."""

    def __init__(self, root: Path, version: int) -> None:
        self.root = root
        found = cgroups.find(root / "proc")
        assert found is not None
        assert found.version == version
        self.hierarchy: Hierarchy = found
        self.containers: dict[str, Hierarchy] = {}

    def parents(self, driver: str = "cgroupfs") -> Parents:
        return budget.make_parents(self.hierarchy, driver, "one-1", SPLIT, Budget())

    def allow_swap(self, folder: Path | None, memory_bytes: int, swap_bytes: int) -> None:
        """Limit swap as the kernel of this version shows it."""
        assert folder is not None
        if self.hierarchy.version == 2:
            (folder / "memory.swap.max").write_text(str(swap_bytes))
        else:
            (folder / "memory.memsw.limit_in_bytes").write_text(str(memory_bytes + swap_bytes))

    def run(self, name: str, parent: str, cpus: str = "0-1", memory: str | None = None) -> Path:
        """Have a container; return the folder of its memory limit."""
        own = {controller: top / parent / name for controller, top in self.hierarchy.tops.items()}
        for folder in own.values():
            folder.mkdir(parents=True, exist_ok=True)
        one = self.hierarchy.version == 1
        (own["cpuset"] / ("cpuset.cpus" if one else "cpuset.cpus.effective")).write_text(f"{cpus}\n")
        file = own["memory"] / ("memory.limit_in_bytes" if one else "memory.max")
        file.write_text(memory or (NO_LIMIT if one else "max"))
        self.containers[name] = Hierarchy(version=self.hierarchy.version, own=own, tops=self.hierarchy.tops)
        return own["memory"]

    def read(self, parents: Parents) -> Limits:
        return budget.read_back(self.containers, parents, SPLIT, Budget(), "Docker 27.0")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Machine]:
    """Machines of recorded trees; each has swap, so that its limit shows."""
    monkeypatch.setattr("harness.host.limits.procfs.counter", lambda *_: 1 << 20)
    monkeypatch.setattr(cgroups, "_drop", lambda folder: shutil.rmtree(folder, ignore_errors=True))

    def unpack(name: str) -> Machine:
        for file, content in json.loads((TREES / f"{name}.json").read_text())["files"].items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.replace("{root}", str(tmp_path)))
        return Machine(tmp_path, int(name[1]))

    return unpack


TREE_OF = {1: "v1_split", 2: "v2_delegated"}
both_versions = pytest.mark.parametrize("version", [1, 2])


def common(machine: Callable[[str], Machine], version: int) -> tuple[Machine, Parents]:
    """A machine whose engine took one parent for the whole stack."""
    there = machine(TREE_OF[version])
    parents = there.parents()
    there.run("api", "chatbench-one-1/target")
    there.run("web", "chatbench-one-1/target")
    return there, parents


@both_versions
def test_a_common_parent_holds_the_whole_budget(machine: Callable[[str], Machine], version: int) -> None:
    there, parents = common(machine, version)
    there.allow_swap(parents.target, FULL, 0)
    read = there.read(parents)
    assert (read.cpus, read.memory_bytes, read.swap_bytes) == ((0, 1), FULL, 0)
    assert (read.cpu_enforced, read.memory_enforced, read.shortfall) == (True, True, None)
    assert read.how == f"Docker 27.0, one parent group for the whole stack, cgroup v{version}"
    assert (read.generator_cpus, read.spare_cpus, read.notes) == ((2, 3), True, ())


@both_versions
def test_the_engine_is_told_of_the_parents_by_path(machine: Callable[[str], Machine], version: int) -> None:
    there, parents = common(machine, version)
    place = budget.placement(parents, SPLIT)
    assert (place.target_cpus, place.other_cpus) == ("0,1", "2,3")
    assert (place.target_group, place.others_group) == ("/chatbench-one-1/target", "/chatbench-one-1/others")
    assert parents.target == there.hierarchy.tops["memory"] / "chatbench-one-1" / "target"


@both_versions
def test_swap_that_may_be_used_is_no_budget(machine: Callable[[str], Machine], version: int) -> None:
    there, parents = common(machine, version)
    there.allow_swap(parents.target, FULL, 512 << 20)
    assert there.read(parents).shortfall == "512 MiB of swap may be used"


@both_versions
def test_swap_without_any_limit_is_no_budget(machine: Callable[[str], Machine], version: int) -> None:
    there, parents = common(machine, version)
    wrong = "swap is not limited (turn it off, or boot with swapaccount=1)"
    read = there.read(parents)
    assert (read.swap_bytes, read.shortfall) == (None, wrong)
    assert read.notes == (f"not the stated budget: {wrong}",)


def test_the_strictest_ancestor_decides(machine: Callable[[str], Machine]) -> None:
    there = machine("v2_container")  # itself held to 3 GiB
    parents = there.parents()
    there.run("api", "chatbench-one-1/target")
    there.allow_swap(parents.target, 3 * GIB, 0)
    read = there.read(parents)
    assert read.memory_bytes == 3 * GIB
    assert read.shortfall == "memory is held to 3.00 GiB, not 4.00; api is held to 1.50 CPUs of time"


@both_versions
def test_cpus_count_by_the_union_of_all_containers(machine: Callable[[str], Machine], version: int) -> None:
    there, parents = common(machine, version)
    there.run("api", "chatbench-one-1/target", cpus="0")
    there.run("web", "chatbench-one-1/target", cpus="1")
    assert there.read(parents).cpu_enforced
    there.run("web", "chatbench-one-1/target", cpus="1,3")
    read = there.read(parents)
    assert (read.cpus, read.cpu_enforced) == ((0, 1, 3), False)
    assert "its containers may use CPUs 0,1,3, not 0,1" in str(read.shortfall)


@both_versions
def test_a_declared_split_adds_up(machine: Callable[[str], Machine], version: int) -> None:
    there = machine(TREE_OF[version])
    parents = there.parents(driver="systemd")
    for name, mib in (("api", 3840), ("web", 256)):
        folder = there.run(name, "docker", memory=str(mib << 20))
        there.allow_swap(folder, mib << 20, 0)
    read = there.read(parents)
    assert (read.memory_bytes, read.swap_bytes, read.shortfall) == (FULL, 0, None)
    assert read.how == f"Docker 27.0, declared split, cgroup v{version}"
    assert read.notes == ("the engine's cgroup driver is systemd",)
    place = budget.placement(parents, SPLIT)
    assert (place.target_group, place.others_group) == (None, None)


@both_versions
def test_one_container_without_a_limit_leaves_the_stack_without_one(
    machine: Callable[[str], Machine], version: int
) -> None:
    there = machine(TREE_OF[version])
    there.run("api", "docker", memory=str(FULL))
    there.run("web", "docker")
    if version == 1:  # nor does the machine itself limit them
        assert (there.hierarchy.tops["memory"] / "memory.limit_in_bytes").read_text().strip() == NO_LIMIT
    read = there.read(there.parents(driver="systemd"))
    assert (read.memory_bytes, read.memory_enforced) == (None, False)
    assert "no memory limit is enforced" in str(read.shortfall)


@both_versions
def test_a_container_outside_of_the_parent_is_not_counted_as_inside(
    machine: Callable[[str], Machine], version: int
) -> None:
    there, parents = common(machine, version)
    there.run("stray", "docker")
    read = there.read(parents)
    assert "declared split" in read.how
    assert "no memory limit is enforced" in str(read.shortfall)


def test_a_budget_on_both_parts_is_said_in_one_sentence() -> None:
    wrong = budget.shortfall((), 2 * GIB, 1 << 20, SPLIT, Budget())
    assert wrong == (
        "its containers may use CPUs none, not 0,1; memory is held to 2.00 GiB, not 4.00; 1 MiB of swap may be used"
    )
    assert budget.shortfall((0, 1), FULL, 0, SPLIT, Budget()) is None


def test_without_groups_it_is_said_why() -> None:
    assert budget.make_parents(None, "cgroupfs", "one", SPLIT, Budget()).notes == ("no control groups can be seen",)


def test_without_permission_it_is_said_what_to_do(
    machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = machine("v2_delegated")
    monkeypatch.setattr("os.access", lambda *_: False)
    parents = there.parents()
    assert (parents.groups, parents.notes) == (None, ("no control group may be made: run as root",))


@both_versions
def test_an_empty_parent_can_be_judged_before_anything_runs(machine: Callable[[str], Machine], version: int) -> None:
    there, parents = common(machine, version)
    there.allow_swap(parents.target, FULL, 0)
    assert budget.parent_shortfall(parents, there.hierarchy, SPLIT, Budget()) is None
    wrong = budget.parent_shortfall(parents, there.hierarchy, SPLIT, Budget(memory_bytes=GIB))
    assert wrong == "memory is held to 4.00 GiB, not 1.00"


def test_parents_are_looked_for_in_every_hierarchy_there_is(tmp_path: Path) -> None:
    mounts = [
        f"40 39 0:3{n} / {tmp_path}/{name} rw - cgroup cgroup rw,{name}" for n, name in enumerate(("memory", "pids"))
    ]
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("\n".join(mounts))
    name = "chatbench-x-4194999"  # a process number above the kernel's largest
    (tmp_path / "pids" / name).mkdir(parents=True)
    (tmp_path / "memory/chatbench-y-1").mkdir(parents=True)  # of a process that lives
    assert cgroups.every_folder(name, tmp_path / "proc") == [tmp_path / "memory" / name, tmp_path / "pids" / name]
    assert cgroups.names_of_the_dead(tmp_path / "proc") == {name}


def test_groups_that_cannot_be_seen_are_never_taken_for_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    top = Path("/sys/fs/cgroup/memory")
    seen = Hierarchy(version=1, own={"memory": top}, tops={"memory": top})
    monkeypatch.setattr("harness.host.cgroups.find", lambda pid: seen)
    with pytest.raises(BenchError, match="cannot be seen from here"):
        budget.of_process(7)


@both_versions
def test_without_containers_nothing_is_held_to_the_budget_and_nothing_is_missing(
    machine: Callable[[str], Machine], version: int
) -> None:
    there = machine(TREE_OF[version])
    read = there.read(there.parents())
    assert (read.memory_bytes, read.cpu_enforced, read.memory_enforced, read.shortfall) == (None, False, False, None)
    assert read.how == "Docker 27.0, no container in the budget"
    assert (read.generator_cpus, read.spare_cpus) == ((2, 3), True)
