"""The benchmark of the search: what its trials take, and that it measures the course that is asked for."""

import random
from statistics import median

import pytest

from harness.records import Trial, TrialKey
from harness.trials.duration import FIXED_WORK_S, START_S, trial_s
from tests.doubles import trials as fake
from tests.doubles.synthetic import PASS, Synthetic, measured
from tests.perf import search

CLIMB_S = search.PROFILE.search.climb_s


def climb(users: float | None, top: int = 500) -> Trial:
    key = TrialKey(target="a", scenario="climb", level=top, repetition=0, number=5)
    return fake.trial(key, PASS, {"climb_users": users})


@pytest.mark.parametrize(("users", "seconds"), [(250, CLIMB_S / 2 + 10), (490, CLIMB_S), (None, CLIMB_S)])
def test_a_climb_ends_two_blocks_behind_the_edge_that_it_sees(users: float | None, seconds: float) -> None:
    assert search.length_s(search.PROFILE, climb(users)) == pytest.approx(START_S + FIXED_WORK_S + seconds)


def test_any_other_trial_takes_what_the_plan_says() -> None:
    key = TrialKey(target="a", scenario="chat", level=200, repetition=0, number=5)
    assert search.length_s(search.PROFILE, fake.trial(key, PASS)) == trial_s(search.PROFILE, 200)


@pytest.mark.parametrize(("climbs", "times"), [(True, 1), (False, 2)])
def test_a_climb_that_is_invalid_is_made_again(climbs: bool, times: int) -> None:
    target = Synthetic(edge=300, draw=random.Random(2))
    target.climbs = climbs
    made, found = measured(search.PROFILE, target)
    assert sum(one.key.scenario == "climb" for one in made) == times
    assert found.status == "bracketed"


def test_without_a_climb_none_is_made() -> None:
    made, _ = measured(search.WITHOUT_CLIMB, Synthetic(edge=300, draw=random.Random(2)))
    assert all(one.key.scenario != "climb" for one in made)


@pytest.mark.parametrize("strategy", [search.ours, search.without_climb])
def test_a_search_comes_near_most_edges_in_few_trials(strategy: search.Strategy) -> None:
    found = [(one.edge, strategy(one)) for one in map(search.target, range(100))]
    assert sum(search.near(made.capacity, edge, search.WIDE) for edge, made in found) > 90
    assert median(made.trials for _, made in found) <= search.MOST_TRIALS
