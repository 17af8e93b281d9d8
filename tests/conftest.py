"""What runs beside what, and what was left out; with CHATBENCH_TEST_ALL=1 nothing may be left out.

Everything here works in one process as well as in pytest-xdist's workers, whose reports bring what they noted.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

LIGHT = "-p no:locust -p no:schemathesis"  # plug-ins that take seconds to import; what they are of is a program here
STRICT_VARIABLE = "CHATBENCH_TEST_ALL"
MOST_WORKERS = 8  # targets of all workers share two CPUs
LEFT_OUT = "left out"  # among a report's user properties: why its test was not run
DELAY = "delay"  # likewise: a line for the table at the end
SHARED = pytest.StashKey[Path]()
#: in the shared folder: a test holds the first locked, one marked ``alone`` exclusively; the second names groups
TURN, GROUPS = "turn", "groups.json"

settings.register_profile("untimed", deadline=None)  # how long an example takes is no property of the code
settings.load_profile("untimed")


def find_browser() -> str | None:
    """Return the Chromium of this machine, None where there is none."""
    from harness.probes.browser import chromium

    return chromium.find()


def _may_make_groups(parent: Path) -> bool:
    try:
        Path(tempfile.mkdtemp(prefix="chatbench-test-", dir=parent)).rmdir()
    except OSError:
        return False
    return True


def find_cgroups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Path | None:
    """Return a control group, of either version, below which this process may make groups; None where there is none."""
    try:
        lines = own.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):  # version 2, or one controller of version 1
            continue
        mount = root / controllers
        for parent in (mount / path.lstrip("/"), mount):
            if (parent / "cgroup.procs").exists() and _may_make_groups(parent):
                return parent
    return None


@cache
def find_docker() -> str | None:
    """Return the version of this machine's Docker engine, None where it cannot be reached or lacks a tool."""
    from harness.errors import BenchError
    from harness.runtimes.docker import engine

    try:
        engine.compose_command()
        client = engine.connect(timeout_s=5)
    except BenchError:
        return None
    try:
        return str(client.version()["Version"]) if engine.builder()[0] else None
    finally:
        client.close()


#: marker -> how the engine is found, and what to say where it is not
ENGINES: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (find_browser, "no Chromium found; install chromium"),
    "cgroup": (find_cgroups, "no control group hierarchy may be written to; run as root or delegate one"),
    "docker": (find_docker, "no Docker engine with Compose and BuildKit answers; see `chatbench doctor`"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs all tests."""
    parser.addoption("--long", action="store_true", help="run the tests marked long, too: make test-all")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that a run's workers share."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[SHARED] = Path(worker["shared"])
        return
    config.pluginmanager.register(Announcer(config))
    if config.getoption("numprocesses", None):
        config.stash[SHARED] = Path(tempfile.mkdtemp(prefix="chatbench-tests-"))
        (config.stash[SHARED] / TURN).touch()
        _make_room_for_groups()


class Announcer:
    """Names what failed when it fails: a run takes long, and one that is stopped prints no summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print a failed phase of a test."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and reporter:
            reporter.ensure_newline()
            reporter.write_line(f"FAILED {report.nodeid} ({report.when})")


def _make_room_for_groups() -> None:
    """Have the harness step into a group of its own before there are workers.

    Control groups of version 2 may ask for that, and the harness does it only while nobody else is in its group.
    """
    from harness.errors import BenchError
    from harness.host import cgroups, cpus

    hierarchy = cgroups.find()
    if hierarchy is None or hierarchy.version == 1:
        return
    with suppress(BenchError, OSError):
        split = cpus.split(cpus.physical_cores(cpus.usable()), 1)
        groups = cgroups.make(hierarchy, f"tests-{os.getpid()}", split, cgroups.Budget(cpus=1))
        for tree in groups.trees if groups else ():
            for folder, _, _ in os.walk(tree, topdown=False):
                Path(folder).rmdir()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers ``-n auto`` starts: one waits, for a browser, a process, an answer, while others work.

    With two per CPU, browsers were too slow for the patience of the page that they show.
    """
    return min(len(os.sched_getaffinity(0)) + 1, MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker the folder."""
    node.workerinput["shared"] = str(node.config.stash[SHARED])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Return what gives whole groups to workers, in the order in which they were collected."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # xdist's own --dist loadgroup knows no group with pytest 9
        @cached_property
        def groups(self) -> dict[str, str]:
            found: dict[str, str] = json.loads((config.stash[SHARED] / GROUPS).read_text(encoding="utf-8"))
            return found

        def _split_scope(self, nodeid: str) -> str:
            return self.groups.get(nodeid, nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder with the process that made it."""
    if SHARED in config.stash and not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[SHARED])


def group_of(item: pytest.Item) -> str:
    """Return the name of the tests that share a worker with this one."""
    if item.get_closest_marker("alone"):
        return "alone"
    if item.get_closest_marker("docker"):
        return "docker"  # one engine, in which they look for what others left
    if item.get_closest_marker("spread"):
        return item.nodeid
    group = item.get_closest_marker("xdist_group")
    return str(group.args[0]) if group else item.nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)  # before xdist tells the controller that this worker is ready
def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down each test's group: the controller schedules tests but collects none."""
    worker: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if worker is not None and worker["workerid"] == "gw0":
        groups = {item.nodeid: group_of(item) for item in session.items}
        (session.config.stash[SHARED] / GROUPS).write_text(json.dumps(groups), encoding="utf-8")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long tests out unless asked for; begin the longest group first, and last the tests that run alone."""
    if not config.getoption("--long") and (long := [item for item in items if item.get_closest_marker("long")]):
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=lambda item: ("alone" in item.keywords, "docker" not in item.keywords))


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the test's own time limit begins
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Wait until no test that runs alone is running; one that does so waits for all others."""
    if SHARED not in item.config.stash:
        return (yield)
    with (item.config.stash[SHARED] / TURN).open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose engine is absent."""
    for marker, (find, remedy) in ENGINES.items():
        if item.get_closest_marker(marker) and not find():
            pytest.skip(f"{marker} tests ({remedy})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note why a test was skipped; in strict mode that is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = (
            call.excinfo.value.msg if call.excinfo and isinstance(call.excinfo.value, pytest.skip.Exception) else ""
        )
        report.user_properties.append((LEFT_OUT, reason or item.nodeid))
        if os.environ.get(STRICT_VARIABLE) == "1":
            report.outcome = "failed"
            report.longrepr = f"left out although {STRICT_VARIABLE}=1: {reason}"
    return report


def noted(terminalreporter: pytest.TerminalReporter, name: str, when: str) -> list[str]:
    """Return what tests noted under a name in one of their phases, whichever process ran them."""
    reports = (report for kind in terminalreporter.stats.values() for report in kind)
    properties = (getattr(report, "user_properties", ()) for report in reports if getattr(report, "when", "") == when)
    return [str(value) for pairs in properties for key, value in pairs if key == name]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how late tokens reached user, browser and page, and name what was left out."""
    if lines := noted(terminalreporter, DELAY, "call"):
        terminalreporter.section("delays after the model's emission, medians in ms")
        for line in lines:
            terminalreporter.write_line(line)
    reasons = [reason for when in ("setup", "call", "teardown") for reason in noted(terminalreporter, LEFT_OUT, when)]
    for reason, count in Counter(reasons).items():
        terminalreporter.write_line(f"NOT RUN: {reason} [{count}]", yellow=True)
    if not terminalreporter.config.getoption("--long"):
        terminalreporter.write_line("Without the long tests: make test-all runs them, too.")
