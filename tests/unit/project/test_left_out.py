"""Tests kept from running by an absent engine are named at the end, and fail where nothing may be left out."""

from pathlib import Path

import pytest

from tests import conftest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.browser
def test_in_a_browser(): ...

@pytest.mark.browser
def test_in_another(): ...

def test_of_another_engine():
    pytest.skip("redis tests (no Redis found)")

def test_without_any(): ...
"""


@pytest.fixture
def machine_without_browser(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makeini(f"[pytest]\nmarkers =\n    alone\n    browser\naddopts = {conftest.LIGHT}\n")
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    pytester.makepyfile(TESTS)
    monkeypatch.setenv("PATH", str(pytester.path))
    monkeypatch.delenv(conftest.STRICT_VARIABLE, raising=False)
    return pytester


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["one process", "workers"])
def test_absent_engine_is_named_at_the_end(machine_without_browser: pytest.Pytester, options: tuple[str, ...]) -> None:
    result = machine_without_browser.runpytest_inprocess(*options)
    result.assert_outcomes(passed=1, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "NOT RUN: browser tests (no Chromium found; install chromium) [[]2]",
            "NOT RUN: redis tests (no Redis found) [[]1]",
        ]
    )


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["one process", "workers"])
def test_nothing_may_be_left_out_in_strict_mode(
    machine_without_browser: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv(conftest.STRICT_VARIABLE, "1")
    result = machine_without_browser.runpytest_inprocess(*options)
    outcomes = result.parseoutcomes()
    assert "skipped" not in outcomes
    assert outcomes["passed"] == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED


LONG = """
import pytest

@pytest.mark.long
def test_that_takes_minutes(): ...

def test_that_takes_none(): ...
"""


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["one process", "workers"])
@pytest.mark.parametrize(("asked", "run"), [((), 1), (("--long",), 2)])
def test_long_tests_run_where_they_are_asked_for(
    pytester: pytest.Pytester, options: tuple[str, ...], asked: tuple[str, ...], run: int
) -> None:
    pytester.makeini(f"[pytest]\nmarkers =\n    alone\n    browser\n    long\naddopts = {conftest.LIGHT}\n")
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    pytester.makepyfile(LONG)
    result = pytester.runpytest_inprocess(*options, *asked)
    result.assert_outcomes(passed=run)
    assert ("Without the long tests: make test-all runs them, too." in result.outlines) is (not asked)


@pytest.mark.parametrize(("line", "group"), [("0::/session", "session"), ("4:memory:/session", "memory/session")])
def test_group_is_found_below_a_writable_hierarchy(tmp_path: Path, line: str, group: str) -> None:
    own = tmp_path / "own"
    own.write_text(f"7:blkio:/\n{line}\n")
    (tmp_path / "root" / group).mkdir(parents=True)
    (tmp_path / "root" / group / "cgroup.procs").touch()
    assert conftest.find_cgroups(tmp_path / "root", own) == tmp_path / "root" / group


def test_writable_folder_that_is_no_group_does_not_count(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    assert conftest.find_cgroups(tmp_path, own) is None


def test_no_group_is_found_without_a_hierarchy(tmp_path: Path) -> None:
    assert conftest.find_cgroups(tmp_path, tmp_path / "absent") is None
