"""The second arithmetic of blocks, climbs and cut trials agrees with the first on random turns, and only then."""

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import profiles
from harness.analysis import blocks
from harness.analysis.slo import at_least_name, turns_possible
from harness.records import PhaseTimes, Slo, to_json
from harness.trials.plans import chat_plan
from reports.verify import slo_blocks

SLO = Slo()
WINDOW = PhaseTimes(start_s=50.0, end_s=83.7)
SPAN = (WINDOW.start_s, WINDOW.end_s)


def turns(seed: int, per_s: float, slow: float) -> pd.DataFrame:
    draw = random.Random(seed)
    count = int(per_s * (WINDOW.end_s - WINDOW.start_s))
    spell = draw.uniform(*SPAN)
    rows = []
    for _ in range(count):
        at_s = draw.uniform(*SPAN)
        risk = 0.9 if abs(at_s - spell) < 4 and slow else slow
        lost = draw.random() < 0.003
        rows.append(
            {
                "intended_s": at_s,
                "outcome": "failed" if lost else "ok",
                "added_ttft_s": 0.7 if draw.random() < risk else 0.1,
                "lateness_s": 0.8 if draw.random() < risk / 4 else 0.0,
                "added_stall_s": np.nan if lost else 0.3 if draw.random() < risk / 4 else 0.01,
            }
        )
    return pd.DataFrame(rows)


def columns(frame: pd.DataFrame) -> dict[str, Any]:
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def every(frame: pd.DataFrame) -> Any:
    return np.ones(len(frame), bool)


@pytest.mark.parametrize("seed", range(12))
def test_blocks_that_met_the_slo_are_counted_alike(seed: int) -> None:
    frame = turns(seed, per_s=2 + 10 * seed, slow=0.02 * (seed % 4))
    first = blocks.met_ratio(frame, WINDOW, SLO)
    assert slo_blocks.met(columns(frame), every(frame), SPAN, to_json(SLO)) == pytest.approx(first)


@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_the_edge_of_a_climb_is_found_alike(seed: int, stopped: bool) -> None:
    frame = turns(seed, per_s=30, slow=0.03 * (seed % 2))
    first = blocks.climbed(frame, WINDOW, SLO, 700, 33.7, stopped=stopped)
    profile = {"slo": to_json(SLO), "search": {"climb_s": 33.7}}
    second = slo_blocks.climbed(columns(frame), every(frame), SPAN, {"level": 700}, profile, cut=stopped)
    assert second == (None if first is None else pytest.approx(first))


def test_some_of_these_climbs_have_an_edge_and_some_have_none() -> None:
    edges = [
        blocks.climbed(turns(seed, per_s=30, slow=0.03 * (seed % 2)), WINDOW, SLO, 700, 33.7) for seed in range(12)
    ]
    assert None in edges
    assert any(edges)


@pytest.mark.parametrize("name", ["quick", "article"])
def test_the_shares_of_a_cut_trial_are_counted_alike(name: str, tmp_path: Any) -> None:
    profile = profiles.load(name)
    frame = turns(3, per_s=30, slow=0.1)
    plan = chat_plan(profile, protocol="rest", instances=(), users=400, folder=tmp_path, seed=1)
    first = blocks.at_least_beyond(frame, profile.slo, turns_possible(plan))
    key = {"scenario": "chat", "level": 400, "parameter": None}
    second = slo_blocks.at_least(columns(frame), every(frame), key, to_json(profile))
    assert second == pytest.approx({at_least_name(threshold): share for threshold, share in first.items()})
    assert second["added_ttft_missed_at_least_ratio"]
