"""Every part's own tests, in the part's own environment; a suite that breaks, shrinks or is not stated fails."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.environments import Environments, FrontEnds, plain_environment
from harness.targets import Part, Suite, discover
from tests import ROOT

PARTS = list(discover(ROOT / "targets").parts.values())
QUIET = {"CI": "1", "NO_COLOR": "1", "NG_CLI_ANALYTICS": "false"}
LIMIT_S = 850


def own_suite(part: Part) -> bool:
    """Tell whether a part's folder holds tests."""
    package = part.folder / "package.json"
    scripts = json.loads(package.read_text(encoding="utf-8")).get("scripts", {}) if package.is_file() else {}
    return "test" in scripts or (part.folder / "tests").is_dir()


def environment(part: Part, suite: Suite) -> tuple[Path, Mapping[str, str]]:
    """Return the Python and the variables that a part's suite runs with; made unless they are there."""
    search = os.environ["PATH"]
    if part.local.build and part.local.dist:
        front_ends = FrontEnds(ROOT, print)
        front_ends.ensure_web(part.folder, part.local.dist)  # its packages are installed with it
        search = f"{front_ends.ensure_node()}{os.pathsep}{search}"
    python, requirements = Path(sys.executable), suite.requirements or part.local.requirements
    if requirements:
        name = f"{part.name}-tests" if suite.requirements else part.name
        python = Environments(ROOT, print).ensure_python(name, part.folder / requirements)
    return python, plain_environment() | QUIET | {"PATH": search}


def run(part: Part, suite: Suite) -> int:
    """Run a part's suite and return how many of its tests passed; fails with what it printed where it fails."""
    python, variables = environment(part, suite)
    done = subprocess.run(
        [word.replace("{python}", str(python)) for word in suite.command],
        cwd=part.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-6000:]
    found = re.search(suite.passed, printed)
    assert found, f"{suite.passed!r} is nowhere in what it printed:\n{printed[-6000:]}"
    passed = int(found[1])
    assert passed >= suite.at_least, f"{passed} tests passed; part.toml says at least {suite.at_least}"
    return passed


@pytest.mark.spread
@pytest.mark.parametrize("part", [part for part in PARTS if part.tests], ids=lambda part: part.name)
def test_a_part_passes_its_own_tests(part: Part) -> None:
    assert part.tests
    print(f"{part.name}: {run(part, part.tests)} tests passed")


@pytest.mark.parametrize(
    "part", [one for one in PARTS if one.kind == "api" or own_suite(one)], ids=lambda part: part.name
)
def test_a_part_with_tests_says_how_they_run(part: Part) -> None:
    assert part.tests, f"add a table [tests] to {part.folder}/part.toml"


def pins(lock: Path) -> set[str]:
    """Return the packages of a lock file with their versions."""
    return set(re.findall(r"^[\w.-]+(?:\[[^]]*\])?==[^\s;]+", lock.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("part", [p for p in PARTS if p.tests and p.tests.requirements], ids=lambda part: part.name)
def test_what_is_tested_is_what_is_measured(part: Part) -> None:
    assert part.tests
    assert part.local.requirements
    measured, tested = (pins(part.folder / str(name)) for name in (part.local.requirements, part.tests.requirements))
    assert len(measured) > 5
    assert measured - tested == set()
    assert any(pin.startswith("pytest==") for pin in tested - measured)


@pytest.mark.parametrize(
    ("printed", "code", "complaint"),
    [
        ("4 passed", 0, ""),
        ("3 passed", 0, "3 tests passed; part.toml says at least 4"),
        ("4 passed, 1 failed", 1, "1 failed"),
        ("collected nothing", 0, "nowhere"),
    ],
)
def test_a_suite_that_breaks_or_shrinks_is_noticed(tmp_path: Path, printed: str, code: int, complaint: str) -> None:
    part = Part(name="twin", kind="api", title="A twin", folder=tmp_path)
    suite = Suite(
        command=("{python}", "-c", f"import sys; print({printed!r}); sys.exit({code})"),
        passed=r"(\d+) passed",
        at_least=4,
    )
    if not complaint:
        assert run(part, suite) == 4
        return
    with pytest.raises(AssertionError, match=complaint):
        run(part, suite)


def test_tests_that_nobody_would_run_are_noticed(tmp_path: Path) -> None:
    part = Part(name="twin", kind="web", title="A twin", folder=tmp_path)
    assert not own_suite(part)
    (tmp_path / "package.json").write_text('{"scripts": {"test": "vitest"}}', encoding="utf-8")
    assert own_suite(part)
    (tmp_path / "package.json").unlink()
    (tmp_path / "tests").mkdir()
    assert own_suite(part)
