"""The Makefile: what it lists, and how it repairs an environment whose making was interrupted."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)\n\t", MAKEFILE, re.MULTILINE)
UV = ".venv/bin/uv"
GIVEN = ("MAKEFLAGS", "MFLAGS", "PROFILE", "RUNTIME", "TARGETS", "ARGS")  # by the make that these tests may run under

INTERPRETER = """#!/bin/sh
echo "$0 $*" >> calls
case "$*" in
  "-m pip --version") {pip} ;;
  "-m venv "*) mkdir -p .venv/bin && cp healthy .venv/bin/python ;;
esac
"""


def make(*arguments: str, cwd: Path = ROOT) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in GIVEN}
    done = subprocess.run(["make", *arguments], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with this Makefile and two doubles of ``python3``: one whole, one without pip."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "uv.txt").touch()
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name, pip in (("healthy", "exit 0"), ("interrupted", "exit 1")):
        (tmp_path / name).write_text(INTERPRETER.format(pip=pip))
        (tmp_path / name).chmod(0o755)
    return tmp_path


def test_every_target_says_what_it_does() -> None:
    assert len(TARGETS) >= 10
    assert [name for name, rest in TARGETS if "## " not in rest] == []


def test_plain_make_lists_every_target() -> None:
    listed = re.findall(r"^make ([a-z-]+) +\S", make(), re.MULTILINE)
    assert listed == [name for name, _ in TARGETS]
    assert make("help") == make()


def test_every_listed_target_is_declared_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == {name for name, _ in TARGETS}


@pytest.mark.parametrize(
    ("typed", "passed_on"),
    [
        ((), ""),
        (("PROFILE=article", "RUNTIME=docker"), "--profile article --runtime docker"),
        (("ARGS=--resume latest",), "--resume latest"),
    ],
)
def test_bench_passes_on_what_was_typed_and_no_defaults(typed: tuple[str, ...], passed_on: str) -> None:
    (line,) = (one for one in make("-n", "-o", "setup", "bench", *typed).splitlines() if "chatbench run" in one)
    assert line.partition("chatbench run")[2].split() == passed_on.split()


@pytest.mark.parametrize(("present", "made"), [(None, 1), ("interrupted", 1), ("healthy", 0)])
def test_environment_without_pip_is_made_again(checkout: Path, present: str | None, made: int) -> None:
    if present:
        (checkout / ".venv" / "bin").mkdir(parents=True)
        shutil.copy(checkout / present, checkout / ".venv" / "bin" / "python")
    make("PYTHON=./healthy", UV, cwd=checkout)
    calls = (checkout / "calls").read_text().splitlines()
    assert calls.count("./healthy -m venv --clear .venv") == made
    assert calls[-1].startswith(".venv/bin/python -m pip install")
    assert (checkout / UV).exists()
