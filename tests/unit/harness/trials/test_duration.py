"""How long a campaign takes is said beforehand, from the profile's own phases."""

import re
from dataclasses import replace

import pytest

from harness import profiles
from harness.trials import duration

QUICK = profiles.load("quick")


def test_a_trial_takes_its_phases() -> None:
    # cycle 0.3 + 40 × 0.02 + 3 = 4.1 s; 150 users make 100 turns in 2.7 s, so the shortest window of 30 s counts
    phases_s = 4 * 4.1 + 2 * 4.1 + 30 + 1.1
    assert duration.trial_s(QUICK, 150) == pytest.approx(duration.START_S + duration.FIXED_WORK_S + phases_s, abs=0.1)


def test_few_users_need_a_longer_window() -> None:
    assert duration.trial_s(QUICK, 2) > duration.trial_s(QUICK, 100)


def test_more_targets_and_rounds_take_proportionally_longer() -> None:
    one, two = duration.campaign_s(QUICK, ["a"]), duration.campaign_s(QUICK, ["a", "b"])
    assert two == pytest.approx((2 * one[0], 2 * one[1]))
    assert one[0] < one[1]
    rounds = replace(QUICK, search=replace(QUICK.search, rounds=5))
    assert duration.campaign_s(rounds, ["a"])[0] == pytest.approx(one[0] + 10 * duration.trial_s(QUICK, 150))


def test_without_a_capacity_no_search_counts() -> None:
    one = duration.campaign_s(QUICK, ["a"])
    works = duration.campaign_s(replace(QUICK, capacity=False), ["a"])
    trials = [2 * QUICK.search.repetitions + more for more in duration.MORE_TRIALS]
    climbs_s = [share * QUICK.search.climb_s for share in duration.CLIMBED]
    search_s = [n * duration.trial_s(QUICK, 150) + s for n, s in zip(trials, climbs_s, strict=True)]
    assert [a - b for a, b in zip(one, works, strict=True)] == pytest.approx(search_s)


def test_audits_and_pairs_of_parts_count_where_the_profile_asks_for_them() -> None:
    bare = duration.campaign_s(replace(QUICK, audit=False, swap=False), ["a"], pairs=9)
    audited = duration.campaign_s(replace(QUICK, swap=False), ["a"], pairs=9)
    whole = duration.campaign_s(QUICK, ["a"], pairs=9)
    assert [b - a for a, b in zip(bare, audited, strict=True)] == pytest.approx(duration.AUDIT_S)
    assert [b - a for a, b in zip(audited, whole, strict=True)] == pytest.approx([9 * s for s in duration.PAIR_S])


def test_the_survey_says_how_long_it_takes() -> None:
    survey = profiles.load("survey")
    least, most, more = (60 * int(minutes) for minutes in re.findall(r"\d+", survey.purpose))
    plain, claimed = (duration.campaign_s(survey, [name]) for name in ("fastapi+react", "django+angular"))
    assert plain[0] == pytest.approx(least, abs=60)
    assert most - 180 < plain[1] < claimed[1] - claimed[0] + plain[0] < most + more


def test_claims_count_the_think_times_that_they_ask_for() -> None:
    survey = profiles.load("survey")
    bare = replace(survey, search=replace(survey.search, claims=False))
    claimed, without = (duration.campaign_s(profile, ["streamlit:plain"]) for profile in (survey, bare))
    # 140 users at a mean of 99 s, twice: 4 cycles to let them in, 2 to settle
    assert claimed[1] - without[1] > 2 * 6 * 100
    assert claimed[0] - without[0] < 60  # a second start alone: a fast target asks for none of them


@pytest.mark.parametrize(
    ("low_s", "high_s", "words"),
    [
        (30, 50, "1 minute(s)"),
        (500, 780, "8 to 13 minutes"),
        (7000, 11_000, "2 to 3 hours"),
        (119.9, 120.1, "2 minutes"),
    ],
)
def test_times_are_said_in_words(low_s: float, high_s: float, words: str) -> None:
    assert duration.in_words(low_s, high_s) == words
