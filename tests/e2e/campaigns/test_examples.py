"""The worked examples can be measured: each passes its check, found by its folder; one is measured."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness import results
from harness.errors import EXIT_DONE, EXIT_INVALID
from harness.targets import read_part
from tests import ROOT
from tests.e2e.campaigns.test_your_own import BRIEF, environment

EXAMPLES = sorted(path.parent for path in (ROOT / "targets" / "examples").glob("*/part.toml"))
LONGEST = 100  # lines that are there for chatbench: its settings and its user class
LIMIT_S = 1_200


def typed(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of chatbench as a person types it in the checkout."""
    program = Path(sys.executable).parent / "chatbench"
    words = [str(program), *shlex.split(command)]
    return subprocess.run(
        words, cwd=ROOT, env=environment(folder), capture_output=True, text=True, check=False, timeout=LIMIT_S
    )


def test_there_are_examples_of_several_kinds() -> None:
    assert {"node", "streamlit-openai", "clai", "chainlit"} <= {folder.name for folder in EXAMPLES}


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_is_small_and_explained(folder: Path) -> None:
    part = read_part(folder)
    assert part.name == folder.name
    assert (folder / "README.md").is_file()
    ours = [path for path in (folder / "part.toml", folder / "user.py") if path.is_file()]
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in ours) <= LONGEST
    if part.local.requirements:
        lock = (folder / part.local.requirements).read_text(encoding="utf-8")
        assert lock.count("--hash=sha256:") >= lock.count("==") > 0
        assert "://" not in lock


@pytest.mark.spread
@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
@pytest.mark.timeout(LIMIT_S + 100)
def test_every_example_passes_its_check(folder: Path, tmp_path: Path) -> None:
    done = typed(f"check targets/examples/{folder.name}", tmp_path)
    assert done.returncode == EXIT_DONE, f"{done.stdout[-6000:]}{done.stderr[-3000:]}"
    assert "answered whole" in " ".join(done.stdout.split())


@pytest.mark.long  # the guide's walks measure other chatbots
@pytest.mark.spread
@pytest.mark.timeout(LIMIT_S + 100)
def test_an_example_is_measured(tmp_path: Path) -> None:
    (tmp_path / "brief.toml").write_text(BRIEF)
    options = f"--profile {tmp_path}/brief.toml --results {tmp_path}/results"
    done = typed(f"run targets/examples/node {options}", tmp_path)
    assert done.returncode in (EXIT_DONE, EXIT_INVALID), f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    (run,) = (tmp_path / "results").iterdir()
    assert (run / "report" / "report.html").is_file()
    info = results.read_run(run).targets["targets/examples/node"]
    assert info.python_processes == 0
    assert info.parts[0]["version"].startswith("v")
