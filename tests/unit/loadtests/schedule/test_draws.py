"""Draws: reproducible, of the stated distribution, and the agreed digits."""

import hashlib
import math
import re
import statistics

import pytest

from harness.records import Distribution
from loadtests.schedule.draws import draw, first_conversation_turns, message, tag_of, think_s, uniform, username


def test_a_tag_is_the_agreed_hash() -> None:
    assert tag_of(42, 3, 1, 2) == hashlib.sha256(b"42:3:1:2").hexdigest()[:16]


def test_users_beyond_the_seeded_accounts_share_them() -> None:
    assert [username(user, 1000) for user in (0, 999, 1000)] == ["user0001", "user1000", "user0001"]


def test_a_constant_think_time_is_the_median() -> None:
    assert think_s(Distribution(median=7.0), 42, 1, 2, 3) == 7.0


def test_think_times_are_log_normal_and_keyed_by_turn() -> None:
    thinking = Distribution(median=7.0, sigma=0.8)
    draws = [think_s(thinking, 42, user, 0, turn) for user in range(100) for turn in range(20)]
    assert draws[:20] == [think_s(thinking, 42, 0, 0, turn) for turn in range(20)]
    assert len(set(draws)) == len(draws)
    assert statistics.median(draws) == pytest.approx(7.0, rel=0.08)
    assert statistics.stdev(map(math.log, draws)) == pytest.approx(0.8, rel=0.08)


def test_each_repetition_thinks_otherwise_and_always_the_same() -> None:
    thinking = Distribution(median=7.0, sigma=0.8)
    draws = [[think_s(thinking, 42, 1, 2, 3, repetition) for repetition in range(5)] for _ in range(2)]
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == 5


def test_uniform_stays_inside_the_open_interval() -> None:
    values = [uniform(str(i)) for i in range(1000)]
    assert 0 < min(values) < 0.01
    assert 0.99 < max(values) < 1


def test_another_seed_draws_other_values() -> None:
    distribution = Distribution(median=1.0, sigma=1.0)
    assert draw(distribution, "1:x") != draw(distribution, "2:x")


def test_first_conversations_are_spread_over_all_positions() -> None:
    counts = [first_conversation_turns(42, user, 4) for user in range(400)]
    assert set(counts) == {1, 2, 3, 4}
    assert min(counts.count(turns) for turns in range(1, 5)) > 60


@pytest.mark.parametrize("chars", [1, 20, 21, 22, 30, 70, 1000])
def test_a_message_has_the_wanted_length_and_ends_with_its_tag(chars: int) -> None:
    text = message(chars, "0123456789abcdef")
    assert text.endswith("tag-0123456789abcdef")
    assert re.search(r"\btag-([0-9a-f]{16})\b", text)
    assert len(text) in ((20,) if chars <= 21 else (chars - 1, chars))
