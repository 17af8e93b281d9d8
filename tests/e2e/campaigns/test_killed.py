"""A campaign killed at any moment resumes to the same table as one that nobody disturbed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reports.verify import verify
from tests import ROOT

TRIES = 16


@pytest.mark.timeout(1_800)
def test_campaigns_killed_at_any_moment_resume_to_the_same_table(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.campaigns.killing", str(tmp_path), str(TRIES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_750,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    whole, *tries = [json.loads(line) for line in done.stdout.splitlines()]
    assert not whole["killed"]
    assert whole["code"] == 0, whole["errors"]
    assert [str(one) for one in verify(next((tmp_path / "whole" / "results").iterdir()))] == []
    assert len(tries) == TRIES
    assert sum(one["killed"] for one in tries) >= TRIES / 2, "hardly any campaign was killed before its end"
    assert len({one["kept"] for one in tries if one["killed"]}) >= 6, "all were killed at about the same moment"
    for one in tries:
        assert one["code"] == whole["code"], one["errors"]
        assert one["table"] == whole["table"]
