"""A new run says what is measured, of which targets, on what machine, before anything is."""

import sys
from pathlib import Path

import pytest

from harness import profiles, results
from harness.errors import BenchError
from harness.host import machine
from harness.records import GateTerms
from harness.targets import discover
from harness.trials import opening
from tests import ROOT
from tests.doubles.results_run import SMALL, target_info
from tests.doubles.runtime import FakePrepared

PROFILE = profiles.load("smoke")
PREPARED = FakePrepared(target=discover(ROOT / "targets").target("streamlit"), seed=42, info=target_info(SMALL[0]))


def test_a_run_says_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["chatbench", "run", "streamlit"])
    terms = GateTerms(base="main", head=".", margin=0.05, pairs=5)
    folder = tmp_path / "results" / "one"
    opening.open_run(folder, PROFILE, [PREPARED], root=tmp_path, runtime="local", workers=2, gate=terms)
    run = results.read_run(folder)
    assert (run.run_id, run.command) == ("one", ("chatbench", "run", "streamlit"))
    assert (run.runtime, run.workers, run.gate, run.selftest) == ("local", 2, terms, None)
    assert (run.profile, run.seed, run.common_level) == (PROFILE, PROFILE.seed, PROFILE.search.base_users)
    assert run.targets == {"streamlit": PREPARED.info}
    assert run.machine == machine.fingerprint()


def test_a_folder_that_cannot_be_written_is_named_with_the_option_for_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match="cannot be written: Not a directory") as refused:
        opening.require_writable(tmp_path / "file" / "results")
    assert "--results" in refused.value.hint
    with pytest.raises(BenchError, match="cannot be written: Not a directory"):
        opening.open_run(tmp_path / "file" / "one", PROFILE, [PREPARED], root=tmp_path, runtime="local")
    opening.require_writable(tmp_path / "new" / "results")
    assert list((tmp_path / "new" / "results").iterdir()) == []
