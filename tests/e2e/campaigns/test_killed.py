"""A campaign killed at any moment resumes to the same table as one that nobody disturbed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reports.verify import verify
from tests import ROOT


@pytest.mark.parametrize(("tries", "moments"), [(6, 3), pytest.param(16, 6, marks=pytest.mark.long)])
@pytest.mark.timeout(1_800)
def test_campaigns_killed_at_any_moment_resume_to_the_same_table(tmp_path: Path, tries: int, moments: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.campaigns.killing", str(tmp_path), str(tries)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_750,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    whole, *seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert not whole["killed"]
    assert whole["code"] == 0, whole["errors"]
    assert [str(one) for one in verify(next((tmp_path / "whole" / "results").iterdir()))] == []
    assert len(seen) == tries
    assert sum(one["killed"] for one in seen) >= tries / 2, "hardly any campaign was killed before its end"
    assert len({one["kept"] for one in seen if one["killed"]}) >= moments, "all were killed at about the same moment"
    for one in seen:
        assert one["code"] == whole["code"], one["errors"]
        assert one["table"] == whole["table"]
