"""The limits around a target: the smallest along its path decides, both versions of control groups alike."""

import resource
from pathlib import Path

import pytest

from harness.host import limits, outer
from harness.host.cgroups import Budget, Groups, Hierarchy
from harness.host.cpus import CpuSplit

SPARE = CpuSplit(target=(0, 1), others=(2, 3), spare=True)
SHARED = CpuSplit(target=(0, 1), others=(0, 1), spare=False)
GIB = 1 << 30
NONE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """Have this process under no limit but those that a test puts in."""
    given: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: given.get(kind, NONE))
    return given


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a machine of 16 GiB."""
    monkeypatch.setattr("os.sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else 4 << 20)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")
    return folder


def version_2(top: Path) -> tuple[Hierarchy, Groups]:
    """Return a scope below a slice with a trial's groups in it."""
    own, tree = top / "a.slice" / "b.scope", top / "a.slice" / "b.scope" / "chatbench-t-1"
    write(tree / "target", memory__max=str(4 * GIB), cpuset__cpus__effective="0-1")
    names = ("cpuset", "memory", "cpuacct", "cpu", "pids")
    found = Hierarchy(version=2, own=dict.fromkeys(names, own), tops=dict.fromkeys(names, top))
    return found, Groups(version=2, cpuset=tree, memory=tree, cpuacct=tree)


def version_1(top: Path) -> tuple[Hierarchy, Groups]:
    """Return a job's groups, one tree per controller, with a trial's groups in them."""
    names = ("cpuset", "memory", "cpuacct", "cpu", "pids")
    own = {name: write(top / name / "a" / "job") for name in names}
    trees = {name: own[name] / "chatbench-t-1" for name in ("cpuset", "memory", "cpuacct")}
    write(trees["memory"] / "target", memory__limit_in_bytes=str(4 * GIB))
    write(trees["cpuset"] / "target", cpuset__cpus="0-1")
    return Hierarchy(version=1, own=own, tops={name: top / name for name in names}), Groups(version=1, **trees)


def test_a_budget_that_nothing_holds_back_is_whole(tmp_path: Path) -> None:
    for made in (version_2(tmp_path / "2"), version_1(tmp_path / "1"), (None, None)):
        assert outer.shortfall(*made, SPARE, Budget()) is None
        assert outer.tight(*made, SPARE, Budget()) == []


@pytest.mark.parametrize(
    ("split", "cores", "short"), [(SHARED, 1.99, True), (SHARED, 2.0, False), (SPARE, 2.99, True), (SPARE, 3.0, False)]
)
@pytest.mark.parametrize("level", ["a", "a/job"])
def test_a_quota_of_version_1_at_any_level_is_a_shortfall(
    tmp_path: Path, split: CpuSplit, cores: float, short: bool, level: str
) -> None:
    made = version_1(tmp_path)
    quota = str(round(cores * 100_000))
    write(tmp_path / "cpu" / level, cpu__cfs_quota_us=quota, cpu__cfs_period_us="100000")
    wrong = outer.shortfall(*made, split, Budget())
    assert (wrong is not None) == short
    if wrong:
        assert f"{cores:.2f} CPUs of time" in wrong


@pytest.mark.parametrize("level", ["a.slice", "a.slice/b.scope", "a.slice/b.scope/chatbench-t-1"])
def test_a_quota_of_version_2_at_any_level_is_a_shortfall(tmp_path: Path, level: str) -> None:
    made = version_2(tmp_path)
    write(tmp_path / level, cpu__max="100000 100000")
    assert outer.shortfall(*made, SHARED, Budget()) == (
        "an outer group holds the target to 1.00 CPUs of time (minimum 2)"
    )


def test_a_quota_that_leaves_the_budget_and_little_more_is_noted(tmp_path: Path) -> None:
    made = version_2(tmp_path)
    write(tmp_path / "a.slice", cpu__max="350000 100000", memory__max=str(5 * GIB))
    assert outer.shortfall(*made, SPARE, Budget()) is None
    assert outer.tight(*made, SPARE, Budget()) == [
        "an outer group holds target, model and generator together to 3.50 CPUs of time",
        "an outer group holds target, model and generator together to 5.00 GiB",
    ]


@pytest.mark.parametrize(
    ("version", "file"),
    [
        (2, "memory__max"),
        (2, "memory__high"),
        (1, "memory__limit_in_bytes"),
        (1, "memory__memsw__limit_in_bytes"),
    ],
)
@pytest.mark.parametrize(("size", "short"), [(4 * GIB - 4096, True), (4 * GIB, False)])
def test_an_outer_memory_limit_has_two_sides(tmp_path: Path, version: int, file: str, size: int, short: bool) -> None:
    made, place = (version_2(tmp_path), "a.slice") if version == 2 else (version_1(tmp_path), "memory/a")
    write(tmp_path / place, **{file: str(size)})
    assert (outer.shortfall(*made, SHARED, Budget()) is not None) == short


def test_cpus_that_an_outer_set_takes_away_are_a_shortfall(tmp_path: Path) -> None:
    made = version_2(tmp_path)
    write(tmp_path / "a.slice/b.scope/chatbench-t-1/target", cpuset__cpus__effective="1")
    assert outer.shortfall(*made, SHARED, Budget()) == "an outer group leaves the target CPUs 1, not 0,1"


def test_without_groups_of_our_own_the_outer_ones_still_count(tmp_path: Path) -> None:
    found, _ = version_2(tmp_path)
    write(tmp_path / "a.slice" / "b.scope", memory__max=str(2 * GIB), cpu__max="50000 100000")
    wrong = outer.shortfall(found, None, SHARED, Budget())
    assert wrong is not None
    assert "0.50 CPUs" in wrong
    assert "2.00 GiB" in wrong


@pytest.mark.parametrize(
    ("kind", "option"), [(resource.RLIMIT_AS, "`ulimit -v`"), (resource.RLIMIT_DATA, "`ulimit -d`")]
)
def test_a_process_limit_below_the_budget_is_a_shortfall(
    unlimited: dict[int, tuple[int, int]], kind: int, option: str
) -> None:
    unlimited[kind] = (GIB, 4 * GIB)  # the soft one is raised
    assert outer.shortfall(None, None, SHARED, Budget()) is None
    unlimited[kind] = (GIB, 4 * GIB - 1024)
    assert option in str(outer.shortfall(None, None, SHARED, Budget()))


def test_a_limit_of_cpu_time_is_a_shortfall(unlimited: dict[int, tuple[int, int]]) -> None:
    unlimited[resource.RLIMIT_CPU] = (600, 600)
    assert outer.shortfall(None, None, SHARED, Budget()) == "`ulimit -t` ends each process after 600 s of CPU time"


@pytest.mark.parametrize(("pages", "short"), [(943_718, True), (943_719, False)])  # 3.6 GiB of 4 KiB
def test_a_machine_with_less_memory_than_the_budget_is_a_shortfall(
    monkeypatch: pytest.MonkeyPatch, pages: int, short: bool
) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else pages)
    assert (outer.shortfall(None, None, SHARED, Budget()) is not None) == short


def test_the_room_for_files_tasks_and_ports_is_the_smallest_along_the_path(
    tmp_path: Path, unlimited: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = version_2(tmp_path / "sys")
    write(tmp_path / "sys/a.slice", pids__max="500", pids__current="80")
    write(tmp_path / "sys/a.slice/b.scope", pids__max="max", pids__current="3")
    write(tmp_path / "proc/sys/kernel", **{"threads-max": "9000", "pid_max": "32768"})
    write(tmp_path / "proc/sys/net/ipv4", ip_local_port_range="32768\t60999")
    for thread in ("41", "42", "43"):
        (tmp_path / "proc" / "41" / "task" / thread).mkdir(parents=True)
    unlimited[resource.RLIMIT_NOFILE] = (1024, 4096)
    unlimited[resource.RLIMIT_NPROC] = (300, 300)
    user = tmp_path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert outer.room(*made, tmp_path / "proc") == outer.Room(open_files=4096, tasks=420, ports=28232)
    if user:  # root is never held by a number of processes
        monkeypatch.setattr("os.geteuid", lambda: user)
        assert outer.room(*made, tmp_path / "proc").tasks == 297


@pytest.mark.parametrize(
    ("given", "files"), [((1024, 4096), 4096), ((256, 256), 256), ((1024, NONE[1]), outer.OPEN_FILES), (NONE, None)]
)
def test_open_files_are_as_many_as_a_process_gets(
    tmp_path: Path, unlimited: dict[int, tuple[int, int]], given: tuple[int, int], files: int | None
) -> None:
    unlimited[resource.RLIMIT_NOFILE] = given
    assert outer.room(None, None, tmp_path) == outer.Room(open_files=files, tasks=None, ports=None)


def test_a_shortfall_is_read_back_with_the_limits(tmp_path: Path) -> None:
    found, groups = version_2(tmp_path)
    write(tmp_path / "a.slice", cpu__max="100000 100000", memory__max=str(2 * GIB))
    read = limits.read_back(found, groups, SHARED, Budget())
    assert (read.cpu_enforced, read.memory_enforced, read.memory_bytes) == (True, True, 2 * GIB)
    assert read.shortfall is not None
    assert f"not the stated budget: {read.shortfall}" in read.notes
