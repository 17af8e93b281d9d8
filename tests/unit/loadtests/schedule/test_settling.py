"""Whether a load has settled, without a clock."""

import random

import pytest

from loadtests.schedule.settling import Settling


def watched(lives: list[float], step_s: float = 0.05, span_s: float = 8.0) -> Settling:
    settling = Settling(span_s, answer_s=1.1)
    for n, live in enumerate(lives):
        settling.note(100.0 + n * step_s, round(live))
    return settling


def test_nothing_is_said_before_the_span_is_over() -> None:
    settling = watched([100.0] * 100)
    assert settling.look(since_s=100.0) is None
    assert Settling(8.0, 1.1).look(since_s=100.0) is None


def test_an_even_number_of_turns_is_flat() -> None:
    seen = watched([100.0] * 170).look(100.0)
    assert seen is not None
    assert (seen.earlier, seen.later, seen.flat) == (100.0, 100.0, True)


@pytest.mark.parametrize("rate_per_s", [10.0, -10.0])
def test_a_queue_that_grows_or_drains_is_not_flat(rate_per_s: float) -> None:
    seen = watched([150 + rate_per_s * (0.05 * n - 4) for n in range(170)]).look(100.0)
    assert seen is not None
    assert not seen.flat
    assert seen.later - seen.earlier == pytest.approx(4 * rate_per_s, rel=0.05)


def test_readings_taken_at_uneven_intervals_count_by_the_time_between_them() -> None:
    """A queue that drains evenly; half of it was read twenty times as often."""
    settling = Settling(8.0, answer_s=1.1)
    moments = [0.05 * n for n in range(80)] + [4.0 + n for n in range(5)]
    for at_s in moments:
        settling.note(100.0 + at_s, round(300 - 20 * at_s))
    seen = settling.look(100.0)
    assert seen is not None
    assert (seen.earlier, seen.later) == (pytest.approx(260, abs=1), pytest.approx(180, abs=1))


def test_only_the_last_span_counts() -> None:
    seen = watched([10.0 * n for n in range(100)] + [1000.0] * 170).look(100.0)
    assert seen is not None
    assert seen.flat


def test_chance_alone_is_flat_in_nearly_all_trials() -> None:
    """Users that think 3 s and wait 1.1 s, each by itself: ten, and five hundred."""
    for users in (10, 500):
        flat = [_independent(users, seed) for seed in range(40)]
        assert sum(flat) >= 38


def _independent(users: int, seed: int) -> bool:
    draw = random.Random(seed)
    settling = Settling(8.2, answer_s=1.1)
    changes = [draw.uniform(0, 4.1) for _ in range(users)]
    answering = [False] * users
    for n in range(600):
        now_s = n * 0.05
        for user in range(users):
            if now_s >= changes[user]:
                answering[user] = not answering[user]
                changes[user] = now_s + (1.1 if answering[user] else draw.lognormvariate(1.01, 0.42))
        settling.note(now_s, sum(answering))
    seen = settling.look(10.0)
    assert seen is not None
    return seen.flat
