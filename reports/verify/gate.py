"""A second way to a gate's answer, from figures worked out again: nothing shared with ``harness.analysis``."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reports.verify import estimates
from reports.verify.difference import differences

Trial = Mapping[str, Any]
Pairs = Sequence[Mapping[str, Any]]
SIDES = ("base", "head")
FIGURE = "target_cpu_s_per_turn"
FEWEST = 3  # whole pairs that give an interval
SHUFFLED, SEED = 2000, 42  # gates made of the measured pairs, sides exchanged at random
MISSING = "unsettled", "the first batch does not settle it, and there is no second"


def check(gate: Mapping[str, Any], run: Mapping[str, Any], trials: Iterable[Trial]) -> Iterator[tuple[str, str]]:
    """Yield (figure, what differs) for all of ``gate.json`` that a run's trials do not bear out.

    ``trials`` hold their figures worked out again. What was asked is in ``run.json``; an older run has it here only.
    """
    said = [pair["batch"] for pair in gate["pairs"]]
    asked = run.get("gate") or {
        "base": gate["base"],
        "head": gate["head"],
        "margin": gate["decision"]["margin"],
        "pairs": said.count(1),
    }
    pairs = _pairs(list(trials), gate["target"], asked["pairs"])
    if len(pairs) % asked["pairs"]:
        yield "pairs", f"{len(pairs)} were measured, in batches of {asked['pairs']}"
    expected = {
        "format_version": run["format_version"],
        "target": next(iter(run["targets"])).rpartition("@")[0],
        "base": asked["base"],
        "head": asked["head"],
        "users": run["common_level"],
        "decision": _decision(pairs, asked["margin"]),
        "pairs": pairs,
        "false_alarm_ratio": _false_alarms(pairs, asked["margin"]),
        "remarks": asked.get("remarks", gate.get("remarks")),  # an older run has none
    }
    yield from differences(expected, gate)


def _pairs(trials: Sequence[Trial], target: str, size: int) -> list[dict[str, Any]]:
    """Return what each pair has to say; a trial that is missing is an invalid one without a reason."""
    keyed = [(t["key"]["target"], t["key"]["repetition"], t) for t in trials if t["key"]["scenario"] == "chat"]
    sides = [{n: t for name, n, t in keyed if name == f"{target}@{side}"} for side in SIDES]
    count = max((n + 1 for made in sides for n in made), default=0)
    found = []
    for n in range(count):
        both = [made.get(n) for made in sides]
        outcomes = [trial["verdict"]["outcome"] if trial else "invalid" for trial in both]
        reasons = [
            reason["text"]
            for trial, outcome in zip(both, outcomes, strict=True)
            if trial and outcome == "invalid"
            for reason in trial["verdict"]["reasons"]
        ]
        base, head = (
            None if trial is None or outcome == "invalid" else trial["figures"].get(FIGURE)
            for trial, outcome in zip(both, outcomes, strict=True)
        )
        found.append(
            {
                "batch": 1 + n // size,
                "base": base,
                "head": head,
                "base_failed": outcomes[0] == "fail",
                "head_failed": outcomes[1] == "fail",
                "invalid": "; ".join(dict.fromkeys(reasons)),
            }
        )
    return found


def _interval(quotients: Sequence[float]) -> dict[str, Any] | None:
    if len(quotients) < FEWEST:
        return None
    value, ends = estimates.mean(quotients)
    low, high = ends or (None, None)
    return {"value": value, "low": low, "high": high, "rounds": list(quotients)}


def _quotients(pairs: Pairs) -> list[float]:
    return [pair["head"] / pair["base"] for pair in pairs if pair["base"] and pair["head"]]


def _against(interval: Mapping[str, Any] | None, most: float, *, missed: bool) -> str:
    """Say where an interval lies: all of it above ``most``, none of it with the SLO met, or neither."""
    if interval and interval["low"] > most:
        return "beyond"
    return "fine" if interval and not interval["high"] > most and not missed else "unclear"


def _batch(number: int, pairs: Pairs, margin: float) -> dict[str, Any]:
    interval = _interval(_quotients(pairs))
    missed = [pair["head_failed"] for pair in pairs]
    alone = [pair["head_failed"] and not pair["base_failed"] for pair in pairs]
    return {
        "number": number,
        "ratio": interval,
        "finding": _against(interval, 1 + margin, missed=any(missed)),
        "head_broke": len(alone) >= FEWEST and all(alone),
    }


def _decision(pairs: Pairs, margin: float) -> dict[str, Any]:
    numbers = sorted({pair["batch"] for pair in pairs})
    batches = [_batch(n, [pair for pair in pairs if pair["batch"] == n], margin) for n in numbers]
    whole = _batch(0, pairs, margin)
    outcome, why = _answer(batches, whole, any(pair["head_failed"] for pair in pairs), f"{margin:.0%}")
    return {"outcome": outcome, "why": why, "margin": margin, "batches": batches, "ratio": whole["ratio"]}


def _answer(batches: Sequence[Mapping[str, Any]], whole: Mapping[str, Any], missed: bool, by: str) -> tuple[str, str]:
    """Return outcome and words: of the answers in order, the first whose condition holds."""
    findings = [batch["finding"] for batch in batches]
    if findings[:1] == ["fine"]:
        return "passed", f"no more than {by} above base"
    if len(batches) < 2:
        return MISSING
    broke = all(batch["head_broke"] for batch in batches)
    first = findings[0]
    answers = (
        (broke, "failed", "head missed the SLO and base met it, in every pair"),
        (set(findings) == {"beyond"}, "failed", f"more than {by} above base, in both batches"),
        (
            first != "beyond" and whole["finding"] == "fine",
            "passed",
            f"no more than {by} above base, over both batches",
        ),
        (first == "beyond", "inconclusive", "the first batch lay beyond the margin, the second did not confirm it"),
        (whole["ratio"] is None, "inconclusive", "too few whole pairs"),
        (missed, "inconclusive", "head missed the SLO in some pairs"),
    )
    otherwise = "inconclusive", f"the interval over both batches holds the margin of {by}"
    return next(((outcome, why) for holds, outcome, why in answers if holds), otherwise)


def _false_alarms(pairs: Pairs, margin: float) -> float | None:
    """Return the share of failures among gates of pairs drawn with replacement, either trial called base by a coin.

    The draws are those that the gate states: a seed, a batch's pairs first, then their coins.
    """
    quotients, batches = _quotients(pairs), {p["batch"] for p in pairs if p["base"] and p["head"]}
    if len(quotients) < FEWEST:
        return None
    draw = random.Random(SEED)  # noqa: S311  # a resampling, not a secret
    size = max(FEWEST, len(quotients) // len(batches))

    def finding() -> str:
        drawn = [draw.choice(quotients) for _ in range(size)]
        tossed = [one if draw.random() < 0.5 else 1 / one for one in drawn]
        return _against(_interval(tossed), 1 + margin, missed=False)

    failed = 0
    for _ in range(SHUFFLED):
        first = finding()
        if first != "fine":
            failed += first == finding() == "beyond"
    return failed / SHUFFLED
