"""Each validity rule and each SLO is provoked once, and once just not."""

from dataclasses import replace

import pytest

from harness.analysis.facts import Facts
from harness.analysis.slo import certainly_failing
from harness.analysis.validity import NEEDED
from harness.analysis.verdict import judge, judge_exploratory, judge_idle, judge_unsettled
from harness.records import Slo, Unsettled, Verdict

GOOD: dict[str, float | None] = {
    "turns": 200.0,
    "incomplete": 0.0,
    "failure_ratio": 0.0,
    "added_ttft_p95_s": 0.02,
    "lateness_p95_s": 0.02,
    "added_stall_p95_s": 0.01,
    "foreign_cpu_ratio": 0.01,
    "steal_ratio": 0.0,
    "little_error_ratio": 0.001,
    "little_error_s_per_turn": 0.001,
    "lost_turns": 0.0,
    "generator_cores": 0.3,
    "schedule_delay_p95_s": 0.002,
    "model_lag_p99_s": 0.001,
    "target_cores": 1.0,
    "offered_ratio": 1.0,
    "host_busy_ratio": 0.6,
    "turn_half_difference_ratio": 0.01,
    "turn_half_error_ratio": 0.01,
    "live_half_difference_ratio": 0.01,
    "live_half_error_ratio": 0.01,
}
QUIET_MACHINE: dict[str, float | None] = {"foreign_cpu_ratio": 0.0, "steal_ratio": 0.0}
SPARE = Facts(spare_cpus=True, budget_cores=2, stopped_early=False)
SHARED = Facts(spare_cpus=False, budget_cores=2, stopped_early=False)


def verdict(changes: dict[str, float | None], facts: Facts = SPARE) -> Verdict:
    return judge(GOOD | changes, facts, Slo())


def test_a_good_trial_passes_with_and_without_spare_cpus() -> None:
    assert verdict({}) == Verdict(outcome="pass")
    assert verdict({}, SHARED) == Verdict(outcome="pass")


@pytest.mark.parametrize(
    ("name", "value"),
    [("added_ttft_p95_s", 0.51), ("lateness_p95_s", 0.51), ("added_stall_p95_s", 0.26), ("failure_ratio", 0.011)],
)
def test_a_missed_slo_fails_and_says_which_by_how_much(name: str, value: float) -> None:
    found = verdict({name: value})
    assert found.outcome == "fail"
    assert [r.code for r in found.reasons] == [f"slo.{name}"]
    assert found.reasons[0].value == value


def test_a_percentile_beyond_any_bound_fails_where_turns_did_not_finish() -> None:
    found = verdict({"added_ttft_p95_s": None, "incomplete": 30.0})
    assert found.outcome == "fail"
    assert found.reasons[0].code == "slo.added_ttft_p95_s"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"foreign_cpu_ratio": 0.06}, "invalid.foreign_cpu"),
        ({"steal_ratio": 0.06}, "invalid.steal"),
        ({"little_error_ratio": 0.011, "little_error_s_per_turn": 0.006}, "invalid.little"),
        ({"little_error_ratio": 0.011, "little_error_s_per_turn": None}, "invalid.little"),
        ({"lost_turns": 1.0}, "invalid.lost_turns"),
        ({"lost_turns": -1.0}, "invalid.lost_turns"),
        ({"generator_cores": 0.81}, "invalid.generator_busy"),
        ({"schedule_delay_p95_s": 0.011}, "invalid.schedule_delay"),
        ({"model_lag_p99_s": 0.006}, "invalid.model_lag"),
        ({"turns": 99.0}, "invalid.few_turns"),
        ({"turn_half_difference_ratio": 0.11}, "invalid.unsteady"),
        ({"live_half_difference_ratio": -0.11}, "invalid.unsteady"),
    ],
)
def test_each_rule_makes_a_trial_invalid(changes: dict[str, float | None], code: str) -> None:
    found = verdict(changes)
    assert found.outcome == "invalid"
    assert [r.code for r in found.reasons] == [code]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (Facts(spare_cpus=True, budget_cores=2, stopped_early=False, foreign_nonces=1), "invalid.foreign_nonce"),
        (Facts(spare_cpus=True, budget_cores=2, stopped_early=False, recorder_errors=1), "invalid.recorder"),
        (Facts(spare_cpus=True, budget_cores=2, stopped_early=False, sign_in_failures=1), "invalid.sign_in"),
    ],
)
def test_each_fact_makes_a_trial_invalid(facts: Facts, code: str) -> None:
    assert [r.code for r in verdict({}, facts).reasons] == [code]


def test_what_two_readings_of_a_clock_differ_by_breaks_no_law() -> None:
    short: dict[str, float | None] = {"little_error_ratio": 0.5, "little_error_s_per_turn": 0.004}
    assert verdict(short).outcome == "pass"


def test_a_dead_model_is_no_fault_of_the_target() -> None:
    facts = replace(SPARE, model_exits=("llm ended by itself with 1",), target_exits=("app ended by itself with 1",))
    assert [r.code for r in verdict({"failure_ratio": 0.5}, facts).reasons] == ["invalid.model"]


def test_a_pass_needs_every_figure_its_rules_look_at() -> None:
    for name in NEEDED:
        assert [r.code for r in verdict({name: None}).reasons] == ["invalid.absent"]
    assert verdict({"unmatched_turns": 1.0}).reasons[0].code == "invalid.unmatched"
    assert verdict({"early_turns": 1.0}).reasons[0].code == "invalid.early"
    assert verdict({"early_turns": 0.0}).outcome == "pass"


def test_a_trial_stopped_as_failing_cannot_pass() -> None:
    assert [r.code for r in verdict({}, replace(SPARE, stopped_early=True)).reasons] == ["invalid.stopped"]


def test_a_fail_from_a_handful_of_turns_is_no_fail_unless_it_was_stopped_for_failing() -> None:
    few: dict[str, float | None] = {"turns": 12.0, "lateness_p95_s": 0.9}
    assert verdict(few).outcome == "invalid"
    cut = few | {"lateness_missed_at_least_ratio": 0.12, "added_stall_missed_at_least_ratio": 0.05}
    found = verdict(cut, replace(SPARE, stopped_early=True))
    assert found.outcome == "fail"
    assert [(one.code, one.value, one.limit) for one in found.reasons] == [("slo.lateness_p95_s", 0.12, 0.05)]
    assert found.reasons[0].text == (
        "turns beyond the threshold of lateness, at least 12 % (limit 5 %); cut before its end"
    )


@pytest.mark.parametrize(
    ("later", "outcome", "code"), [(150, "fail", "target.unsettled"), (50, "invalid", "invalid.unsettled")]
)
def test_a_load_that_never_settles_fails_where_its_queue_grows(later: float, outcome: str, code: str) -> None:
    found = judge_unsettled(Unsettled(after_s=41, earlier_live=100, later_live=later), QUIET_MACHINE, SPARE)
    assert (found.outcome, [one.code for one in found.reasons]) == (outcome, [code])
    assert "not settled: 41 s after all users were there" in found.reasons[0].text


def test_a_load_that_never_settled_on_a_disturbed_machine_says_nothing_of_the_target() -> None:
    seen = Unsettled(after_s=41, earlier_live=100, later_live=150)
    found = judge_unsettled(seen, {"foreign_cpu_ratio": 0.2, "steal_ratio": 0.0}, SPARE)
    assert [one.code for one in found.reasons] == ["invalid.foreign_cpu"]


@pytest.mark.parametrize(("facts", "outcome"), [(SPARE, "invalid"), (SHARED, "fail")])
def test_a_load_that_never_settled_for_a_slow_generator_says_nothing_of_the_target(facts: Facts, outcome: str) -> None:
    """On shared CPUs the generator is late because the target is busy."""
    seen = Unsettled(after_s=41, earlier_live=100, later_live=150)
    found = judge_unsettled(seen, QUIET_MACHINE | {"schedule_delay_p95_s": 0.4}, facts)
    assert found.outcome == outcome
    assert (found.reasons[0].code == "invalid.schedule_delay") == (outcome == "invalid")


@pytest.mark.parametrize(
    ("busy", "facts", "contended"), [(0.901, SHARED, True), (0.9, SHARED, False), (0.99, SPARE, False)]
)
def test_a_load_that_never_settled_on_a_busy_machine_is_contended(busy: float, facts: Facts, contended: bool) -> None:
    seen = Unsettled(after_s=41, earlier_live=100, later_live=150)
    found = judge_unsettled(seen, QUIET_MACHINE | {"host_busy_ratio": busy}, facts)
    codes = ["target.unsettled", *(["note.contended"] if contended else [])]
    assert (found.outcome, found.contended, [one.code for one in found.reasons]) == ("fail", contended, codes)
    falls = judge_unsettled(replace(seen, later_live=50), QUIET_MACHINE | {"host_busy_ratio": busy}, facts)
    assert (falls.outcome, falls.contended) == ("invalid", False)


def test_a_load_that_did_not_settle_because_the_target_died_is_its_death() -> None:
    seen = Unsettled(after_s=41, earlier_live=100, later_live=50)
    found = judge_unsettled(seen, QUIET_MACHINE, replace(SPARE, target_exits=("app ended by itself with 1",)))
    assert [one.code for one in found.reasons] == ["target.exit"]


def test_a_difference_within_three_standard_errors_is_steady() -> None:
    assert verdict({"turn_half_difference_ratio": 0.2, "turn_half_error_ratio": 0.07}).outcome == "pass"


def test_late_tools_do_not_invalidate_without_spare_cpus_but_a_light_load_does() -> None:
    late: dict[str, float | None] = {
        "generator_cores": 0.9,
        "schedule_delay_p95_s": 0.05,
        "model_lag_p99_s": 0.05,
    }
    assert verdict(late, SHARED).outcome == "pass"
    assert verdict({"offered_ratio": 0.97}, SHARED).reasons[0].code == "invalid.offered"


def test_a_late_model_is_the_targets_doing_when_it_used_all_its_cpu() -> None:
    assert verdict({"model_lag_p99_s": 0.05, "target_cores": 1.95}).outcome == "pass"


def test_a_fail_on_a_busy_machine_without_spare_cpus_is_contended() -> None:
    assert verdict({"lateness_p95_s": 0.6, "host_busy_ratio": 0.901}, SHARED).contended
    assert not verdict({"lateness_p95_s": 0.6, "host_busy_ratio": 0.9}, SHARED).contended
    assert not verdict({"lateness_p95_s": 0.6, "host_busy_ratio": 0.95}, SPARE).contended


def test_a_target_that_was_killed_fails_with_that_reason_whatever_else_was_wrong() -> None:
    facts = Facts(
        spare_cpus=True,
        budget_cores=2,
        stopped_early=True,
        oom_kills=1,
        target_exits=("django ended by itself with -9",),
    )
    found = verdict({"foreign_cpu_ratio": 0.5}, facts)
    assert found.outcome == "fail"
    assert [r.code for r in found.reasons] == ["target.oom", "target.exit"]


@pytest.mark.parametrize(
    ("reached", "outcome", "code"),
    [(True, "fail", "target.oom"), (None, "fail", "target.oom"), (False, "invalid", "invalid.machine_memory")],
)
def test_a_kill_below_the_targets_own_limit_is_not_the_targets_fail(
    reached: bool | None, outcome: str, code: str
) -> None:
    facts = replace(SPARE, oom_kills=2, limit_reached=reached, target_exits=("django ended by itself with -9",))
    for found in (
        verdict({"failure_ratio": 0.5}, facts),
        judge_exploratory(GOOD, facts),
        judge_idle(QUIET_MACHINE, facts, None),
        judge_unsettled(Unsettled(after_s=30.0, earlier_live=5.0, later_live=9.0), {}, facts),
    ):
        assert (found.outcome, found.reasons[0].code, found.reasons[0].value) == (outcome, code, 2.0)
        assert ("the kernel does not tell at which limit" in found.reasons[0].text) == (reached is None)


def test_an_overloaded_trial_may_stop_once_five_percent_of_all_possible_turns_violate() -> None:
    assert not certainly_failing(violations=5, possible=100)
    assert certainly_failing(violations=7, possible=100)


@pytest.mark.parametrize(
    ("changes", "facts", "code"),
    [
        ({"generator_cores": 0.81}, SPARE, "target.generator_busy"),
        ({"schedule_delay_p95_s": 0.011}, SPARE, "target.schedule_delay"),
        ({"model_lag_p99_s": 0.006}, SPARE, "target.model_lag"),
        ({"offered_ratio": 0.97}, SHARED, "target.offered"),
    ],
)
def test_without_an_application_the_tools_own_limit_is_a_fail(
    changes: dict[str, float | None], facts: Facts, code: str
) -> None:
    without = changes | {"target_cores": None}
    assert verdict(without, facts).outcome == "invalid"
    found = verdict(without, replace(facts, no_app=True))
    assert (found.outcome, [r.code for r in found.reasons], found.contended) == ("fail", [code], False)


def test_without_an_application_a_busy_machine_bounds_nothing_either() -> None:
    found = verdict({"offered_ratio": 0.9, "host_busy_ratio": 0.95}, replace(SHARED, no_app=True))
    assert (found.outcome, found.contended) == ("fail", True)
    assert "the target's" not in found.reasons[-1].text


def test_without_an_application_blemishes_still_make_a_trial_invalid() -> None:
    assert verdict({"foreign_cpu_ratio": 0.06}, replace(SPARE, no_app=True)).outcome == "invalid"


def test_arrivals_that_waited_for_a_user_make_a_trial_invalid_and_those_that_waited_for_a_page_do_not() -> None:
    short = verdict({"arrivals_without_user": 3.0, "arrivals_without_page": 5.0})
    assert [(r.code, r.value) for r in short.reasons] == [("invalid.users", 3.0)]
    assert short.reasons[0].text.startswith("arrivals that waited for a user ")
    assert verdict({"arrivals_without_user": 0.0, "arrivals_without_page": 5.0}).outcome == "pass"


def test_a_trial_made_to_show_what_happens_passes_whatever_it_showed_unless_it_cannot_be_trusted() -> None:
    slow = GOOD | {"added_ttft_p95_s": 9.0, "failure_ratio": 0.5, "turn_half_difference_ratio": 0.9}
    assert judge_exploratory(slow, SPARE).outcome == "pass"
    assert judge_exploratory(slow | {"foreign_cpu_ratio": 0.2}, SPARE).outcome == "invalid"
    died = replace(SPARE, target_exits=("app ended by itself with 1",))
    assert judge_exploratory(slow, died).outcome == "fail"
    assert judge_exploratory(slow, replace(SPARE, model_exits=("llm ended",))).outcome == "invalid"


def test_a_soak_needs_no_steady_state() -> None:
    drifting = GOOD | {"turn_half_difference_ratio": 0.5}
    assert judge(drifting, SPARE, Slo()).outcome == "invalid"
    assert judge(drifting, SPARE, Slo(), steady=False).outcome == "pass"
