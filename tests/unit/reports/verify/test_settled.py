"""The second look at whether a load had settled: it agrees with the generator's own, and only then."""

import random
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness import results
from harness.records import AnswerPlan, Distribution, Profile, to_json
from loadtests.schedule.settling import Settling
from reports import build
from reports.verify import settled, verify
from tests.doubles import results_run

THINK_S, ANSWER_S = 3.0, 1.0
CYCLE_S = THINK_S + ANSWER_S
RAMP_END_S = 5016.0
PROFILE = Profile(
    name="p",
    purpose="",
    think_s=Distribution(median=THINK_S),
    answer=AnswerPlan(ttft_s=Distribution(median=0.2), itl_s=0.02, tokens=Distribution(median=40)),
)
RUN = {"profile": to_json(PROFILE)}
Spans = list[tuple[float, float]]


def spans(seed: int, per_s: float, growth: float) -> Spans:
    """Return turns that begin at random, the longer the later: ``growth`` seconds more for each second passed."""
    draw, at_s, found = random.Random(seed), RAMP_END_S - 10.0, Spans()
    while at_s < RAMP_END_S + 60:
        at_s += draw.expovariate(per_s)
        length_s = ANSWER_S * draw.uniform(0.8, 1.2) + max(0.0, growth * (at_s - RAMP_END_S))
        found.append((at_s, at_s + max(0.05, length_s)))
    return found


def draining(seed: int, per_s: float) -> Spans:
    """Return turns of which a crowd began at once and ends little by little."""
    crowd = [(RAMP_END_S - 1, RAMP_END_S + n / per_s) for n in range(round(20 * per_s))]
    return [*spans(seed, per_s, 0.0), *crowd]


def watched(turns: Spans, end_s: float) -> Any:
    """Return what the generator's own rule sees at a moment."""
    settling = Settling(2 * CYCLE_S, ANSWER_S)
    for tick in range(round((end_s - RAMP_END_S) / 0.05) + 1):
        at_s = RAMP_END_S + 0.05 * tick
        settling.note(at_s, sum(begin <= at_s < end for begin, end in turns))
    return settling.look(RAMP_END_S)


def said(folder: Path, turns: Spans, end_s: float, *, outcome: str = "pass", **summary: Any) -> list[str]:
    rows = [{"sent_s": a, "done_s": b - 0.01, "ready_s": b, "outcome": "ok"} for a, b in turns]
    pd.DataFrame(rows).to_parquet(folder / results.TURNS, index=False)
    phases = {
        "ramp_up": {"start_s": RAMP_END_S - 16, "end_s": RAMP_END_S},
        "warm_up": {"start_s": RAMP_END_S, "end_s": end_s},
        **({} if summary.get("unsettled") else {"measure": {"start_s": end_s, "end_s": end_s + 25}}),
    }
    trial = {
        "key": {"scenario": "chat", "parameter": None, "level": 40},
        "verdict": {"outcome": outcome},
        "summary": {"phases": phases, "unsettled": None} | summary,
    }
    return list(settled.check(folder, trial, RUN))


@pytest.mark.parametrize("per_s", [2.0, 40.0])
def test_a_load_that_the_generator_found_settled_is_found_so_again(per_s: float, tmp_path: Path) -> None:
    flat = 0
    for seed in range(6):
        turns = spans(seed, per_s, 0.0)
        end_s = RAMP_END_S + 2 * CYCLE_S + 2 * seed
        if watched(turns, end_s).flat:
            flat += 1
            assert said(tmp_path, turns, end_s) == []
    assert flat >= 5


def test_a_load_that_still_grew_or_fell_when_measure_began_is_named(tmp_path: Path) -> None:
    for turns in (spans(1, 40.0, 0.2), draining(1, 40.0)):
        end_s = RAMP_END_S + 2 * CYCLE_S
        seen = watched(turns, end_s)
        assert not seen.flat
        (text,) = said(tmp_path, turns, end_s)
        assert text.startswith("measure began before the load had settled: turns under way from ")
        numbers = [float(one) for one in re.findall(r"from (\S+) to (\S+) in", text)[0]]
        assert numbers == pytest.approx([seen.earlier, seen.later], rel=0.02)
        assert said(tmp_path, turns, end_s, outcome="invalid") == []


def test_a_count_heard_late_and_rounded_is_no_difference(tmp_path: Path) -> None:
    """A jump that several processes have not reported yet: the load was flat until half a second before."""
    end_s = RAMP_END_S + 2 * CYCLE_S + 1
    turns = [*spans(3, 40.0, 0.0), *((end_s - 0.4, end_s + 5) for _ in range(200))]
    assert said(tmp_path, turns, end_s) == []
    early = [*spans(3, 40.0, 0.0), *((end_s - 2.5, end_s + 5) for _ in range(200))]
    assert said(tmp_path, early, end_s)


def test_a_trial_given_up_as_not_settled_has_to_show_it(tmp_path: Path) -> None:
    end_s = RAMP_END_S + 6 * CYCLE_S
    grew, fell = ({"earlier_live": a, "later_live": b, "after_s": 40.0} for a, b in ((50, 60), (60, 50)))
    assert said(tmp_path, spans(1, 40.0, 0.2), end_s, outcome="fail", unsettled=grew) == []
    for turns, account in ((spans(1, 40.0, 0.0), grew), (spans(1, 40.0, 0.2), fell)):
        (text,) = said(tmp_path, turns, end_s, outcome="fail", unsettled=account)
        assert text.startswith("given up as not settled, turns under way still ")


def test_nothing_is_said_of_a_generator_that_did_not_wait(tmp_path: Path) -> None:
    turns, end_s = spans(1, 40.0, 0.2), RAMP_END_S + 2 * CYCLE_S
    assert said(tmp_path, turns, end_s)
    (tmp_path / results.TURNS).unlink()
    trial = {"key": {"scenario": "chat"}, "summary": {"unsettled": None}, "verdict": {"outcome": "pass"}}
    assert list(settled.check(tmp_path, trial, RUN)) == []
    for other in ({"key": {"scenario": "spike"}}, {"summary": {}}, {"summary": None}):
        assert list(settled.check(tmp_path, trial | other, RUN)) == []


def test_turns_that_were_cut_are_under_way_to_the_end(tmp_path: Path) -> None:
    moments = pd.Series([RAMP_END_S + 8.0]).to_numpy()
    rows = [
        {"sent_s": RAMP_END_S + 1, "done_s": RAMP_END_S + 2, "ready_s": None, "outcome": "incomplete"},
        {"sent_s": RAMP_END_S + 1, "done_s": RAMP_END_S + 2, "ready_s": None, "outcome": "failed"},
        {"sent_s": RAMP_END_S + 5, "done_s": RAMP_END_S + 6, "ready_s": RAMP_END_S + 7, "outcome": "ok"},
    ]
    pd.DataFrame(rows).astype({"ready_s": float}).to_parquet(tmp_path / results.TURNS, index=False)
    earlier, later = settled._live(tmp_path / results.TURNS, moments, 4.0)
    assert (earlier[0], later[0]) == (pytest.approx((3 + 1) / 4), pytest.approx((4 + 2) / 4))


def test_verify_names_a_trial_that_had_not_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = results_run.write_run(tmp_path / "run", results_run.SMALL)
    build.build(folder, formats=("json",))
    assert verify(folder) == []
    restless = "trials/streamlit/chat/002-10-0"
    monkeypatch.setattr(settled, "check", lambda path, *_: ["it grew"] if path == folder / restless else [])
    assert [str(one) for one in verify(folder)] == [f"{restless}/trial.json: settled: it grew"]
