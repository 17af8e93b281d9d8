"""The gate's decision on a change, from pairs of trials in batches. Decides only.

A batch is a number of pairs, base and head at the same load from fresh starts one after the other in random order. The
gate fails only when a batch's interval lies beyond the margin and so does that of a second batch, measured to confirm
it: one interval in twenty does not hold the truth.
"""

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.estimate import Mean, over_rounds
from harness.records import Trial

BASE, HEAD = "base", "head"
METRIC = "target_cpu_s_per_turn"
LEAST_PAIRS = 3  # an interval over two pairs is many times wider than their difference
BatchResult = Literal["fine", "beyond", "unclear"]
Outcome = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One trial of each side; a figure is None where that trial was invalid or recorded none."""

    batch: int
    base: float | None
    head: float | None
    base_failed: bool = False  # it missed the SLO, or died
    head_failed: bool = False
    invalid: str = ""  # why a figure is absent, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The result of a batch: head over base with its 95 % interval, None for fewer than ``LEAST_PAIRS`` whole pairs."""

    number: int
    ratio: Mean | None
    finding: BatchResult
    head_broke: bool  # head missed the SLO in every whole pair, base in none


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's answer, in words, with the batches it rests on and the ratio over all of them."""

    outcome: Outcome
    why: str
    margin: float
    batches: tuple[Batch, ...]
    ratio: Mean | None


def pair_of(batch: int, base: Trial, head: Trial) -> Pair:
    """Return what a pair of trials says; an invalid one says nothing."""
    figures = [None if t.verdict.outcome == "invalid" else t.figures.get(METRIC) for t in (base, head)]
    failed = [t.verdict.outcome == "fail" for t in (base, head)]
    reasons = [r.text for t in (base, head) if t.verdict.outcome == "invalid" for r in t.verdict.reasons]
    return Pair(
        batch=batch,
        base=figures[0],
        head=figures[1],
        base_failed=failed[0],
        head_failed=failed[1],
        invalid="; ".join(dict.fromkeys(reasons)),
    )


def order(seed: int, batch: int, number: int) -> tuple[str, str]:
    """Return which side of a pair is measured first."""
    first = random.Random(f"{seed}:{batch}:{number}").random() < 0.5  # noqa: S311  # an order, not a secret
    return (BASE, HEAD) if first else (HEAD, BASE)


def ratio_of(pairs: Sequence[Pair]) -> Mean | None:
    """Return head over base with its 95 % interval: paired t on log ratios."""
    whole = [pair.head / pair.base for pair in pairs if pair.base and pair.head]
    return over_rounds(whole) if len(whole) >= LEAST_PAIRS else None


def judged(number: int, pairs: Sequence[Pair], margin: float) -> Batch:
    """Return what the pairs of one batch say about the margin (0.05: five percent more)."""
    ratio = ratio_of(pairs)
    broke = [p.head_failed and not p.base_failed for p in pairs]
    head_broke = len(broke) >= LEAST_PAIRS and all(broke)
    if ratio is None:
        finding: BatchResult = "unclear"
    elif ratio.low > 1 + margin:
        finding = "beyond"
    else:
        finding = "fine" if ratio.high <= 1 + margin and not any(p.head_failed for p in pairs) else "unclear"
    return Batch(number=number, ratio=ratio, finding=finding, head_broke=head_broke)


def gate(margin: float) -> Generator[int, Sequence[Pair], Decision]:
    """Yield the number of the batch that is wanted, receive its pairs, return the decision."""
    pairs = list((yield 1))
    first = judged(1, pairs, margin)
    if first.finding == "fine":
        return _decided("passed", f"no more than {margin:.0%} above base", margin, (first,), pairs)
    more = list((yield 2))
    second = judged(2, more, margin)
    both = (first, second)
    if first.head_broke and second.head_broke:
        return _decided("failed", "head missed the SLO and base met it, in every pair", margin, both, pairs + more)
    if first.finding == second.finding == "beyond":
        return _decided("failed", f"more than {margin:.0%} above base, in both batches", margin, both, pairs + more)
    pooled = judged(0, pairs + more, margin)
    if first.finding == "unclear" and pooled.finding == "fine":
        return _decided(
            "passed", f"no more than {margin:.0%} above base, over both batches", margin, both, pairs + more
        )
    why = (
        "the first batch lay beyond the margin, the second did not confirm it"
        if first.finding == "beyond"
        else "too few whole pairs"
        if pooled.ratio is None
        else "head missed the SLO in some pairs"
        if any(p.head_failed for p in pairs + more)
        else f"the interval over both batches holds the margin of {margin:.0%}"
    )
    return _decided("inconclusive", why, margin, both, pairs + more)


def _decided(outcome: Outcome, why: str, margin: float, batches: tuple[Batch, ...], pairs: Sequence[Pair]) -> Decision:
    return Decision(outcome=outcome, why=why, margin=margin, batches=batches, ratio=ratio_of(pairs))


def false_alarms(pairs: Sequence[Pair], margin: float, tries: int = 2000, seed: int = 42) -> float | None:
    """Return the share of failures the gate gives where there is nothing to find, by relabelling measured pairs.

    Each try draws both batches from the pairs with replacement and calls either trial of a pair base by a coin's toss,
    so that no difference between the sides is left. None for fewer than ``LEAST_PAIRS`` whole pairs.
    """
    whole = [pair for pair in pairs if pair.base and pair.head]
    if len(whole) < LEAST_PAIRS:
        return None
    draw = random.Random(seed)  # noqa: S311  # a resampling, not a secret
    size = max(LEAST_PAIRS, len(whole) // len({pair.batch for pair in whole}))

    def batch(number: int) -> list[Pair]:
        drawn = [draw.choice(whole) for _ in range(size)]
        swapped = [(p.base, p.head) if draw.random() < 0.5 else (p.head, p.base) for p in drawn]
        return [Pair(batch=number, base=a, head=b) for a, b in swapped]

    failed = 0
    for _ in range(tries):
        deciding = gate(margin)
        number = next(deciding)
        try:
            while True:
                number = deciding.send(batch(number))
        except StopIteration as end:
            failed += end.value.outcome == "failed"
    return failed / tries
