"""What an absent engine keeps from running is named at the end; with CHATBENCH_TEST_ALL=1 nothing may be left out."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

STRICT_VARIABLE = "CHATBENCH_TEST_ALL"
SKIPPED = pytest.StashKey[Counter[str]]()

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


def pytest_configure(config: pytest.Config) -> None:
    """Begin counting what is left out."""
    config.stash[SKIPPED] = Counter()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose engine is absent."""
    for marker, (find, remedy) in ENGINES.items():
        if item.get_closest_marker(marker) and not find():
            pytest.skip(f"{marker} tests ({remedy})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count every skipped test by its reason, whoever skipped it; in strict mode it is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = (
            call.excinfo.value.msg if call.excinfo and isinstance(call.excinfo.value, pytest.skip.Exception) else ""
        )
        item.config.stash[SKIPPED][reason or item.nodeid] += 1
        if os.environ.get(STRICT_VARIABLE) == "1":
            report.outcome = "failed"
            report.longrepr = f"left out although {STRICT_VARIABLE}=1: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was left out."""
    for reason, count in config.stash[SKIPPED].items():
        terminalreporter.write_line(f"NOT RUN: {reason} [{count}]", yellow=True)
