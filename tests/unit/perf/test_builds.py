"""The benchmark of Django's builds judges its goal by the longest freeze of all rounds."""

import pytest

from tests.perf import builds
from tests.perf.builds import Seen


def seen(freeze_s: float) -> Seen:
    return Seen(freeze_s=freeze_s, collection_s=freeze_s / 2, outcome="pass", figures={"added_stall_p95_s": 0.1})


@pytest.mark.parametrize(("freezes_s", "met"), [((0.021, 0.037), True), ((0.021, 0.070), False)])
def test_the_goal_is_judged_by_the_longest_freeze_of_all_rounds(freezes_s: tuple[float, float], met: bool) -> None:
    trials = {name: [seen(one) for one in freezes_s] for name in builds.BUILDS}
    rows = {row["name"]: row for row in builds.figures(trials)}
    row = rows[f"Django's longest freeze: {builds.POSTGRES}"]
    assert row["value"] == pytest.approx(1000 * max(freezes_s))
    assert (row["goal"], row["met"]) == (60.0, met)
    assert "longest of 2 interleaved rounds" in row["note"]


def test_ratios_are_medians_within_a_round() -> None:
    trials = {name: [seen(0.02), seen(0.04)] for name in builds.BUILDS} | {builds.FROZEN: [seen(0.01), seen(0.04)]}
    (row,) = [row for row in builds.figures(trials) if row["name"] == "freezing: longest freeze"]
    assert row["value"] == pytest.approx((0.01 / 0.02 + 1) / 2)
    assert "median of 2 interleaved rounds" in row["note"]
