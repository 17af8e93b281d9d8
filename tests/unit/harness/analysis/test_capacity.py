"""The search against every monotone oracle, and against oracles that change their mind."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.capacity import Capacity, Outcome, SearchPlan, assess, operational_bound, response_s, search
from harness.records import Verdict, VerdictOutcome

PASS, FAIL, INVALID = (Verdict(outcome=o) for o in ("pass", "fail", "invalid"))


def explore(plan: SearchPlan, oracle, known=()) -> tuple[Capacity, list[int]]:
    looking, tried = search(plan, known), []
    try:
        level = next(looking)
        while True:
            tried.append(level)
            level = looking.send((oracle(level), None))
    except StopIteration as end:
        return end.value, tried


@pytest.mark.parametrize("start", range(1, 65))
def test_search_finds_the_edge_of_every_monotone_oracle_up_to_64_levels(start: int) -> None:
    plan = SearchPlan(start=start, highest=64, max_trials=40)
    for edge in range(65):
        found, tried = explore(plan, lambda n, edge=edge: PASS if n <= edge else FAIL)
        assert all(1 <= n <= 64 for n in tried)
        if edge == 0:
            assert (found.low, found.high, found.status) == (0, 1, "none")
        elif edge == 64:
            assert (found.low, found.high, found.status) == (64, None, "open")
        else:
            assert found.low is not None
            assert found.high is not None
            assert found.low <= edge < found.high
            assert found.high - found.low <= max(1, plan.precision * found.low)
            assert tried.count(found.low) == plan.repetitions
            assert tried.count(found.high) == plan.repetitions


@pytest.mark.parametrize("stepwise", [True, False])
def test_below_a_level_whose_repetitions_disagree_the_search_goes_on(stepwise: bool) -> None:
    changing = {486: [PASS, FAIL]}  # and 607 fails; known is the base trial at 10 users
    known = (Outcome(level=10, repetition=0, verdict=PASS),)
    plan = SearchPlan(start=607, growth=1.25, stepwise=stepwise, highest=3000)

    def oracle(level: int) -> Verdict:
        return changing[level].pop(0) if changing.get(level) else PASS if level < 486 else FAIL

    found, tried = explore(plan, oracle, known)
    assert found.low is not None
    assert found.high is not None
    assert found.low > 300, tried
    assert tried.count(found.low) == plan.repetitions


@given(st.integers(20, 2000), st.floats(0, 0.12), st.integers(0, 10_000))
def test_a_bracket_is_no_wider_than_what_disagrees_and_a_step_on_either_side(
    edge: int, noise: float, seed: int
) -> None:
    draw = random.Random(seed)
    plan = SearchPlan(start=edge, growth=1.25, stepwise=True, highest=3000, max_trials=40)
    known = (Outcome(level=10, repetition=0, verdict=PASS),)
    found, tried = explore(plan, lambda n: PASS if n <= edge * draw.uniform(1 - noise, 1 + noise) else FAIL, known)
    assert found.low is not None
    assert found.high is not None
    assert found.low >= (1 - noise) * edge / 1.25**2 - 2, tried


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(0, 0.3), st.integers(0, 10_000))
def test_bracket_never_excludes_what_repetitions_contradict(edge: int, start: int, noise: float, seed: int) -> None:
    draw = random.Random(seed)
    plan = SearchPlan(start=start, highest=3000, max_trials=30)
    seen: dict[int, set[VerdictOutcome]] = {}

    def oracle(level: int) -> Verdict:
        verdict = PASS if level <= edge * draw.uniform(1 - noise, 1 + noise) else FAIL
        seen.setdefault(level, set()).add(verdict.outcome)
        return verdict

    found, tried = explore(plan, oracle)
    assert len(tried) <= plan.max_trials
    if found.low:
        assert seen[found.low] == {"pass"}
        assert all("fail" not in o for n, o in seen.items() if n <= found.low)
    if found.high:
        assert seen[found.high] == {"fail"}
        assert all("pass" not in o for n, o in seen.items() if n >= found.high)


def test_an_invalid_trial_is_tried_once_more_and_then_the_search_ends_inconclusive() -> None:
    found, tried = explore(SearchPlan(start=8), lambda n: INVALID)
    assert tried == [8, 8]
    assert found.status == "inconclusive"


def test_invalid_trials_above_a_known_pass_are_inconclusive_and_no_bound() -> None:
    known = [Outcome(level=10, repetition=0, verdict=PASS)]
    found, tried = explore(SearchPlan(start=80), lambda n: INVALID, known)
    assert tried == [80, 80]
    assert (found.low, found.high, found.status) == (10, None, "inconclusive")


def test_a_single_invalid_trial_does_not_change_the_answer() -> None:
    answers = iter([INVALID] + [None] * 50)

    def oracle(level: int) -> Verdict:
        return next(answers) or (PASS if level <= 10 else FAIL)

    found, tried = explore(SearchPlan(start=8), oracle)
    assert tried[:2] == [8, 8]
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 10 < found.high


def test_a_contended_failure_leaves_a_lower_bound_and_no_upper_one() -> None:
    contended = Verdict(outcome="fail", contended=True)
    found, _ = explore(SearchPlan(start=8), lambda n: PASS if n <= 10 else contended)
    assert found.at_least
    assert (found.high, found.upper) == (None, None)
    assert found.low is not None


@pytest.mark.parametrize(
    ("cores", "most"),
    [
        ([1.6], 1085),
        ([1.7, 1.6], 1085),  # the larger of two repetitions' ends
        ([2.01], 868),  # no less than what failed
        ([1.6, None], None),  # a reading is missing: no end
        ([0.0], None),
    ],
)
def test_a_contended_failure_bounds_by_the_cpus_it_would_have_had(cores: list[float | None], most: int | None) -> None:
    passed = Outcome(level=694, repetition=0, verdict=PASS, cores=1.46)
    contended = Verdict(outcome="fail", contended=True)
    failed = [Outcome(level=868, repetition=n, verdict=contended, cores=one) for n, one in enumerate(cores)]
    found = assess([passed, *failed])
    assert (found.low, found.high, found.at_least) == (694, None, True)
    assert (found.most, found.upper) == (most, most)


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_a_level_that_failed_once_with_cpu_time_to_spare_is_a_clear_end(order: tuple[bool, bool]) -> None:
    passed = Outcome(level=445, repetition=0, verdict=PASS)
    failed = [
        Outcome(level=566, repetition=n, verdict=Verdict(outcome="fail", contended=one), cores=1.6)
        for n, one in enumerate(order)
    ]
    found = assess([passed, *failed])
    assert (found.low, found.high, found.at_least, found.most) == (445, 566, False, None)
    assert not found.worked_out


@pytest.mark.parametrize(
    ("trials", "most"),
    [
        ([(1.5, True), (1.6, False)], 1085),  # a whole trial tells more than a few seconds
        ([(1.5, True), (None, False)], None),
        ([(1.5, True), (1.6, True)], 1157),
    ],
)
def test_the_cores_of_a_whole_trial_go_before_those_of_a_cut_one(
    trials: list[tuple[float | None, bool]], most: int | None
) -> None:
    verdict = Verdict(outcome="fail", contended=True)
    failed = [
        Outcome(level=868, repetition=n, verdict=verdict, cores=cores, cut=cut) for n, (cores, cut) in enumerate(trials)
    ]
    found = assess([Outcome(level=694, repetition=0, verdict=PASS), *failed])
    assert (found.upper, found.worked_out) == (most, most is not None)


def test_known_verdicts_count_and_cost_no_trial() -> None:
    known = [Outcome(level=10, repetition=0, verdict=PASS)]
    found, tried = explore(
        SearchPlan(start=11, precision=0.1, max_trials=20), lambda n: PASS if n <= 10 else FAIL, known
    )
    assert (found.low, found.high) == (10, 11)
    assert tried.count(10) == 1


def test_repetitions_that_disagree_widen_the_bracket() -> None:
    outcomes = [
        Outcome(level=level, repetition=repetition, verdict=verdict)
        for level, repetition, verdict in [(10, 0, PASS), (12, 0, PASS), (12, 1, FAIL), (15, 0, FAIL)]
    ]
    found = assess(outcomes)
    assert (found.low, found.high) == (10, 15)


def test_no_valid_trial_is_inconclusive() -> None:
    assert assess([]).status == "inconclusive"


def test_the_response_time_is_the_mean_and_the_median_only_in_records_without_one() -> None:
    assert response_s({"turn_mean_s": 7.0, "turn_p50_s": 5.0}) == 7.0
    assert response_s({"turn_p50_s": 5.0}) == 5.0
    assert response_s({"turn_mean_s": None, "turn_p50_s": 5.0}) is None
    assert response_s({}) is None


def test_operational_bound_is_the_smaller_of_stack_and_busiest_process() -> None:
    # (1 + 3) s per cycle; 20 ms per turn on two CPUs allow 400 users, 16 ms of one process 250.
    assert operational_bound(
        response_s=1, think_s=3, cpu_s_per_turn=0.02, cpus=2, busiest_s_per_turn=0.001, busiest_cores=1
    ) == pytest.approx(400)
    assert operational_bound(
        response_s=1, think_s=3, cpu_s_per_turn=0.02, cpus=2, busiest_s_per_turn=0.016, busiest_cores=1
    ) == pytest.approx(250)


@pytest.mark.parametrize(
    ("outcome", "cores", "middles"),
    [
        (Verdict(outcome="fail", contended=True), 1.6, (600, 750)),  # 900 failed; all CPUs carry 1,125 at most
        (Verdict(outcome="fail", contended=True), 2.0, (600, 600)),
        (Verdict(outcome="fail", contended=True), None, None),
        (FAIL, 1.6, (600, 600)),
        (PASS, 1.6, None),
    ],
)
def test_a_worked_out_end_leaves_two_middles(
    outcome: Verdict, cores: float | None, middles: tuple[float, float] | None
) -> None:
    found = assess(
        [
            Outcome(level=400, repetition=0, verdict=PASS, cores=1.0),
            Outcome(level=900, repetition=0, verdict=outcome, cores=cores),
        ]
    )
    assert found.middles == (None if middles is None else pytest.approx(middles))
