"""Judging the article's claims, and saying what bound a target."""

from dataclasses import replace

import pytest

from harness.records import Reason, Trial, Verdict
from reports.content.bottleneck import explain
from reports.content.claims import Claim, judge
from reports.evidence.trials import gather
from tests.doubles import results_run
from tests.unit.reports.cells.test_cells import (
    CONTENDED,
    FAIL,
    PASS,
    TERMS,
    evidence,
    idle_trial,
    run_of,
    table_of,
    trial,
)

RUN = run_of(results_run.STREAMLIT, results_run.DJANGO)


def claims_of(*trials: Trial) -> dict[str, Claim]:
    return {claim.id: claim for claim in judge(RUN, table_of(RUN, *trials), TERMS)}


def ends(target: str, low: int, high: int, verdict: Verdict = FAIL) -> list[Trial]:
    return [trial(target, low, PASS), trial(target, high, verdict)]


@pytest.mark.parametrize(
    ("low", "high", "verdict", "judgement"),
    [
        (2000, 2500, FAIL, "supported"),
        (2400, 3000, CONTENDED, "supported"),
        (1500, 1900, FAIL, "refuted"),
        (1500, 2000, FAIL, "refuted"),
        (1500, 2500, FAIL, "inconclusive"),
        (150, 200, CONTENDED, "inconclusive"),
    ],
)
def test_several_thousand_means_two_thousand_at_least(low: int, high: int, verdict: Verdict, judgement: str) -> None:
    claim = claims_of(*ends("django+angular", low, high, verdict))["several-thousand"]
    assert claim.judgement == judgement
    assert "at least 2,000 users" in claim.threshold
    assert "think time 3 s" in claim.threshold
    assert claim.rests_on == ("capacity_users/django+angular",)


@pytest.mark.parametrize(
    ("modular", "monolithic", "judgement"),
    [((100, 120), (20, 25), "supported"), ((30, 35), (20, 25), "refuted"), ((45, 55), (20, 25), "inconclusive")],
)
def test_early_means_half_of_what_the_modular_build_carries(
    modular: tuple[int, int], monolithic: tuple[int, int], judgement: str
) -> None:
    found = claims_of(*ends("django+angular", *modular), *ends("streamlit", *monolithic))
    assert found["streamlit-early"].judgement == judgement


@pytest.mark.parametrize(
    ("low", "high", "verdict", "judgement"),
    [
        (20, 30, FAIL, "supported"),
        (120, 150, FAIL, "refuted"),
        (90, 120, FAIL, "inconclusive"),
        (20, 30, CONTENDED, "inconclusive"),
    ],
)
def test_few_means_fewer_than_a_hundred(low: int, high: int, verdict: Verdict, judgement: str) -> None:
    assert claims_of(*ends("streamlit", low, high, verdict))["few-streamlit-users"].judgement == judgement


@pytest.mark.parametrize(
    ("memory", "judgement"),
    [((0, 5e6, 1e7, 1.5e7), "supported"), ((0, 5e6, 0, 5e6), "inconclusive"), ((2e7, 1.5e7, 1e7, 5e6), "refuted")],
)
def test_resources_of_its_own_need_a_slope_above_zero(memory: tuple[float, ...], judgement: str) -> None:
    idle = idle_trial(*memory)
    assert claims_of(idle)["streamlit-own-resources"].judgement == judgement


def test_without_trials_every_claim_is_not_measured() -> None:
    assert {claim.judgement for claim in claims_of().values()} == {"not measured"}


def test_claims_cite_the_section_and_name_cells_that_exist() -> None:
    table = table_of(RUN, *ends("django+angular", 100, 120), *ends("streamlit", 20, 25))
    for claim in judge(RUN, table, TERMS):
        assert claim.section == "2.2"
        assert all(table.cell(cell_id) for cell_id in claim.rests_on)


def test_each_version_of_streamlit_is_judged_and_named() -> None:
    of_april = replace(results_run.STREAMLIT, name="streamlit:1.44", packages=(("streamlit", "1.44.1"),))
    run = run_of(results_run.STREAMLIT, of_april, results_run.DJANGO)
    trials = [*ends("streamlit", 120, 150), *ends("streamlit:1.44", 20, 25), *ends("django+angular", 400, 500)]
    found = {claim.id: claim for claim in judge(run, table_of(run, *trials), TERMS)}
    now, then = found["few-streamlit-users"], found["few-streamlit-users/streamlit:1.44"]
    assert (now.judgement, then.judgement) == ("refuted", "supported")
    assert now.says.endswith("(here streamlit: streamlit 1.67.0)")
    assert then.says.endswith("(here streamlit:1.44: streamlit 1.44.1)")


def test_one_busy_python_process_is_named_as_the_bound() -> None:
    text = explain(evidence(trial("streamlit", 30, FAIL, target_cores=1.05, busiest_process_cores=0.97))).text
    assert "At 30 users it missed the SLO: late." in text
    assert "Limited by: one process, which used 0.97 of one core; 0.95 of 2 cores were idle." in text


def test_both_cpus_memory_and_a_busy_machine_are_named() -> None:
    full = trial("streamlit", 30, FAIL, target_cores=1.9, busiest_process_cores=0.95, memory_peak_bytes=3.9 * 2**30)
    text = explain(evidence(full)).text
    assert "CPU, 1.9 of 2 cores used" in text
    assert "memory, 3.9 GiB of 4 GiB used" in text


def test_a_kill_by_the_kernel_is_named_first() -> None:
    killed = Verdict(outcome="fail", reasons=(Reason(code="target.oom", text="the kernel killed 1 of its processes"),))
    assert "Limited by: the kernel killed 1 of its processes" in explain(evidence(trial("streamlit", 30, killed))).text


def test_idle_readings_mean_waiting_and_no_readings_are_admitted() -> None:
    text = explain(evidence(trial("streamlit", 30, FAIL, target_cores=0.3, busiest_process_cores=0.2))).text
    assert "No reading was near its limit: turns waited for something else." in text
    assert "No resource readings were recorded." in explain(evidence(trial("streamlit", 30, FAIL))).text


def test_without_a_failure_the_highest_passed_level_is_read() -> None:
    passed = [trial("streamlit", n, PASS, target_cores=n / 40, busiest_process_cores=n / 40) for n in (10, 36)]
    assert "At 36 users it met the SLO. Nearest to its limit: one process" in explain(evidence(*passed)).text


def test_a_target_without_valid_trials_has_nothing_said_of_it() -> None:
    assert explain(gather(RUN, [])["streamlit"]).text == "No valid trial under load."
