"""The workflow for CI compares a change with what it was merged into, whatever its base branch did since."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT
from tests.doubles.repository import commit, git, new_repository

STEPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs/ci/gate.yml").read_text(encoding="utf-8"))["jobs"]["gate"][
    "steps"
]


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """The checkout of a pull request that was opened before its base branch moved on."""
    root = new_repository(tmp_path)
    commit(root, {"targets/a": "one"}, "one")
    git(root, "checkout", "--quiet", "-b", "change")
    commit(root, {"docs": "words"}, "two")
    git(root, "checkout", "--quiet", "main")
    commit(root, {"targets/a": "dearer"}, "three")
    git(root, "checkout", "--quiet", "--detach")
    git(root, "merge", "--quiet", "--no-ff", "--message", "merge", "change")
    return root


def guarded(root: Path) -> int:
    """Return how the step ends that looks at the checkout."""
    step = next(one for one in STEPS if one.get("name") == "see that this is the merge")
    return subprocess.run(["bash", "-e", "-c", step["run"]], cwd=root, check=False, capture_output=True).returncode


def test_the_base_is_what_the_change_was_merged_into(merged: Path) -> None:
    base = next(one["env"]["BASE"] for one in STEPS if "BASE" in one.get("env", {}))
    assert git(merged, "rev-parse", base) == git(merged, "rev-parse", "main")
    assert git(merged, "diff", "--stat", f"{base}..HEAD", "--", "targets") == ""
    assert git(merged, "diff", "--stat", f"{base}..HEAD") != ""


def test_a_checkout_of_something_else_than_the_merge_ends_the_job(merged: Path) -> None:
    assert guarded(merged) == 0
    git(merged, "checkout", "--quiet", "change")
    assert guarded(merged) == 1


def test_the_checkout_takes_the_whole_history_and_no_ref() -> None:
    (checkout,) = (one for one in STEPS if one.get("uses", "").startswith("actions/checkout@"))
    assert checkout["with"] == {"fetch-depth": 0}
