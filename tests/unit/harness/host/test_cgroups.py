"""Control groups of machines other than this one, from recorded trees: what is found, made and read back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.host import accounting, cgroups, limits, procfs
from harness.host.cgroups import Budget, Hierarchy
from harness.host.cpus import CpuSplit
from tests import ROOT

TREES = ROOT / "tests/doubles/cgroup_trees"
SPLIT = CpuSplit(target=(0, 1), others=(2, 3), spare=True)
GIB = 1 << 30

Tree = Callable[[str], Path]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    # the kernel removes a group although files show in it; a recorded tree is plain folders
    monkeypatch.setattr(cgroups, "_drop", lambda folder: shutil.rmtree(folder, ignore_errors=True))

    def unpack(name: str) -> Path:
        for file, content in json.loads((TREES / f"{name}.json").read_text())["files"].items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.replace("{root}", str(tmp_path)))
        return tmp_path

    return unpack


def hierarchy_of(root: Path) -> Hierarchy:
    found = cgroups.find(root / "proc")
    assert found is not None
    return found


def test_a_delegated_scope_of_version_2_is_found(tree: Tree) -> None:
    root = tree("v2_delegated")
    found = hierarchy_of(root)
    assert found.version == 2
    assert found.own["memory"] == root / "sys/user.slice/user-1000.slice/user@1000.service/app.slice/run-u7.scope"
    assert found.upwards("cpu")[-1] == root / "sys"


def test_version_2_groups_carry_the_whole_budget_on_the_target(tree: Tree) -> None:
    found = hierarchy_of(tree("v2_delegated"))
    groups = cgroups.make(found, "t-1", SPLIT, Budget())
    assert groups is not None
    assert groups.trees == (found.own["memory"] / "chatbench-t-1",)
    target, others = groups.trees[0] / "target", groups.trees[0] / "others"
    assert (target / "cpuset.cpus").read_text() == "0,1"
    assert (others / "cpuset.cpus").read_text() == "2,3"
    assert int((target / "memory.max").read_text()) == 4 * GIB
    assert not (others / "memory.max").exists()
    assert groups.add("target", "django") == (target / "django",)
    assert (target / "django").is_dir()


def test_version_2_limits_are_read_back_as_enforced(tree: Tree) -> None:
    found = hierarchy_of(tree("v2_delegated"))
    groups = cgroups.make(found, "t-1", SPLIT, Budget())
    read = limits.read_back(found, groups, SPLIT, Budget())
    assert (read.cpus, read.memory_bytes, read.how) == ((0, 1), 4 * GIB, "cgroup v2")
    assert read.cpu_enforced
    assert read.memory_enforced
    assert read.notes == ()


def test_the_strictest_ancestor_decides(tree: Tree) -> None:
    found = hierarchy_of(tree("v2_container"))
    groups = cgroups.make(found, "t-1", SPLIT, Budget())
    read = limits.read_back(found, groups, SPLIT, Budget())
    assert read.memory_bytes == 3 * GIB
    assert read.shortfall == (
        "an outer group holds the target to 1.50 CPUs of time (minimum 3); "
        "an outer group holds the target to 3.00 GiB, not 4.00 GiB"
    )
    assert f"not the stated budget: {read.shortfall}" in read.notes


def test_throttling_by_an_outer_quota_is_seen(tree: Tree) -> None:
    assert accounting.throttled_s(accounting.throttle_files(hierarchy_of(tree("v2_container")))) == 2.5


def test_throttling_by_an_outer_quota_is_seen_in_version_1(tree: Tree) -> None:
    found = hierarchy_of(tree("v1_split"))
    assert accounting.throttled_s(accounting.throttle_files(found)) == 0.75
    assert limits.cpu_quota_cores(found) == 3.0


def test_memory_is_enforced_where_only_memory_is_delegated(tree: Tree) -> None:
    root = tree("v2_memory_only")
    (root / "sys/cgroup.subtree_control").mkdir()  # not ours to write
    found = hierarchy_of(root)
    groups = cgroups.make(found, "t-1", SPLIT, Budget())
    read = limits.read_back(found, groups, SPLIT, Budget())
    assert read.memory_enforced
    assert not read.cpu_enforced
    assert read.cpus == (0, 1)
    assert any("CPU set not enforced" in note and "chatbench doctor" in note for note in read.notes)


def test_without_any_permission_nothing_is_claimed(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    found = hierarchy_of(tree("v2_delegated"))
    monkeypatch.setattr("os.access", lambda *_: False)
    assert cgroups.make(found, "t-1", SPLIT, Budget()) is None
    read = limits.read_back(found, None, SPLIT, Budget())
    assert (read.how, read.cpu_enforced, read.memory_enforced) == ("affinity only", False, False)
    assert read.memory_bytes is None


def test_version_1_controllers_mounted_together_are_found(tree: Tree) -> None:
    root = tree("v1_split")
    found = hierarchy_of(root)
    assert found.version == 1
    assert found.own["cpuacct"] == found.own["cpu"] == root / "cpu,cpuacct/system.slice/job"
    assert found.own["cpuset"] == root / "cpuset"


def test_version_1_groups_get_memory_nodes_and_limits(tree: Tree) -> None:
    root = tree("v1_split")
    found = hierarchy_of(root)
    groups = cgroups.make(found, "t-1", SPLIT, Budget())
    assert groups is not None
    cpuset, memory = root / "cpuset/chatbench-t-1", root / "memory/system.slice/job/chatbench-t-1"
    assert (cpuset / "cpuset.cpus").read_text() == "0-3"
    assert (cpuset / "target/cpuset.cpus").read_text() == "0,1"
    assert (cpuset / "target/cpuset.mems").read_text() == "0"
    assert (cpuset / "others/cpuset.cpus").read_text() == "2,3"
    assert int((memory / "target/memory.limit_in_bytes").read_text()) == 4 * GIB
    joined = groups.add("target", "redis")
    assert joined[0] == cpuset / "target"
    assert memory / "target/redis" in joined
    read = limits.read_back(found, groups, SPLIT, Budget())
    assert (read.how, read.cpu_enforced, read.memory_bytes) == ("cgroup v1", True, 4 * GIB)


def test_version_1_swap_is_limited_with_memory_where_the_kernel_counts_it(tmp_path: Path) -> None:
    for name in ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"):
        (tmp_path / name).write_text("0")
    cgroups._limit_memory(tmp_path, GIB, version=1)
    assert int((tmp_path / "memory.memsw.limit_in_bytes").read_text()) == GIB


def test_a_container_that_sees_the_hosts_paths_uses_what_is_mounted(tree: Tree) -> None:
    root = tree("v1_container")
    found = hierarchy_of(root)
    assert found.own["memory"] == root / "memory"
    assert found.own["cpuacct"] == root / "cpuacct"


def test_version_1_wins_where_version_2_has_no_controllers(tree: Tree) -> None:
    assert hierarchy_of(tree("hybrid")).version == 1


def test_no_hierarchy_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_text("24 1 259:2 / / rw,relatime - ext4 /dev/sda1 rw\n")
    (tmp_path / "self/cgroup").write_text("0::/\n")
    assert cgroups.find(tmp_path) is None
    assert cgroups.make(None, "t-1", SPLIT, Budget()) is None
    assert not limits.read_back(None, None, SPLIT, Budget()).memory_enforced


def test_mount_points_with_spaces_are_read() -> None:
    line = "40 39 0:31 / /mnt/my\\040groups rw - cgroup2 cgroup2 rw\n"
    assert [mount[2] for mount in cgroups._mounts(line)] == [Path("/mnt/my groups")]


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_give_the_same_readings(tree: Tree, version: int) -> None:
    folder = tree(f"v{version}_readings") / "comp"
    assert accounting.group_cpu_s(folder, version) == 4.21
    memory = accounting.group_memory(folder, version)
    assert memory.anon_bytes == 100 << 20
    assert memory.shared_bytes == 1 << 20
    assert memory.working_set_bytes == (132 - 20) << 20
    assert memory.peak_bytes == 144 << 20
    assert accounting.group_oom_kills(folder, version) == 2


@pytest.mark.parametrize(("events", "reached"), [("oom 1\noom_kill 1\n", True), ("oom 0\noom_kill 1\n", False)])
def test_version_2_counts_a_groups_own_limit_apart_from_kills(tmp_path: Path, events: str, reached: bool) -> None:
    (tmp_path / "memory.events").write_text(f"low 0\nhigh 0\nmax 7\n{events}oom_group_kill 0\n")
    assert accounting.limit_reached(tmp_path, 2) == reached


@pytest.mark.parametrize(
    ("peak", "peak_with_swap", "reached"),
    [
        (4 * GIB, None, True),
        (4 * GIB - (1 << 16), None, True),
        (3 * GIB, None, False),
        (3 * GIB, 4 * GIB, True),
        (3 * GIB, 3 * GIB, False),
    ],
)
def test_version_1_shows_by_the_highest_usage_whether_a_limit_was_reached(
    tmp_path: Path, peak: int, peak_with_swap: int | None, reached: bool
) -> None:
    for kind, usage in (("", peak), ("memsw.", peak_with_swap)):
        if usage is not None:
            (tmp_path / f"memory.{kind}max_usage_in_bytes").write_text(f"{usage}\n")
            (tmp_path / f"memory.{kind}limit_in_bytes").write_text(f"{4 * GIB}\n")
    assert accounting.limit_reached(tmp_path, 1) == reached


def test_a_harness_in_its_own_leaf_makes_groups_beside_it_and_nests_no_deeper(tree: Tree) -> None:
    root = tree("v2_delegated")
    scope = hierarchy_of(root).own["memory"]
    for _ in range(3):  # as the leaf stays, and at times one in it that an earlier version made
        membership = root / "proc/self/cgroup"
        membership.write_text(f"{membership.read_text().strip()}/{cgroups.LEAF}\n")
        own = root / "sys" / membership.read_text().strip()[len("0::/") :]
        own.mkdir(parents=True, exist_ok=True)
        found = hierarchy_of(root)
        assert found.own["memory"] == own
        groups = cgroups.make(found, "t-1", SPLIT, Budget())
        assert groups is not None
        assert groups.trees == (scope / "chatbench-t-1",)
        assert not list(own.iterdir())


def test_fields_are_found_by_their_whole_name_at_the_start_of_a_line() -> None:
    text = "total_rss 1\nrss_huge 2\nrss 3\noom_kill_disable 0\nRssAnon:\t     5 kB\noom_kill 4"
    assert [procfs.field_of(text, name) for name in ("rss", "total_rss", "RssAnon:", "oom_kill")] == [3, 1, 5, 4]
    assert procfs.field_of(text, "oom") is None
    assert procfs.field_of("", "rss") is None
