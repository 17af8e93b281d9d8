"""Which trials at other think times claims on a number of users ask for."""

from dataclasses import replace

import pytest

from harness import profiles
from harness.analysis.capacity import Capacity
from harness.analysis.claims import tells
from harness.records import Profile, Trial, TrialKey, Verdict
from harness.trials import campaign
from harness.trials.course import course
from harness.trials.duration import campaign_s, trial_s
from harness.trials.think_times import Wanted, wanted
from tests.doubles import trials

QUICK = profiles.load("quick")  # mean think time 3 s, answers of 1.1 s
ASKED = replace(QUICK, search=replace(QUICK.search, claims=True))


def capacity(low: int | None, high: int | None, *, most: int | None = None) -> Capacity:
    return Capacity(low=low, high=high, at_least=most is not None, status="bracketed", most=most)


def test_both_sides_of_the_turn_are_tried_where_the_prediction_is_clear() -> None:
    # 197 users at 3 s: 457 at 8.4 s, 918 at 18 s, 4,860 at 100 s
    assert wanted(QUICK, capacity(175, 221), (1000,)) == [
        Wanted(think_s=8, level=714, passes=False),
        Wanted(think_s=91, level=1400, passes=True),
    ]


def test_a_side_that_the_search_tried_is_not_tried_again() -> None:
    # 838 users at 3 s are fewer than half of 2,000; 917 make 4,150 at 17.5 s, twice as many
    assert wanted(QUICK, capacity(780, 900), (2000,)) == [Wanted(think_s=91, level=2800, passes=True)]
    assert wanted(QUICK, capacity(850, 990), (2000,)) == [Wanted(think_s=16, level=2800, passes=True)]
    assert wanted(QUICK, capacity(803, 935), (100,)) == []


def test_users_of_a_slower_and_smaller_load_follow_from_the_others() -> None:
    found = wanted(QUICK, capacity(850, 990), (1000, 2000))
    assert found == [Wanted(think_s=16, level=2800, passes=True)]


def test_levels_are_the_claims_own_and_never_the_capacity_predicted() -> None:
    levels = [one.level for low in (20, 60, 200, 600, 1800) for one in wanted(QUICK, capacity(low, 2 * low), (2000,))]
    assert levels
    assert set(levels) <= {2800, 1428}


def test_a_contended_search_missed_nothing_itself_and_a_miss_is_tried_above_its_worked_out_end() -> None:
    # 870 users at 3 s are 927 at 3.3 s and 2,016 at 8.4 s: more than 714 at both, fewer than 1,428 at one
    assert wanted(QUICK, capacity(600, None, most=870), (1000, 2000)) == [
        Wanted(think_s=16, level=1400, passes=True),
        Wanted(think_s=3, level=1428, passes=False),
        Wanted(think_s=91, level=2800, passes=True),
    ]


@pytest.mark.parametrize("low", range(50, 2000, 150))
@pytest.mark.parametrize("spread", [1.1, 1.5, 2.5])
def test_every_miss_that_is_tried_tells_something_though_it_were_contended(low: int, spread: float) -> None:
    for ends in (capacity(low, round(spread * low)), capacity(low, None, most=round(spread * low))):
        for one in wanted(QUICK, ends, (100, 1000, 2000)):
            think_s = QUICK.thinking(one.think_s).think_mean_s()
            assert one.passes or tells(one.level, ends.upper, QUICK.answer_mean_s(), QUICK.think_mean_s(), think_s)


def test_a_bound_from_below_predicts_no_miss_and_no_capacity_predicts_nothing() -> None:
    assert all(one.passes for one in wanted(QUICK, capacity(175, None), (1000, 2000)))
    assert wanted(QUICK, capacity(None, 10), (100,)) == []
    assert wanted(QUICK, capacity(0, 1), (100,)) == []


Made = list[tuple[int | None, int, int]]


def made_by(profile: Profile, target: str, *, passes: bool = True) -> tuple[Capacity, Made]:
    """Return the capacity found, and (median think time, level, repetition) of the trials at other think times."""
    made: list[TrialKey] = []

    def measure(key: TrialKey) -> Trial:
        if key.scenario == "think":
            made.append(key)
        good = passes if key.scenario == "think" else key.scenario != "chat" or key.level <= 900
        return trials.trial(key, Verdict(outcome="pass" if good else "fail"))

    found = campaign.run_campaign({target: course(profile, target)}, measure, (), 1, lambda progress: None)
    return found[target], [(key.parameter, key.level, key.repetition) for key in made]


@pytest.mark.parametrize("passes", [True, False])
def test_each_is_tried_twice_and_once_where_it_surprises(passes: bool) -> None:
    found, made = made_by(ASKED, "django+angular", passes=passes)
    asked = wanted(ASKED, found, (1000, 2000))
    assert asked
    assert all(one.passes for one in asked)
    assert made == [(one.think_s, one.level, n) for one in asked for n in range(2 if passes else 1)]


@pytest.mark.parametrize(("profile", "target"), [(QUICK, "django+angular"), (ASKED, "fastapi+react")])
def test_nothing_is_tried_without_a_profile_or_a_claim_that_asks(profile: Profile, target: str) -> None:
    assert made_by(profile, target)[1] == []


def tried_above(profile: Profile, *, carries: int) -> list[int]:
    """Return the levels of chat trials above the worked-out end, on a contended machine where 900 users pass."""
    levels: list[int] = []

    def measure(key: TrialKey) -> Trial:
        good = key.scenario not in ("chat", "think") or key.level <= 900 or key.level > carries
        if key.scenario == "chat":
            levels.append(key.level)
        verdict = Verdict(outcome="pass" if good else "fail", contended=not good)
        return trials.trial(key, verdict, trials.FIGURES | {"target_cores": 1.6})

    courses = {"streamlit": course(profile, "streamlit")}
    found = campaign.run_campaign(courses, measure, (), 1, lambda progress: None)["streamlit"]
    assert found.worked_out
    assert found.upper is not None
    return [level - found.upper for level in levels if level > found.upper]


def test_two_trials_are_made_above_a_worked_out_end_one_where_it_surprises_none_beyond_the_highest_level() -> None:
    assert tried_above(ASKED, carries=10_000) == [1, 1]
    assert tried_above(ASKED, carries=1_200) == [1]
    assert tried_above(replace(ASKED, search=replace(ASKED.search, highest=1_150)), carries=10_000) == []
    assert tried_above(QUICK, carries=10_000) == []


@pytest.mark.parametrize("scenario", ["idle", "chat"])
def test_the_first_of_several_that_passed_is_what_the_search_starts_from(scenario: str) -> None:
    made: list[TrialKey] = []

    def measure(key: TrialKey) -> Trial:
        made.append(key)
        lost = key.scenario == scenario and key.repetition < 2 and key.level in (10, 150)
        return trials.trial(key, Verdict(outcome="invalid" if lost else "pass"))

    campaign.run_campaign({"django+angular": course(ASKED, "django+angular")}, measure, (), 1, lambda progress: None)
    assert any(key.scenario == "climb" for key in made)


def test_the_estimate_of_a_campaign_counts_them_at_most() -> None:
    without, asked = (campaign_s(profile, ["fastapi+react", "django+angular"]) for profile in (QUICK, ASKED))
    # starts and base trials are made whatever is found, the rest only where a capacity asks for it
    assert asked[0] - without[0] == pytest.approx(2 * trial_s(QUICK, 10) + 2 * 25, abs=10)
    slow = QUICK.thinking(91)
    assert slow.think_mean_s() == pytest.approx(99, abs=1)
    assert asked[1] - asked[0] > without[1] - without[0] + 2 * trial_s(slow, 2800)


def test_survey_and_article_try_them_and_quick_does_not() -> None:
    assert {name for name in profiles.names() if profiles.load(name).search.claims} == {"article", "survey"}
