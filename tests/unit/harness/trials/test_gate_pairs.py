"""The gate measures base and head in pairs until it decides, each trial under a name and a number of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import profiles
from harness.analysis.gate import BASE, HEAD
from harness.records import Trial, TrialKey, Verdict
from harness.runtimes.protocol import Prepared
from harness.targets import discover
from harness.trials import gate_pairs
from harness.trials.context import TrialContext
from harness.trials.gate_pairs import Pairing, decide
from tests import ROOT
from tests.doubles import trials
from tests.doubles.results_run import SMALL, target_info
from tests.doubles.runtime import FakePrepared, FakeRuntime

PROFILE = profiles.load("gate")
STREAMLIT = discover(ROOT / "targets").target("streamlit")


def prepared(side: str) -> Prepared:
    """Return one side, named as the command names it."""
    return FakePrepared(target=replace(STREAMLIT, name=f"streamlit@{side}"), seed=42, info=target_info(SMALL[0]))


@pytest.mark.parametrize(("dearer", "outcome", "batches"), [(1.0, "passed", 1), (1.5, "failed", 2)])
def test_pairs_are_measured_until_the_gate_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dearer: float, outcome: str, batches: int
) -> None:
    made: list[TrialKey] = []

    def measure(context: TrialContext, one: Prepared, key: TrialKey) -> Trial:
        assert one.target.name == key.target
        made.append(key)
        cpu_s = 0.02 * (dearer if key.target == "streamlit@head" else 1) + 1e-5 * key.repetition
        return trials.trial(key, Verdict(outcome="pass"), trials.FIGURES | {"target_cpu_s_per_turn": cpu_s})

    monkeypatch.setattr(gate_pairs, "run_trial", measure)
    told: list[str] = []
    context = TrialContext(run=tmp_path, runtime=FakeRuntime(), profile=PROFILE, tell=lambda *_: None)
    pairing = Pairing(context=context, sides={side: prepared(side) for side in (BASE, HEAD)}, pairs=3, tell=told.append)
    decision, pairs = decide(pairing, margin=0.05)
    assert (decision.outcome, len(decision.batches)) == (outcome, batches)
    assert [pair.batch for pair in pairs] == [1 + n // 3 for n in range(3 * batches)]
    assert all(pair.base and pair.head for pair in pairs)
    for side in (BASE, HEAD):
        mine = [key for key in made if key.target == f"streamlit@{side}"]
        assert [(key.repetition, key.number) for key in mine] == [(n, n + 1) for n in range(3 * batches)]
        assert {(key.scenario, key.level) for key in mine} == {("chat", PROFILE.search.base_users)}
    assert sum(line.startswith("  pair ") for line in told) == len(pairs)
    assert sum("does not settle it" in line for line in told) == batches - 1


def test_a_pair_with_an_invalid_trial_is_told_as_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_pairs, "run_trial", lambda _, __, key: trials.trial(key, Verdict(outcome="invalid")))
    told: list[str] = []
    context = TrialContext(run=tmp_path, runtime=FakeRuntime(), profile=PROFILE, tell=lambda *_: None)
    pairing = Pairing(context=context, sides={side: prepared(side) for side in (BASE, HEAD)}, pairs=3, tell=told.append)
    decision, _ = decide(pairing, margin=0.05)
    assert decision.outcome == "inconclusive"
    assert told[0] == "  pair 1 of 3: left out: a trial recorded no CPU time"
