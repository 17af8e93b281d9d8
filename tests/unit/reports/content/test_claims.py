"""Judging the article's claims, and saying what bound a target."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.records import Reason, Run, Trial, Verdict
from reports.content.bottleneck import explain
from reports.content.claims import JudgedClaim, judge
from reports.evidence.trials import TrialRef, gather
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


def claims_of(*trials: Trial, run: Run = RUN) -> dict[str, JudgedClaim]:
    known = gather(run, [TrialRef(f"trials/{i}", t) for i, t in enumerate(trials)])
    return {claim.id: claim for claim in judge(run, table_of(run, *trials), TERMS, known)}


def named(name: str, like: results_run.Measured = results_run.STREAMLIT) -> results_run.Measured:
    return replace(like, name=name)


def ends(target: str, low: int, high: int, verdict: Verdict = FAIL, *, times: int = 2) -> list[Trial]:
    """Return both ends of a bracket, each tried so often."""
    return [trial(target, n, v, repetition=i) for n, v in ((low, PASS), (high, verdict)) for i in range(times)]


def thinking(target: str, think_s: int, level: int, verdict: Verdict, *, times: int = 2) -> list[Trial]:
    found = [trial(target, level, verdict, scenario="think", repetition=i) for i in range(times)]
    return [replace(one, key=replace(one.key, parameter=think_s)) for one in found]


@pytest.mark.parametrize(
    ("low", "high", "verdict", "judgement"),
    [
        (3200, 4000, FAIL, "supported"),
        (3200, 4000, CONTENDED, "supported"),
        (1500, 1900, FAIL, "not settled"),  # a miss at 3 s says nothing of longer think times
        (1500, 2500, FAIL, "not settled"),
        (150, 200, CONTENDED, "not settled"),
    ],
)
def test_several_thousand_means_two_thousand_at_least(low: int, high: int, verdict: Verdict, judgement: str) -> None:
    claim = claims_of(*ends("django+angular", low, high, verdict))["several-thousand"]
    assert claim.judgement == judgement
    assert "at least 2,000 users" in claim.threshold
    assert "mean think times of 3 to 100 s" in claim.threshold
    assert claim.rests_on == ("capacity_users/django+angular",)
    assert "(here tuned: django+angular, django 5.2.9" in claim.says


def test_one_trial_a_side_settles_nothing() -> None:
    once = claims_of(*ends("django+angular", 9000, 10000, times=1), *ends("streamlit", 20, 25, times=1))
    assert {claim.judgement for claim in once.values()} == {"not settled", "not measured"}
    assert once["several-thousand"].judgement == "not settled"


def test_a_number_that_turns_with_the_think_time_depends_and_says_where() -> None:
    seen = [*ends("django+angular", 803, 935), *thinking("django+angular", 18, 2800, PASS)]
    claim = claims_of(*seen)["several-thousand"]
    assert claim.judgement == "depends"
    # 2,000 · (1.1 + 3) / 935 − 1.1 = 7.7 s, / 803 9.1 s
    assert claim.condition == "from a mean think time of about 7.7–9.1 s on (tried at 3 s and 18 s)"
    assert claim.answer.startswith("depends: from a mean think time")
    assert "tried: ≥ 2,077 users at 18 s (2 passed, 0 failed)" in claim.why
    assert "predicted, not tried: 1,861–2,166 users at 8.4 s, " in claim.why


def test_a_prediction_from_a_worked_out_end_is_marked_too() -> None:
    tried = ends("django+angular", 803, 935, CONTENDED)
    tried = [replace(one, figures={**one.figures, "target_cores": 1.7}) for one in tried]
    claim = claims_of(*tried)["several-thousand"]
    # 935 · 2 / 1.7 = 1,100 users; 2,166 users are predicted from 935
    assert "predicted, not tried: 1,861–≤2,549 users at 8.4 s, " in claim.why
    # 2,000 · (1.1 + 3) / 1,100 − 1.1 = 6.35 s
    assert claim.turn_s == pytest.approx((8200 / 1100 - 1.1, 8200 / 803 - 1.1))
    assert "predicted to turn at a mean think time of about ≥6.4–9.1 s" in claim.why


def test_a_prediction_alone_decides_nothing_and_is_told() -> None:
    claim = claims_of(*ends("django+angular", 803, 935))["several-thousand"]
    assert (claim.judgement, claim.condition) == ("not settled", "")
    assert "fewer than 2,000 users up to 3 s; predicted to turn at a mean think time of about 7.7–9.1 s" in claim.why
    guesses = [one for one in claim.basis if not one.tried]
    assert [one.think_s for one in guesses] == [8.4, 18.0, 100.0]
    assert all(one.low_trials == one.high_trials == 0 for one in guesses)


def test_the_other_side_tried_once_leaves_it_open() -> None:
    seen = [*ends("django+angular", 803, 935), *thinking("django+angular", 18, 2800, PASS, times=1)]
    assert claims_of(*seen)["several-thousand"].judgement == "not settled"


def test_a_miss_at_a_hundred_seconds_refutes() -> None:
    seen = [*ends("django+angular", 30, 40), *thinking("django+angular", 100, 700, FAIL)]
    assert claims_of(*seen)["several-thousand"].judgement == "refuted"


@pytest.mark.parametrize(
    ("modular", "monolithic", "judgement"),
    [((100, 120), (20, 25), "supported"), ((30, 35), (24, 28), "refuted"), ((45, 55), (20, 25), "not settled")],
)
def test_early_means_half_of_what_the_modular_build_carries(
    modular: tuple[int, int], monolithic: tuple[int, int], judgement: str
) -> None:
    found = claims_of(*ends("django+angular", *modular), *ends("streamlit", *monolithic))
    assert found["streamlit-early"].judgement == judgement
    assert "capacity_users/django+angular / streamlit" in found["streamlit-early"].rests_on


def test_early_is_judged_for_one_process_and_for_two() -> None:
    run = run_of(results_run.STREAMLIT, named("streamlit:2"), results_run.DJANGO)
    seen = [*ends("django+angular", 800, 930), *ends("streamlit", 160, 200), *ends("streamlit:2", 700, 800)]
    found = claims_of(*seen, run=run)
    assert found["streamlit-early"].judgement == "supported"
    assert found["streamlit-early/streamlit:2"].judgement == "refuted"


def test_plain_is_compared_with_plain_and_says_so() -> None:
    plain = named("django:plain+angular", results_run.DJANGO)
    run = run_of(results_run.STREAMLIT, named("streamlit:plain"), results_run.DJANGO, plain)
    seen = [*ends("streamlit:plain", 20, 25), *ends("django:plain+angular", 100, 120)]
    found = claims_of(*seen, run=run)
    early = found["streamlit-early/streamlit:plain"]
    assert early.judgement == "supported"
    assert early.targets == ("django:plain+angular", "streamlit:plain")
    assert "(here plain: django:plain+angular beside streamlit:plain)" in early.says
    assert found["large-loads/django:plain+angular"].judgement == "not settled"
    without = claims_of(*seen, run=run_of(named("streamlit:plain"), results_run.DJANGO))
    lost = without["streamlit-early"]
    assert (lost.judgement, lost.why) == ("not measured", "django:plain+angular is not in this run")


@pytest.mark.parametrize(
    ("low", "high", "verdict", "judgement"),
    [
        (20, 30, FAIL, "not settled"),
        (160, 200, FAIL, "refuted"),
        (90, 120, FAIL, "not settled"),
        (20, 30, CONTENDED, "not settled"),
    ],
)
def test_few_means_fewer_than_a_hundred(low: int, high: int, verdict: Verdict, judgement: str) -> None:
    assert claims_of(*ends("streamlit", low, high, verdict))["few-streamlit-users"].judgement == judgement


def test_few_depends_where_longer_think_times_let_more_in() -> None:
    claim = claims_of(*ends("streamlit", 20, 25), *thinking("streamlit", 100, 140, PASS))["few-streamlit-users"]
    assert claim.judgement == "depends"
    assert claim.condition.startswith("up to a mean think time of about 15–19 s (tried at 3 s and 100 s)")


@pytest.mark.parametrize(
    ("streamlit", "modular", "starts", "judgement"),
    [
        ((1e5, 2e5), (1e4, 5e4), 2, "supported"),
        ((1e5, 2e5), (1e4, 5e4), 1, "not settled"),
        ((1e5, 2e5), (5e4, 1.5e5), 2, "not settled"),  # Django meets it, too
        ((1e4, 5e4), (1e5, 2e5), 2, "refuted"),
        ((-1e4, 5e4), (1e3, 2e3), 2, "not settled"),
    ],
)
def test_resources_of_its_own_are_more_than_those_of_the_modular_build(
    streamlit: tuple[float, float], modular: tuple[float, float], starts: int, judgement: str
) -> None:
    idle = []
    for target, (low, high) in (("streamlit", streamlit), ("django+angular", modular)):
        middle, half = (low + high) / 2, (high - low) / 2
        # rates of a step's change: middle - d, middle, middle + d, in every start; Student's t over all of them
        d = half / {1: 4.302653 / 3**0.5, 2: 2.570582 * (4 / 5) ** 0.5 / 6**0.5}[starts]
        one = idle_trial(0.0, 50 * (middle - d), 50 * (2 * middle - d), 50 * 3 * middle)
        idle += [replace(one, key=replace(one.key, target=target, repetition=n)) for n in range(starts)]
    assert claims_of(*idle)["streamlit-own-resources"].judgement == judgement


NO_REDIS, IDLE_CORES = "django:no-redis+angular", 0.008
BOTH = run_of(results_run.DJANGO, named(NO_REDIS, results_run.DJANGO))


def at_base(target: str, cpu_s: Sequence[float], ttft_s: Sequence[float]) -> list[Trial]:
    """Return trials at the common load, CPU time being without idle CPU, and a start without users."""
    made = [
        trial(
            target,
            10,
            PASS,
            repetition=n,
            target_cpu_s_per_turn=cpu + IDLE_CORES / 2,
            target_cores=2 * cpu + IDLE_CORES,  # two turns a second
            added_ttft_p95_s=ttft,
        )
        for n, (cpu, ttft) in enumerate(zip(cpu_s, ttft_s, strict=True))
    ]
    quiet = idle_trial(idle_cores=IDLE_CORES)
    return [*made, replace(quiet, key=replace(quiet.key, target=target))]


@pytest.mark.parametrize(
    ("with_it", "without", "judgement"),
    [
        ((0.010, 0.0101, 0.0099), (0.020, 0.0201, 0.0199), "supported"),
        ((0.020, 0.0201, 0.0199), (0.010, 0.0101, 0.0099), "refuted"),
        ((0.010, 0.0101, 0.0099), (0.010, 0.0101, 0.0099), "not settled"),
        ((0.010,), (0.020,), "not settled"),
    ],
)
def test_redis_helps_where_an_interval_excludes_one(
    with_it: tuple[float, ...], without: tuple[float, ...], judgement: str
) -> None:
    same = [0.02, 0.021, 0.019]
    trials = [
        *at_base("django+angular", with_it, same[: len(with_it)]),
        *at_base(NO_REDIS, without, same[: len(without)]),
    ]
    claim = claims_of(*trials, run=BOTH)["redis-helps"]
    assert claim.judgement == judgement
    assert f"{len(with_it)} from below, {len(with_it)} from above" in claim.why


def test_redis_that_saves_cpu_and_delays_the_first_token_depends() -> None:
    trials = [
        *at_base("django+angular", (0.010, 0.0101), (0.04, 0.0401)),
        *at_base(NO_REDIS, (0.02, 0.0201), (0.02, 0.0201)),
    ]
    claim = claims_of(*trials, run=BOTH)["redis-helps"]
    assert claim.judgement == "depends"
    assert "holds by CPU time per turn" in claim.condition
    assert "not by added TTFT p95" in claim.condition


def test_redis_without_the_target_that_lacks_it_is_not_measured() -> None:
    claim = claims_of(*ends("django+angular", 100, 120))["redis-helps"]
    assert (claim.judgement, claim.why) == ("not measured", f"{NO_REDIS} is not in this run")


def test_without_trials_every_claim_is_not_measured() -> None:
    assert {claim.judgement for claim in claims_of().values()} == {"not measured"}


def test_claims_cite_the_section_and_name_cells_that_exist() -> None:
    trials = [*ends("django+angular", 100, 120), *ends("streamlit", 20, 25)]
    table = table_of(RUN, *trials)
    for claim in claims_of(*trials).values():
        assert claim.section == "2.2"
        assert all(table.cell(cell_id) for cell_id in claim.rests_on)


def test_each_version_of_streamlit_is_judged_and_named() -> None:
    of_april = replace(results_run.STREAMLIT, name="streamlit:1.44", packages=(("streamlit", "1.44.1"),))
    run = run_of(results_run.STREAMLIT, of_april, results_run.DJANGO)
    trials = [*ends("streamlit", 160, 200), *ends("streamlit:1.44", 20, 25), *ends("django+angular", 400, 500)]
    found = claims_of(*trials, run=run)
    now, then = found["few-streamlit-users"], found["few-streamlit-users/streamlit:1.44"]
    assert (now.judgement, then.judgement) == ("refuted", "not settled")
    assert now.says.endswith("(here tuned: streamlit, streamlit 1.67.0)")
    assert then.says.endswith("(here tuned: streamlit:1.44, streamlit 1.44.1)")


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
    assert "No reading was near its limit on average. What its turns waited for is not known" in text
    assert "waited for something else" not in text
    assert "No resource readings were recorded." in explain(evidence(trial("streamlit", 30, FAIL))).text


def test_without_a_failure_the_highest_passed_level_is_read() -> None:
    passed = [trial("streamlit", n, PASS, target_cores=n / 40, busiest_process_cores=n / 40) for n in (10, 36)]
    assert "At 36 users it met the SLO. Nearest to its limit: one process" in explain(evidence(*passed)).text


def test_a_target_without_valid_trials_has_nothing_said_of_it() -> None:
    assert explain(gather(RUN, [])["streamlit"]).text == "No valid trial under load."
