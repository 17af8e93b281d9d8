"""Blocks of a few seconds: which met the SLO, and where a climb left it."""

import pandas as pd
import pytest

from harness.analysis import blocks
from harness.records import PhaseTimes, Slo

SLO = Slo()
WINDOW = PhaseTimes(start_s=100.0, end_s=130.0)


def turns(bad_from_s: float = 1e9, bad_to_s: float = 1e9, *, per_s: int = 10, outcome: str = "ok") -> pd.DataFrame:
    """Turns at an even rate over the window, slow ones between two times."""
    times = [100 + n / per_s for n in range(30 * per_s)]
    bad = [bad_from_s <= at_s < bad_to_s for at_s in times]
    return pd.DataFrame(
        {
            "intended_s": times,
            "outcome": [outcome if is_bad else "ok" for is_bad in bad],
            "added_ttft_s": [0.9 if is_bad and outcome == "ok" else 0.02 for is_bad in bad],
            "lateness_s": 0.01,
            "added_stall_s": 0.01,
        }
    )


def test_every_block_of_a_good_trial_meets_the_slo() -> None:
    assert blocks.met_ratio(turns(), WINDOW, SLO) == 1


def test_a_block_with_more_than_one_slow_turn_in_twenty_misses_it() -> None:
    assert blocks.met_ratio(turns(107, 107.2), WINDOW, SLO) == 1  # 2 of 50
    assert blocks.met_ratio(turns(107, 107.3), WINDOW, SLO) == pytest.approx(5 / 6)


def test_a_block_with_more_than_one_lost_turn_in_a_hundred_misses_it() -> None:
    assert blocks.met_ratio(turns(107, 107.1, outcome="failed"), WINDOW, SLO) == pytest.approx(5 / 6)


def test_blocks_are_long_enough_for_twenty_turns() -> None:
    assert blocks.block_length_s(300, 30.0) == 5.0
    assert blocks.block_length_s(60, 30.0) == 10.0
    assert blocks.met_ratio(turns(per_s=2).iloc[:20], WINDOW, SLO) is None  # one block says nothing of a share
    assert blocks.met_ratio(turns().iloc[:0], WINDOW, SLO) is None


def test_a_block_in_which_nobody_could_send_did_not_meet_the_slo() -> None:
    sent = turns()
    assert blocks.met_ratio(sent[~sent["intended_s"].between(110, 115)], WINDOW, SLO) == pytest.approx(5 / 6)


def test_a_climb_left_the_slo_in_the_first_of_two_missed_blocks() -> None:
    edge = blocks.climbed(turns(114, 130), WINDOW, SLO, 600, 30.0)
    assert edge == pytest.approx(600 * 12.5 / 30)
    assert blocks.climbed(turns(106, 108), WINDOW, SLO, 600, 30.0) is None  # one block: a pause
    assert blocks.climbed(turns(), WINDOW, SLO, 600, 30.0) is None


def test_of_a_climb_that_was_stopped_the_last_missed_block_may_stand_alone() -> None:
    ended = turns(121, 127).iloc[:265]  # most turns of the last block were cut
    window = PhaseTimes(start_s=100.0, end_s=126.5)
    assert blocks.climbed(ended, window, SLO, 600, 30.0) is None
    assert blocks.climbed(ended, window, SLO, 600, 30.0, stopped=True) == pytest.approx(600 * 22.5 / 30)
    assert blocks.climbed(turns(107, 109), WINDOW, SLO, 600, 30.0, stopped=True) is None  # a pause is none


def test_the_part_of_a_block_at_which_a_climb_was_stopped_counts() -> None:
    ended = turns(125, 128).iloc[:280]
    window = PhaseTimes(start_s=100.0, end_s=128.0)
    assert blocks.climbed(ended, window, SLO, 600, 30.0, stopped=True) == pytest.approx(600 * 27.5 / 30)


def test_blocks_of_a_climb_with_few_turns_are_passed_over() -> None:
    assert blocks.climbed(turns(100, 130, per_s=3), WINDOW, SLO, 600, 30.0) is None


def test_a_cut_trial_counts_against_all_turns_that_its_window_could_hold() -> None:
    found = blocks.at_least_beyond(turns(100, 104), SLO, possible=400.0)
    assert found == {"added_ttft_p95_s": 0.1, "lateness_p95_s": 0.0, "added_stall_p95_s": 0.0, "failure_ratio": 0.0}
