"""The parts' own test suites, in the parts' own environments."""

import os
import re
import subprocess
from pathlib import Path

from harness.environments import Environments, plain_environment

ROOT = Path(__file__).resolve().parents[2]


def run(command: list[str | Path], folder: Path, path: str) -> str:
    """Run a suite and return what it printed; fails with that where it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=plain_environment() | {"PATH": path, "CI": "1", "NO_COLOR": "1", "NG_CLI_ANALYTICS": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-6000:]
    return printed


def test_the_django_part_passes_its_own_tests() -> None:
    part = ROOT / "targets" / "api" / "django"
    python = Environments(ROOT, print).ensure_python("django", part / "requirements.txt")
    printed = run([python, "manage.py", "test", "--settings", "config.settings_test"], part, os.environ["PATH"])
    assert int(re.search(r"Ran (\d+) tests", printed)[1]) >= 50  # type: ignore[index]  # no match fails too


def test_the_angular_part_passes_its_own_tests() -> None:
    part = ROOT / "targets" / "web" / "angular"
    made = Environments(ROOT, print)
    made.ensure_web(part, "dist/browser")  # its packages are installed with it
    node = made.ensure_node()
    printed = run([node / "npm", "test"], part, f"{node}{os.pathsep}{os.environ['PATH']}")
    assert int(re.search(r"Tests\s+(\d+) passed", printed)[1]) >= 150  # type: ignore[index]  # no match fails too
