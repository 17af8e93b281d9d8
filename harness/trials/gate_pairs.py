"""Measuring for the gate: base and head of one target in pairs, batch by batch, until it decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.analysis.gate import BASE, HEAD, Decision, Pair, gate, order, pair_of
from harness.records import TrialKey
from harness.runtimes.protocol import Prepared
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial

SCENARIO = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The measurement's subject: base and head of a target, and the number of pairs in a batch."""

    context: TrialContext
    sides: Mapping[str, Prepared]  # ``base`` and ``head``
    pairs: int
    tell: Callable[[str], None]


def decide(pairing: Pairing, margin: float) -> tuple[Decision, list[Pair]]:
    """Measure batches of pairs until the gate decides; return its decision with all pairs."""
    deciding = gate(margin)
    number = next(deciding)
    measured: list[Pair] = []
    try:
        while True:
            batch = _batch(pairing, number)
            measured += batch
            number = deciding.send(batch)
            pairing.tell(f"batch {number - 1} does not settle it; measuring a second one")
    except StopIteration as end:
        decision: Decision = end.value
        return decision, measured


def _batch(pairing: Pairing, batch: int) -> list[Pair]:
    profile, pairs = pairing.context.profile, []
    for n in range(pairing.pairs):
        made = {}
        for side in order(profile.seed, batch, n):
            repetition = (batch - 1) * pairing.pairs + n
            key = TrialKey(
                target=pairing.sides[side].target.name,
                scenario=SCENARIO,
                level=profile.search.base_users,
                repetition=repetition,
                number=repetition + 1,
            )
            made[side] = run_trial(pairing.context, pairing.sides[side], key)
        pairs.append(pair_of(batch, made[BASE], made[HEAD]))
        pairing.tell(f"  pair {n + 1} of {pairing.pairs}: {_in_words(pairs[-1])}")
    return pairs


def _in_words(pair: Pair) -> str:
    if pair.base is None or pair.head is None:
        return f"left out: {pair.invalid or 'a trial recorded no CPU time'}"
    texts = [f"{1000 * value:.2f} ms" for value in (pair.base, pair.head)]
    return f"CPU per turn {texts[0]} at base, {texts[1]} at head, × {pair.head / pair.base:.3f}"
