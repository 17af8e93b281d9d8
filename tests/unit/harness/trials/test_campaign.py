"""Whole campaigns on trials that take no time."""

from dataclasses import replace

import pytest

from harness import profiles
from harness.analysis import speed
from harness.records import (
    FixedWork,
    GeneratorSummary,
    MachineSpeed,
    Open,
    Reason,
    Soak,
    Spike,
    Trial,
    TrialKey,
    Verdict,
    Visiting,
)
from harness.trials import campaign
from harness.trials.course import course as new_course
from harness.trials.course import first_level, most_users
from harness.trials.trial import WITHOUT_LOAD
from tests.doubles import trials

QUICK = profiles.load("quick")
ROUNDS = replace(QUICK, search=replace(QUICK.search, precision=0.1, max_trials=20, rounds=3, further_think_s=(15,)))


def run(measure, names, known=(), seed=1, profile=QUICK, set_aside=lambda odd: None):
    made: list[Trial] = []

    def keep(key: TrialKey) -> Trial:
        made.append(measure(key))
        return made[-1]

    courses = {name: new_course(profile, name) for name in names}
    return campaign.run_campaign(courses, keep, known, seed, lambda progress: None, set_aside), made


def test_each_target_is_checked_then_audited_then_idle_then_based_then_searched() -> None:
    found, made = run(trials.carrying({"a": 90}), ["a"])
    assert [t.key.scenario for t in made][:4] == ["check", "audit", "idle", "chat"]
    assert made[3].key.level == QUICK.search.base_users
    assert found["a"].low is not None
    assert found["a"].high is not None
    assert found["a"].low <= 90 < found["a"].high


def test_a_climb_says_where_the_search_begins_and_both_ends_are_tried_from_fresh_starts() -> None:
    found, made = run(trials.carrying({"a": 180}), ["a"])
    after_base = [(t.key.scenario, t.key.level) for t in made][4:]
    assert after_base == [("climb", 512), ("chat", 161), ("chat", 201), ("chat", 201), ("chat", 161)]
    assert (found["a"].low, found["a"].high) == (161, 201)


def test_a_climb_that_met_the_slo_to_its_top_leads_beyond_it() -> None:
    found, made = run(trials.carrying({"a": 700}), ["a"])
    assert [(t.key.scenario, t.key.level) for t in made][4:6] == [("climb", 512), ("chat", 458)]
    assert found["a"].low is not None
    assert found["a"].low <= 700 < (found["a"].high or 0)


def test_a_climb_that_saw_the_edge_too_high_leads_down_step_by_step() -> None:
    carrying = trials.carrying({"a": 150})

    def measure(key: TrialKey) -> Trial:
        one = carrying(key)
        return replace(one, figures=trials.FIGURES | {"climb_users": 240.0}) if key.scenario == "climb" else one

    found, made = run(measure, ["a"])
    assert [t.key.level for t in made][5:8] == [215, 172, 138]
    assert (found["a"].low, found["a"].high) == (138, 172)


def test_a_climb_that_was_stopped_without_an_edge_is_done_without() -> None:
    carrying = trials.carrying({"a": 180})
    stopped = GeneratorSummary(
        users=300,
        phases={},
        turns_begun=0,
        turns_ended=0,
        turns_written=0,
        live_turn_seconds=0.0,
        cpu_s=0.0,
        stopped_early=True,
        recorder_errors=0,
        sign_in_failures=0,
        locust_version="2.47.1",
    )

    def measure(key: TrialKey) -> Trial:
        one = carrying(key)
        figures = trials.FIGURES | {"climb_users": None}
        return replace(one, figures=figures, summary=stopped) if key.scenario == "climb" else one

    _, made = run(measure, ["a"])
    assert made[5].key.level == first_level(QUICK, made[3], made[2])


def test_an_invalid_climb_is_made_once_more_and_then_done_without() -> None:
    carrying = trials.carrying({"a": 180})

    def measure(key: TrialKey) -> Trial:
        one = carrying(key)
        return replace(one, verdict=Verdict(outcome="invalid")) if key.scenario == "climb" else one

    found, made = run(measure, ["a"])
    assert [t.key.scenario for t in made][4:7] == ["climb", "climb", "chat"]
    assert made[6].key.level == first_level(QUICK, made[3], made[2])
    assert found["a"].low is not None


def test_a_profile_may_search_without_a_climb() -> None:
    _, made = run(trials.carrying({"a": 180}), ["a"], profile=replace(QUICK, search=replace(QUICK.search, climb_s=0.0)))
    assert "climb" not in [t.key.scenario for t in made]


@pytest.mark.parametrize(("carried", "outcome"), [(90, "pass"), (3, "fail")])
def test_a_profile_without_a_capacity_ends_with_the_base_trial(carried: int, outcome: str) -> None:
    _, made = run(trials.carrying({"a": carried}), ["a"], profile=replace(QUICK, capacity=False))
    assert [t.key.scenario for t in made] == ["check", "audit", "idle", "chat"]
    assert made[-1].key.level == QUICK.search.base_users
    assert made[-1].verdict.outcome == outcome


def test_without_a_capacity_the_base_users_stand_for_it_in_other_workloads() -> None:
    profile = replace(QUICK, capacity=False, spike=Spike(percent=50))
    _, made = run(trials.carrying({"a": 90}), ["a"], profile=profile)
    assert (made[-1].key.scenario, made[-1].key.level) == ("spike", QUICK.search.base_users / 2)


def test_a_profile_may_leave_the_audit_out() -> None:
    course = new_course(replace(QUICK, audit=False), "a")
    checked = trials.trial(
        TrialKey(target="a", scenario="check", level=1, repetition=0, number=1), Verdict(outcome="pass")
    )
    assert next(course).scenario == "check"
    assert course.send(checked).scenario == "idle"


def test_open_arrivals_come_last_at_a_common_rate_and_at_shares_of_what_was_carried() -> None:
    profile = replace(QUICK, open=Open(per_minute=90, percent=(50, 70)))
    found, made = run(trials.carrying({"a": 90}), ["a"], profile=profile)
    carried = found["a"].low
    assert carried is not None
    per_minute = 60 * carried / 4.1  # a cycle: 0.3 s, 40 tokens 20 ms apart, 3 s of thinking
    wanted = [
        ("open", 90),
        ("open-50", pytest.approx(per_minute / 2, abs=1)),
        ("open-70", pytest.approx(0.7 * per_minute, abs=1)),
    ]
    assert [(t.key.name, t.key.level) for t in made[-3:]] == wanted
    assert [t.key.parameter for t in made[-3:]] == [None, 50, 70]


def test_a_spike_and_a_soak_follow_at_shares_of_the_users_carried() -> None:
    profile = replace(QUICK, spike=Spike(percent=50), soak=Soak(percent=70))
    found, made = run(trials.carrying({"a": 90}), ["a"], profile=profile)
    carried = found["a"].low
    assert carried is not None
    wanted = [("spike", round(carried / 2)), ("soak", round(0.7 * carried))]
    assert [(t.key.scenario, t.key.level) for t in made[-2:]] == wanted


def test_visits_need_no_capacity_and_are_not_tried_again_where_the_page_class_has_none() -> None:
    profile = replace(QUICK, visit=Visiting(users=3))
    carry = trials.carrying({"a": 0})

    def measure(key: TrialKey) -> Trial:
        if key.scenario != "visit":
            return carry(key)
        reason = Reason(code="invalid.not_offered", text="no sign-in")
        return trials.trial(key, Verdict(outcome="invalid", reasons=(reason,)))

    _, made = run(measure, ["a"], profile=profile)
    assert [(t.key.scenario, t.key.level) for t in made if t.key.scenario == "visit"] == [("visit", 3)]


def test_where_nobody_was_carried_there_is_no_share_to_take() -> None:
    profile = replace(QUICK, open=Open(per_minute=90, percent=(50,)))
    found, made = run(trials.carrying({"a": 0}), ["a"], profile=profile)
    assert found["a"].status == "none"
    assert [t.key.scenario for t in made if t.key.scenario == "open"] == ["open"]


def test_trials_of_targets_are_interleaved_and_numbered_per_target() -> None:
    _, made = run(trials.carrying({"a": 90, "b": 400}), ["a", "b"])
    order = [t.key.target for t in made]
    assert {order[0], order[1]} == {"a", "b"}
    assert {order[2], order[3]} == {"a", "b"}
    for name in "ab":
        numbers = [t.key.number for t in made if t.key.target == name]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("cut", range(24))
def test_a_campaign_cut_at_any_trial_resumes_to_the_same_answer(cut: int) -> None:
    whole, made = run(trials.carrying({"a": 90, "b": 400}), ["a", "b"])
    resumed, more = run(trials.carrying({"a": 90, "b": 400}), ["a", "b"], known=made[:cut])
    assert resumed == whole
    assert made[:cut] + more == made


def test_a_finished_campaign_measures_nothing_again() -> None:
    _, made = run(trials.carrying({"a": 90}), ["a"])
    _, more = run(trials.carrying({"a": 90}), ["a"], known=made)
    assert more == []


def test_the_search_starts_at_a_share_of_the_operational_bound() -> None:
    key = TrialKey(target="a", scenario="chat", level=10, repetition=0, number=3)
    base = trials.trial(key, Verdict(outcome="pass"))
    # (1.1 + 3) s / max(0.02 / 2, 0.02 / 1) s = 205 users, of which 0.7
    assert first_level(QUICK, base, None) == 143


def test_without_spare_cpus_generator_and_model_lower_the_start() -> None:
    key = TrialKey(target="a", scenario="chat", level=10, repetition=0, number=3)
    figures = trials.FIGURES | {"busiest_cpu_s_per_turn": 0.005, "generator_cores": 0.05, "model_cores": 0.05}
    alone = trials.trial(key, Verdict(outcome="pass"), figures)
    shared = replace(alone, limits=replace(trials.LIMITS, spare_cpus=False))
    assert first_level(QUICK, alone, None) == 287
    assert first_level(QUICK, shared, None) == 143


def test_memory_per_session_bounds_the_start_too() -> None:
    key = TrialKey(target="a", scenario="chat", level=10, repetition=0, number=3)
    base = trials.trial(key, Verdict(outcome="pass"))
    idle = trials.trial(key, Verdict(outcome="pass"), trials.FIGURES | {"memory_slope_bytes_per_session": 1e8})
    assert first_level(QUICK, base, idle) == round(0.7 * (4 * 1024**3 - 1e8) / 1e8)


def test_a_failing_base_trial_sends_the_search_below_it() -> None:
    found, made = run(trials.carrying({"a": 3}), ["a"])
    assert made[4].key.level == 5
    assert (found["a"].low, found["a"].high) == (3, 4)


def test_an_invalid_base_trial_is_made_once_more() -> None:
    calls: list[TrialKey] = []
    good = trials.carrying({"a": 90})

    def measure(key: TrialKey) -> Trial:
        calls.append(key)
        trial = good(key)
        return replace(trial, verdict=Verdict(outcome="invalid")) if len(calls) == 4 else trial

    found, _ = run(measure, ["a"])
    assert [k.level for k in calls[3:5]] == [10, 10]
    assert [k.repetition for k in calls[3:5]] == [0, 1]
    assert found["a"].status == "bracketed"


def test_a_target_that_carries_nobody_is_none() -> None:
    found, _ = run(trials.carrying({"a": 0}), ["a"])
    assert (found["a"].low, found["a"].high, found["a"].status) == (0, 1, "none")


def test_rounds_follow_a_bracketed_search_and_cross_the_same_edge() -> None:
    found, made = run(trials.carrying({"a": 90}), ["a"], profile=ROUNDS)
    rounds = [t for t in made if t.key.round]
    assert {t.key.round for t in rounds} == {1, 2, 3}
    assert found["a"].low is not None
    assert found["a"].low <= 90
    for number in (1, 2, 3):
        last = [t for t in rounds if t.key.round == number][-2:]
        assert {t.verdict.outcome for t in last} == {"pass", "fail"}
        assert min(t.key.level for t in last) <= 90 < max(t.key.level for t in last)


def test_predictions_at_other_think_times_are_tried_a_step_below_and_above() -> None:
    _, made = run(trials.carrying({"a": 90}), ["a"], profile=ROUNDS)
    tried = [t.key.level for t in made if t.key.name == "think-15"]
    # (R + Z') / (R + Z) = (1.1 + 15 exp(0.4171²/2)) / (1.1 + 2.75 exp(0.4171²/2)) = 4.27 times about 90 users
    assert len(tried) == 2
    assert 300 < tried[0] < 385 < tried[1] < 470


def test_a_bracket_that_the_machine_set_gets_rounds_around_what_passed() -> None:
    carrying = trials.carrying({"a": 90})

    def contended(key: TrialKey) -> Trial:
        trial = carrying(key)
        return replace(trial, verdict=replace(trial.verdict, contended=trial.verdict.outcome == "fail"))

    found, made = run(contended, ["a"], profile=ROUNDS)
    assert found["a"].at_least
    assert {t.key.round for t in made} == {*range(ROUNDS.search.rounds + 1)}


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_a_campaign_cut_in_a_round_resumes_to_the_same_trials(cut: int) -> None:
    _, made = run(trials.carrying({"a": 90, "b": 400}), ["a", "b"], profile=ROUNDS)
    _, more = run(trials.carrying({"a": 90, "b": 400}), ["a", "b"], known=made[:cut], profile=ROUNDS)
    assert made[:cut] + more == made


def test_without_an_application_no_memory_is_measured_and_the_tools_bound_the_start() -> None:
    made: list[Trial] = []
    measure = trials.carrying({"no-app": 90})

    def keep(key: TrialKey) -> Trial:
        made.append(replace(measure(key), figures={"generator_cores": 0.05, "model_cores": 0.02}))
        return made[-1]

    campaign.run_campaign({"no-app": new_course(QUICK, "no-app", no_app=True)}, keep, (), 1, lambda progress: None)
    assert [t.key.scenario for t in made][:4] == ["check", "chat", "climb", "chat"]
    assert [t.key.level for t in made][1:3] == [QUICK.search.base_users, 500]  # two and a half times 10 / 0.05


def test_without_an_application_and_spare_cpus_the_tools_share_the_budgets_cores() -> None:
    key = TrialKey(target="a", scenario="chat", level=10, repetition=0, number=3)
    base = trials.trial(key, Verdict(outcome="pass"), {"generator_cores": 0.1, "model_cores": 0.1})
    shared = replace(base, limits=replace(trials.LIMITS, spare_cpus=False))
    assert most_users(QUICK, base, None, no_app=True) == pytest.approx(100)
    assert most_users(QUICK, shared, None, no_app=True) == pytest.approx(100)
    uneven = replace(shared, figures={"generator_cores": 0.1, "model_cores": 0.06})
    assert most_users(QUICK, uneven, None, no_app=True) == pytest.approx(100)
    assert most_users(QUICK, replace(base, figures={}), None, no_app=True) is None


def in_minutes(carry, slow):
    """Return trials whose machine runs at its usual speed but in those trials, (target, number), that are named."""

    def measure(key: TrialKey) -> Trial:
        at = 0.7 if (key.target, key.number) in slow else 1.0
        work = FixedWork(seconds={kind: seconds / at for kind, seconds in speed.REFERENCE_S.items()})
        timed = None if key.scenario in WITHOUT_LOAD else MachineSpeed(before=work, after=work)
        return replace(carry(key), speed=timed)

    return measure


CARRY = trials.carrying({"a": 90, "b": 400})
ODD = {("a", 7), ("b", 8)}


def test_a_trial_in_a_slow_minute_is_made_again_and_its_course_never_sees_it() -> None:
    aside: list[Trial] = []
    undisturbed, usual = run(in_minutes(CARRY, ()), ["a", "b"])
    found, made = run(in_minutes(CARRY, ODD), ["a", "b"], set_aside=aside.append)
    assert found == undisturbed
    assert {(t.key.target, t.key.number) for t in aside} == ODD
    assert {t.verdict.reasons[0].code for t in aside} == {speed.CODE}
    assert len(made) == len(usual) + len(ODD)
    for odd in aside:
        (again,) = [t for t in made if (t.key.target, t.key.number) == (odd.key.target, odd.key.number + 1)]
        assert (again.key.scenario, again.key.level) == (odd.key.scenario, odd.key.level)


def test_a_trial_is_made_again_once() -> None:
    aside: list[Trial] = []
    _, made = run(in_minutes(CARRY, {("a", 7), ("a", 8)}), ["a", "b"], set_aside=aside.append)
    assert [(t.key.target, t.key.number) for t in aside] == [("a", 7)]
    assert next(t for t in made if (t.key.target, t.key.number) == ("a", 8)).verdict.outcome != "invalid"


def test_a_machine_that_never_settles_costs_a_bounded_number_of_trials() -> None:
    aside: list[Trial] = []
    slow = {("a", number) for number in range(6, 60)}
    run(in_minutes(CARRY, slow), ["a", "b"], profile=ROUNDS, set_aside=aside.append)
    assert len(aside) == speed.MOST_REPEATS


@pytest.mark.parametrize("cut", range(24))
@pytest.mark.parametrize("marked", [True, False])
def test_a_campaign_with_trials_set_aside_resumes_to_the_same_answer(cut: int, marked: bool) -> None:
    """Also where it was interrupted between a trial's end and its being set aside."""
    aside: list[Trial] = []
    whole, made = run(in_minutes(CARRY, ODD), ["a", "b"], set_aside=aside.append)
    odd = {t.key: t for t in aside}
    known = [odd.get(t.key, t) if marked else t for t in made[:cut]]
    later: list[Trial] = []
    resumed, more = run(in_minutes(CARRY, ODD), ["a", "b"], known=known, set_aside=later.append)
    assert resumed == whole
    assert made[:cut] + more == made
    there = {t.key for t in known if speed.is_aside(t)}
    assert there | {t.key for t in later} == set(odd)
    assert not there & {t.key for t in later}
