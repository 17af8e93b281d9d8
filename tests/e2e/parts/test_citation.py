"""CITATION.cff is valid by the schema of its format, as the format's own tool reads it."""

import subprocess
from pathlib import Path

import pytest

from harness.environments import Environments
from tests import ROOT

CITATION = ROOT / "CITATION.cff"


@pytest.fixture(scope="module")
def tool() -> Path:
    """The tool in an environment of its own: it needs older packages than the bench."""
    python = Environments(ROOT, print).ensure_python("citation", ROOT / "requirements" / "citation.txt")
    return python.with_name("cffconvert")


def validated(tool: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool, "--validate", "-i", file], capture_output=True, text=True, timeout=60, check=False)


def test_the_citation_file_meets_its_schema(tool: Path) -> None:
    done = validated(tool, CITATION)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_citation_file_is_found_out(tool: Path, tmp_path: Path) -> None:
    right = CITATION.read_text(encoding="utf-8")
    wrong = tmp_path / "CITATION.cff"
    wrong.write_text(right.replace("type: software\n", "type: rumour\n"), encoding="utf-8")
    done = validated(tool, wrong)
    assert done.returncode != 0
    assert "'rumour' is not one of" in done.stdout + done.stderr
