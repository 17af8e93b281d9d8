"""A load that never settled: its machine readings are kept, judged, and found again from the samples."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import results
from harness.analysis.validity import Validity
from harness.records import Trial, Unsettled
from harness.trials.accounts import Gathered
from harness.trials.assess import UNSETTLED, assess
from harness.trials.observe import Observation
from reports import build
from reports.content.report import assemble
from reports.verify import validity, verify
from tests.doubles import results_run

SYSTEM = replace(results_run.SMALL[0], spare_cpus=False)
PLACE = "trials/streamlit/chat/003-14-0"


def never_settled(folder: Path) -> Trial:
    """Make of the trial that failed one whose turns under way grew until its warm-up ended."""
    made = next(trial for path, trial in results.read_trials(folder) if path == folder / PLACE)
    assert made.summary is not None
    phases = {name: made.summary.phases[name] for name in ("ramp_up", "warm_up")}
    unsettled = Unsettled(after_s=2, earlier_live=10, later_live=14)
    summary = replace(made.summary, phases=phases, unsettled=unsettled)
    seen = Observation(
        key=made.key,
        folder=folder / PLACE,
        started_at=made.started_at,
        plan=cast("Any", SimpleNamespace(measure_turns=20, seed=1)),
        protocol="streamlit",
        no_app=False,
        limits=made.limits,
        components=made.components,
        ready_after_s=1.0,
        in_time=True,
        exits=(),
        oom_kills=0,
        gathered=Gathered(turns=[], summary=summary),
        waited_s=None,
        checks=(),
        files=made.files,
    )
    figures, verdict = assess(seen, results_run.PROFILE, Validity())
    trial = replace(made, summary=summary, figures=figures, verdict=verdict)
    results.write_trial(folder / PLACE, trial)
    return trial


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return results_run.write_run(tmp_path / "run", (SYSTEM,))


def test_it_keeps_the_cores_that_the_upper_end_is_worked_out_from(run: Path) -> None:
    trial = never_settled(run)
    assert set(trial.figures) == {*UNSETTLED, "schedule_delay_p95_s", "model_lag_p99_s"}
    assert (trial.verdict.outcome, trial.verdict.contended) == ("fail", True)
    cores = trial.figures["target_cores"]
    assert cores
    build.build(run)
    assert [str(one) for one in verify(run)] == []
    capacity = assemble(run).table.cell("capacity_users/streamlit")
    assert capacity is not None
    assert (capacity.bracket, capacity.worked_out) == ((10, round(14 * 2 / cores)), (False, True))


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        (lambda t: t["figures"].update(target_cores=0.1), "target_cores"),
        (lambda t: t["figures"].pop("host_busy_ratio"), "host_busy_ratio"),
        (lambda t: t["verdict"].update(contended=False), "verdict"),
        (lambda t: t["summary"]["unsettled"].update(later_live=9.0), "verdict"),
        (lambda t: t.update(figures={}), "verdict"),
    ],
)
def test_what_does_not_follow_from_its_samples_is_named(run: Path, change: Any, figure: str) -> None:
    never_settled(run)
    build.build(run)
    path = run / PLACE / "trial.json"
    data = json.loads(path.read_text())
    change(data)
    results.write_json(path, data)
    assert figure in {one.figure for one in verify(run) if one.place.startswith(PLACE)}


def account_with(*, spare_cpus: bool) -> validity.Account:
    return validity.Account(
        scenario="chat",
        spare_cpus=spare_cpus,
        cores=2,
        no_app=False,
        stopped_early=False,
        turns_needed=20,
        recorder_errors=0,
        sign_in_failures=0,
        foreign_nonces=0,
        shortfall=False,
    )


@pytest.mark.parametrize("busy", [0.9, 0.901])
@pytest.mark.parametrize("said", [True, False])
def test_verify_has_its_own_limit_of_a_busy_machine(busy: float, *, said: bool) -> None:
    account = account_with(spare_cpus=False)
    verdict = {"outcome": "fail", "contended": said, "reasons": [{"code": "target.unsettled"}]}
    found = list(validity.unsettled(verdict, {"host_busy_ratio": busy}, account))
    assert [text.split(",")[0] for text in found] == ([] if said == (busy > 0.9) else [f"contended is {said}"])
    disturbed = list(validity.unsettled(verdict, {"steal_ratio": 0.06}, account))
    assert "fail, but should be invalid (steal): CPU steal 6 % (limit 5 %)" in disturbed


@pytest.mark.parametrize("spare", [True, False])
def test_verify_asks_generator_and_model_on_cpus_of_their_own_too(*, spare: bool) -> None:
    account = account_with(spare_cpus=spare)
    verdict = {"outcome": "fail", "contended": False, "reasons": [{"code": "target.unsettled"}]}
    found = list(validity.unsettled(verdict, {"schedule_delay_p95_s": 0.4}, account))
    assert [text.split(":")[0] for text in found] == (["fail, but should be invalid (schedule_delay)"] if spare else [])
