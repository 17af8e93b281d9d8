"""Claims as data, and judgements from intervals."""

import pytest

from harness.analysis.claims import (
    CLAIMS,
    THINK_TIMES_S,
    Ask,
    Judgement,
    Turn,
    base_trials,
    claimed_users,
    holds,
    over_think_times,
    reached,
    subjects,
    tells,
    together,
    turn,
    turning_think_s,
)
from harness.analysis.estimate import predicted
from harness.analysis.plausible import Interval

LEAST = Ask(quantity="capacity_users", direction="at least", threshold=100)
BELOW = Ask(quantity="capacity_users", direction="below", threshold=100)
RUN = ("streamlit:2", "streamlit", "streamlit:plain", "django+angular", "django:plain+angular", "django+streamlit")


@pytest.mark.parametrize(
    ("low", "high", "low_trials", "high_trials", "expected"),
    [
        (100.0, 200.0, 2, 2, True),
        (100.0, 200.0, 1, 2, None),
        (99.0, 200.0, 2, 2, None),
        (50.0, 99.0, 2, 2, False),
        (50.0, 99.0, 2, 1, None),
        (50.0, 100.0, 2, 2, None),
        (None, 99.0, 0, 2, False),
        (100.0, None, 2, 0, True),
        (None, None, 5, 5, None),
    ],
)
def test_the_side_that_decides_needs_two_trials(
    low: float | None, high: float | None, low_trials: int, high_trials: int, expected: bool | None
) -> None:
    seen = Interval(low=low, high=high, low_trials=low_trials, high_trials=high_trials)
    assert reached(LEAST, seen) is expected
    assert holds(BELOW, seen) is (None if expected is None else not expected)


@pytest.mark.parametrize(
    ("answers", "judgement"),
    [
        ([True, None], "supported"),
        ([False, None, False], "refuted"),
        ([True, False], "depends"),
        ([None], "not settled"),
        ([], "not settled"),
    ],
)
def test_several_quantities_add_up(answers: list[bool | None], judgement: Judgement) -> None:
    assert together(answers) == judgement


@pytest.mark.parametrize(
    ("answers", "judgement"),
    [
        ({3.0: True}, "supported"),
        ({1.0: True}, "supported"),
        ({3.0: None, 17.5: True}, "not settled"),
        ({3.0: False}, "not settled"),
        ({3.0: False, 100.0: False}, "refuted"),
        ({3.0: False, 17.5: True}, "depends"),
        ({3.0: False, 17.5: None}, "not settled"),
        ({8.4: False, 3.6: True}, "not settled"),
        ({}, "not settled"),
    ],
)
def test_a_number_of_users_is_judged_over_all_think_times(
    answers: dict[float, bool | None], judgement: Judgement
) -> None:
    assert over_think_times("at least", turn(answers)) == judgement
    opposite = {"supported": "refuted", "refuted": "supported"}
    assert over_think_times("below", turn(answers)) == opposite.get(judgement, judgement)


def test_the_turn_is_the_closest_pair_that_was_tried() -> None:
    assert turn({3.0: False, 8.4: False, 18.0: True, 100.0: True}) == Turn(missed_s=8.4, reached_s=18.0)


def test_the_predicted_turn_is_where_the_predicted_capacity_is_the_number() -> None:
    think_s = turning_think_s(2000, 888, 1.2, 3.0)
    assert predicted(888, 1.2, 3.0, think_s) == pytest.approx(2000)
    # throughput 888 / 4.2 s = 211 turns/s: 2,000 / 211 − 1.2
    assert think_s == pytest.approx(8.26, abs=0.01)


def test_think_times_are_those_of_quick_and_of_the_trace() -> None:
    from math import exp, log

    sigma = log(15 / 7) / 1.2816
    assert THINK_TIMES_S[0] == 3.0
    assert THINK_TIMES_S[1] == pytest.approx(7 * exp(sigma**2 / 2), rel=0.01)
    assert THINK_TIMES_S[2] == pytest.approx(15 * exp(sigma**2 / 2), rel=0.01)


def test_each_claim_is_judged_on_tuned_and_on_plain_builds() -> None:
    assert subjects("modular", RUN, "django+angular") == [("django+angular",), ("django:plain+angular",)]
    assert subjects("streamlit", RUN, "django+angular") == [("streamlit",), ("streamlit:2",), ("streamlit:plain",)]
    assert subjects("modular and streamlit", RUN, "django+angular") == [
        ("django+angular", "streamlit"),
        ("django+angular", "streamlit:2"),
        ("django:plain+angular", "streamlit:plain"),
    ]
    assert subjects("with and without redis", RUN, "django+angular") == [("django+angular", "django:no-redis+angular")]


def test_what_is_said_of_django_is_judged_on_nothing_else() -> None:
    assert subjects("django", ("flask+vue",), "flask+vue") == []
    assert subjects("with and without redis", ("flask+vue",), "flask+vue") == []
    assert subjects("modular", ("flask+vue",), "flask+vue") == [("flask+vue",)]
    assert subjects("streamlit", ("flask+vue",), "flask+vue") == []
    assert subjects("modular", ("streamlit",), None) == []


@pytest.mark.parametrize(
    ("target", "users"),
    [
        ("django+angular", (1000, 2000)),
        ("django:plain+angular", (1000, 2000)),
        ("django:no-redis+angular", ()),
        ("django+streamlit", ()),
        ("streamlit", (100,)),
        ("streamlit:2", (100,)),
        ("fastapi+react", ()),
        ("no-app", ()),
    ],
)
def test_only_targets_that_a_claim_speaks_of_have_claimed_users(target: str, users: tuple[int, ...]) -> None:
    assert claimed_users(target) == users


@pytest.mark.parametrize(
    ("target", "trials"),
    [
        ("django+angular", 3),
        ("django:no-redis+angular", 3),
        ("django:plain+angular", 1),
        ("django+streamlit", 1),
        ("django-templates", 1),
        ("streamlit", 1),
        ("fastapi+react", 1),
        ("no-app", 1),
    ],
)
def test_only_targets_that_are_compared_at_the_common_load_are_tried_there_more_than_once(
    target: str, trials: int
) -> None:
    assert base_trials(target) == trials


@pytest.mark.parametrize(
    ("level", "most", "think_s", "expected"),
    [
        (691, 691, 3.0, False),
        (692, 691, 3.0, True),
        (1600, 691, 8.4, False),
        (1602, 691, 8.4, True),
        (9999, None, 3.0, False),
    ],
)
def test_a_contended_failure_tells_only_above_the_most_that_there_can_be(
    level: int, most: int | None, think_s: float, expected: bool
) -> None:
    # 691 users · (1.1 + 8.4) / (1.1 + 3) = 1,601
    assert tells(level, most, 1.1, 3.0, think_s) is expected


def test_claims_are_told_apart_and_name_their_section() -> None:
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    assert all(claim.section.startswith("2.") and claim.asks for claim in CLAIMS)
