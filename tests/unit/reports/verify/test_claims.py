"""Judgements on claims are found again from raw samples, and a changed one is named."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from harness import results
from harness.analysis.plausible import Interval, Tried
from reports import build
from reports.content.claims import judge_known
from reports.content.known import Known
from reports.verify import claims, verify
from tests.doubles import results_run
from tests.doubles.results_run import DJANGO, STREAMLIT, target_info

BASE = ((10, 0), (10, 1))
MODELS = (
    replace(
        STREAMLIT, capacity=12, levels=(*BASE, (14, 0), (14, 1)), cpu_s_per_turn=0.3, thinking=((15, 20), (15, 20))
    ),
    replace(DJANGO, capacity=24, levels=(*BASE, (20, 0), (20, 1), (30, 0), (30, 1))),
    replace(DJANGO, name="django:no-redis+angular", capacity=24, levels=(*BASE, (20, 0), (30, 0)), cpu_s_per_turn=0.2),
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = results_run.write_run(tmp_path_factory.mktemp("claims") / "run", MODELS)
    build.build(folder)
    return folder


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "run")


def changed(run: Path, claim: str, change: Callable[[dict[str, Any]], None]) -> list[str]:
    path = run / "report/table.json"
    table = json.loads(path.read_text())
    change(next(one for one in table["claims"] if one["id"] == claim))
    results.write_json(path, table)
    return [difference.figure for difference in verify(run)]


def test_every_judgement_is_found_again(run: Path) -> None:
    assert [str(one) for one in verify(run)] == []
    table = json.loads((run / "report/table.json").read_text())
    asked = {one["quantity"] for claim in table["claims"] for one in claim["basis"]}
    assert asked == {
        "capacity_users",
        "capacity_ratio",
        "cpu_ratio",
        "added_ttft_ratio",
        "session_bytes_difference",
    }
    thinks = [one["think_s"] for one in table["claims"][-1]["basis"] if one["tried"]]
    assert thinks == [3.0, 15.0]


@pytest.mark.parametrize("claim", ["large-loads", "redis-helps", "streamlit-own-resources", "few-streamlit-users"])
def test_another_judgement_is_named(run: Path, claim: str) -> None:
    def turn(one: dict[str, Any]) -> None:
        one["judgement"] = "refuted" if one["judgement"] == "supported" else "supported"

    assert changed(run, claim, turn) == [f"{claim}.judgement"]


@pytest.mark.parametrize(
    ("claim", "quantity"), [("few-streamlit-users", "capacity_users"), ("streamlit-early", "capacity_ratio")]
)
def test_another_end_is_named(run: Path, claim: str, quantity: str) -> None:
    assert changed(run, claim, lambda one: one["basis"][0].update(low=1.01 * one["basis"][0]["low"])) == [
        f"{claim}.{quantity}"
    ]


def test_another_number_of_trials_is_named(run: Path) -> None:
    found = changed(run, "redis-helps", lambda one: one["basis"][1].update(low_trials=7))
    assert found == ["redis-helps.cpu_ratio"]


def test_a_prediction_is_worked_out_again(run: Path) -> None:
    found = changed(run, "large-loads", lambda one: one["basis"][-1].update(high=10_000.0))
    assert found == ["large-loads.capacity_users"]


def every(**values: object) -> Callable[[dict[str, Any]], None]:
    """Return a change of every line of a claim's basis."""

    def change(claim: dict[str, Any]) -> None:
        for line in claim["basis"]:
            line.update(values)

    return change


@pytest.mark.parametrize(
    ("claim", "change", "named"),
    [
        ("few-streamlit-users", every(threshold=10), "basis"),
        ("few-streamlit-users", every(direction="at least"), "basis"),
        ("streamlit-early", every(threshold=1.5), "basis"),
        ("few-streamlit-users", every(tried=True), "basis"),
        ("few-streamlit-users", every(think_s=3.0), "basis"),
        ("few-streamlit-users", lambda one: one["basis"].pop(1), "basis"),
        ("redis-helps", lambda one: one["basis"].clear(), "basis"),
        ("streamlit-early", lambda one: one["targets"].reverse(), "targets"),
        ("few-streamlit-users", lambda one: one.update(turn_s=[1.0, one["turn_s"][1]]), "turn_s"),
        ("large-loads", lambda one: one.update(turn_s=None), "turn_s"),
        ("streamlit-early", lambda one: one.update(turn_s=[None, 3.0]), "turn_s"),
    ],
)
def test_what_a_claim_asks_and_rests_on_is_not_taken_from_what_is_printed(
    run: Path, claim: str, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    assert changed(run, claim, change) == [f"{claim}.{named}"]


def test_a_claim_that_is_left_out_is_named(run: Path) -> None:
    path = run / "report/table.json"
    table = json.loads(path.read_text())
    table["claims"] = [one for one in table["claims"] if one["id"] != "redis-helps"]
    results.write_json(path, table)
    assert [difference.figure for difference in verify(run)] == ["redis-helps"]


def test_a_claim_about_another_target_is_named(run: Path) -> None:
    assert changed(run, "large-loads", lambda one: one.update(id="large-loads/other")) == [
        "large-loads/other.targets",
        "large-loads",
    ]


def test_a_table_from_before_there_was_a_basis_is_to_be_rebuilt(run: Path) -> None:
    assert changed(run, "large-loads", lambda one: one.pop("basis")) == ["large-loads"]
    build.build(run)
    assert verify(run) == []


def some(draw: random.Random) -> Known:
    """Return what might be known of a target."""
    edge = draw.uniform(50, 4000)
    tried = {}
    for think_s in draw.sample([3.0, 8.4, 17.5, 100.0], draw.randint(1, 3)):
        levels = [max(1, round(edge * draw.uniform(0.2, 3))) for _ in range(draw.randint(0, 5))]
        tried[think_s] = [Tried(level=n, passed=draw.random() < 0.5) for n in levels]
    low = draw.uniform(-1e4, 1e5)
    return Known(
        tried=tried,
        own_s=3.0,
        answer_s=1.1,
        bracket=draw.choice([(None, None), (edge, None), (edge, 1.3 * edge)]),
        session=Interval(low=low, high=low + draw.uniform(0, 1e5), low_trials=draw.randint(1, 3), high_trials=2),
        common={
            name: [draw.uniform(1, 1.1) * draw.choice([0.01, 0.02]) for _ in range(3)]
            for name in claims.MEASURES.values()
        },
    )


@pytest.mark.parametrize("seed", range(40))
def test_both_ways_of_judging_agree_on_anything(seed: int) -> None:
    draw = random.Random(seed)
    targets = {model.name: target_info(model) for model in MODELS}
    for claim in judge_known({name: some(draw) for name in targets}, targets, "django+angular"):
        assert claims.judgement([asdict(one) for one in claim.basis]) == claim.judgement
        assert bool(claim.condition) == (claim.judgement == "depends")
