"""The gate's decisions: on pairs whose truth is known, and on changes that are not there."""

import random
from collections.abc import Sequence
from math import exp

import pytest

from harness.analysis.gate import BASE, HEAD, Decision, Pair, false_alarms, gate, judged, order, pair_of
from harness.records import Reason, TrialKey, Verdict
from tests.doubles import trials

MARGIN = 0.05


def batch(number: int, *ratios: float, **changes: bool) -> list[Pair]:
    return [Pair(batch=number, base=0.02, head=0.02 * ratio, **changes) for ratio in ratios]


def decide(*batches: Sequence[Pair]) -> tuple[Decision, int]:
    deciding = gate(MARGIN)
    asked = [next(deciding)]
    try:
        for one in batches:
            asked.append(deciding.send(one))
    except StopIteration as end:
        return end.value, len(asked)
    raise AssertionError(f"still asks for batch {asked[-1]}")


SAME = batch(1, 1.00, 1.01, 0.99, 1.00, 1.01)
DEARER = batch(1, 1.20, 1.21, 1.19, 1.22, 1.20)
WIDE = batch(1, 0.90, 1.20, 1.00, 1.10, 0.95)


def test_a_change_within_the_margin_passes_after_one_batch() -> None:
    decision, asked = decide(SAME)
    assert (decision.outcome, asked) == ("passed", 1)


def test_a_dearer_head_fails_only_once_a_second_batch_confirms_it() -> None:
    decision, asked = decide(DEARER, batch(2, 1.19, 1.20, 1.22))
    assert (decision.outcome, asked) == ("failed", 2)
    assert decision.ratio is not None
    assert decision.ratio.value == pytest.approx(1.2, rel=0.02)


def test_what_the_second_batch_does_not_confirm_is_inconclusive() -> None:
    decision, _ = decide(DEARER, SAME)
    assert decision.outcome == "inconclusive"
    assert "did not confirm" in decision.why


def test_an_unclear_batch_passes_when_both_together_lie_within_the_margin() -> None:
    decision, _ = decide(batch(1, 1.00, 1.08, 0.97, 1.00, 1.02), batch(2, *[1.0, 1.005, 0.995, 1.0] * 3))
    assert decision.outcome == "passed"


def test_an_interval_that_holds_the_margin_is_inconclusive() -> None:
    decision, _ = decide(WIDE, WIDE)
    assert decision.outcome == "inconclusive"


def test_a_cheaper_head_passes() -> None:
    assert decide(batch(1, 0.80, 0.81, 0.79))[0].outcome == "passed"


def test_too_few_whole_pairs_are_inconclusive() -> None:
    lost = [Pair(batch=1, base=None, head=0.02) for _ in range(5)]
    decision, _ = decide(lost, lost)
    assert (decision.outcome, decision.why) == ("inconclusive", "too few whole pairs")


def test_a_head_that_misses_its_slo_in_every_pair_fails_whatever_it_costs() -> None:
    broken = batch(1, 0.9, 0.9, 0.9, head_failed=True)
    assert decide(broken, broken)[0].outcome == "failed"
    assert decide(broken, SAME)[0].outcome == "inconclusive"


def test_a_head_that_misses_where_base_misses_too_is_no_fault_of_heads() -> None:
    both = batch(1, 1.0, 1.0, 1.0, head_failed=True, base_failed=True)
    assert decide(both, both)[0].outcome == "inconclusive"


def test_an_invalid_trial_gives_no_figure() -> None:
    key = TrialKey(target="a", scenario="chat", level=10, repetition=0, number=1)
    good, bad = (
        trials.trial(key, Verdict(outcome="pass")),
        trials.trial(key, Verdict(outcome="invalid", reasons=(Reason(code="invalid.steal", text="stolen"),))),
    )
    assert pair_of(1, good, bad) == Pair(batch=1, base=0.02, head=None, invalid="stolen")


def test_both_orders_occur() -> None:
    assert {order(42, 1, n) for n in range(20)} == {(BASE, HEAD), (HEAD, BASE)}


def test_the_gate_seldom_fails_where_nothing_changed_and_nearly_always_where_much_did() -> None:
    draw = random.Random(3)

    def measured(number: int, change: float) -> list[Pair]:
        return [
            Pair(batch=number, base=0.02 * exp(draw.gauss(0, 0.02)), head=0.02 * change * exp(draw.gauss(0, 0.02)))
            for _ in range(5)
        ]

    outcomes = {change: [_run(lambda n, c=change: measured(n, c)) for _ in range(300)] for change in (1.0, 1.2)}
    assert outcomes[1.0].count("failed") == 0
    assert outcomes[1.2].count("failed") >= 290


def _run(measured) -> str:
    deciding = gate(MARGIN)
    number = next(deciding)
    try:
        while True:
            number = deciding.send(measured(number))
    except StopIteration as end:
        return end.value.outcome


def test_false_alarms_by_relabelling_leave_no_difference_between_the_sides() -> None:
    assert false_alarms(DEARER[:2], MARGIN) is None
    quiet = false_alarms(SAME, MARGIN, tries=200)
    assert quiet == 0
    # a difference of 20 % in every pair is, with the labels tossed, noise of 20 %: hardly ever beyond twice
    assert (false_alarms(DEARER, MARGIN, tries=500) or 0) < 0.05


def test_a_batch_of_wide_pairs_is_unclear() -> None:
    assert judged(1, WIDE, MARGIN).finding == "unclear"
