"""A second way to the judgements on claims: from trials worked out again, nothing shared with ``harness.analysis``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Trial = Mapping[str, Any]
Trials = Mapping[str, Trial]
Range = tuple[float | None, float | None, int, int]  # ends, and the trials that each rests on
EDGE_SD, SESSION_SD = 0.12, 0.2  # of logarithms
RARE = 1 / 20
ENOUGH = 2
JUDGED_FROM_S, JUDGED_TO_S = 3.0, 100.0
NEAR = 1.05
CLOSE = 2e-3  # two ways to the same integral
MEASURES = {"cpu_ratio": "target_cpu_s_per_turn", "added_ttft_ratio": "added_ttft_p95_s"}
IDLE_SHARE = 0.5  # of the cores used: with more of them idle, the rest tells nothing
COMPARED_AT_ONCE = 3  # intervals of a claim that share one chance of 5 % to be wrong


def check(table: Mapping[str, Any], run: Mapping[str, Any], trials: Trials) -> Iterator[tuple[str, str]]:
    """Yield (claim, what differs) for every judgement that the trials do not bear out."""
    for claim in table["claims"]:
        if "basis" not in claim:
            yield claim["id"], "names no basis: an earlier chatbench wrote it; rebuild it: chatbench report"
            continue
        for one in claim["basis"]:
            place = f"{claim['id']}.{one['quantity']}"
            again = _again(one, claim["targets"], run, trials)
            printed = (one["low"], one["high"], one["low_trials"], one["high_trials"])
            if not _alike(printed, again):
                yield place, f"printed {list(printed)}, the samples give {list(again)}"
        judged = judgement(claim["basis"])
        if claim["judgement"] != judged:
            yield f"{claim['id']}.judgement", f"printed {claim['judgement']!r}, its basis gives {judged!r}"


def _alike(printed: Range, again: Range) -> bool:
    if printed[2:] != again[2:]:
        return False
    pairs = list(zip(printed[:2], again[:2], strict=True))
    return all((a is None) == (b is None) for a, b in pairs) and all(
        abs(a - b) <= CLOSE * abs(b) + 1e-9 for a, b in pairs if a is not None and b is not None
    )


def _again(one: Mapping[str, Any], targets: Sequence[str], run: Mapping[str, Any], trials: Trials) -> Range:
    sides = [[t for t in trials.values() if t["key"]["target"] == name] for name in targets]
    sides = [[t for t in side if t["verdict"]["outcome"] != "invalid"] for side in sides]
    quantity = one["quantity"]
    if quantity == "capacity_users":
        if one["tried"]:
            return users(_verdicts(one["think_s"], sides[0], run), SESSION_SD)
        return _expected(one["think_s"], sides[0], run)
    if quantity == "capacity_ratio":
        return ratio(*(_verdicts(_think_s(run), side, run) for side in sides))
    if quantity == "session_bytes_difference":
        return _difference(*(_session(side) for side in sides))
    return _means(*(_common(side, quantity, run) for side in sides))


# A number of users


def _think_s(run: Mapping[str, Any], median: float | None = None) -> float:
    think = run["profile"]["think_s"]
    return float((think["median"] if median is None else median) * np.exp(think["sigma"] ** 2 / 2))


def _verdicts(think_s: float, mine: Sequence[Trial], run: Mapping[str, Any]) -> list[tuple[int, bool]]:
    """Return the verdicts under closed load at one mean think time.

    A failure of a contended machine counts only if it asked for more turns a second than the capacity's upper end.
    """
    from reports.verify.cells import capacity

    _, most = capacity([t for t in mine if t["key"]["scenario"] == "chat"])
    most_per_s = np.inf if most is None else most / (_answer_s(run) + _think_s(run))
    found = []
    for t in mine:
        key = t["key"]
        if key["scenario"] not in ("chat", "think"):
            continue
        there_s = _think_s(run, key["parameter"] if key["scenario"] == "think" else None)
        told = not t["verdict"]["contended"] or key["level"] / (_answer_s(run) + there_s) > most_per_s
        if told and abs(there_s - think_s) < 1e-6 * think_s:
            found.append((key["level"], t["verdict"]["outcome"] == "pass"))
    return found


def users(verdicts: Sequence[tuple[int, bool]], session_sd: float, rare: float = RARE) -> Range:
    """Return the capacities under which these verdicts are not rare, by Gauss-Hermite quadrature and root finding."""
    from scipy.optimize import brentq, minimize_scalar
    from scipy.special import log_ndtr, logsumexp

    if not verdicts:
        return None, None, 0, 0
    levels = np.log([level for level, _ in verdicts])
    signs = np.where([passed for _, passed in verdicts], 1.0, -1.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80) if session_sd else (np.zeros(1), np.ones(1))
    reach = 10 * np.hypot(EDGE_SD, session_sd)

    def rarity(edge: float) -> float:
        edges = edge + session_sd * nodes
        each = log_ndtr(signs * (edges[:, None] - levels) / EDGE_SD).sum(axis=1)
        return -float(logsumexp(each, b=weights / weights.sum()))

    inside = (levels.min() - reach, levels.max() + reach)
    if signs.min() == signs.max():
        best = inside[1] if signs[0] > 0 else inside[0]
    else:
        best = float(minimize_scalar(rarity, bounds=inside, method="bounded", options={"xatol": 1e-9}).x)
    limit = rarity(best) - np.log(rare)
    ends = [
        float(np.exp(brentq(lambda edge: rarity(edge) - limit, outside, best))) if sign in signs else None
        for sign, outside in ((1.0, inside[0]), (-1.0, inside[1]))
    ]
    low, high = ends
    spread = float(np.exp(EDGE_SD))
    passes = sum(passed and low is not None and level * spread >= low for level, passed in verdicts)
    fails = sum(not passed and high is not None and level <= high * spread for level, passed in verdicts)
    return low, high, passes, fails


def _expected(think_s: float, mine: Sequence[Trial], run: Mapping[str, Any]) -> Range:
    """Return the bracket carried over to another think time: throughput times (turn + think time)."""
    from reports.verify.cells import capacity

    chat = [t for t in mine if t["key"]["scenario"] == "chat"]
    low, high = capacity(chat)
    passed = [t["figures"] for t in chat if t["key"]["level"] == low and t["verdict"]["outcome"] == "pass"]
    turns = [f["turn_mean_s"] if "turn_mean_s" in f else f.get("turn_p50_s") for f in passed]
    known = [turn_s for turn_s in turns if turn_s is not None]
    answer_s = float(np.mean(known)) if known else _answer_s(run)
    per_s = [None if end is None else end / (answer_s + _think_s(run)) for end in (low, high)]
    there = [None if rate is None else rate * (answer_s + think_s) for rate in per_s]
    return there[0], there[1], 0, 0


def _answer_s(run: Mapping[str, Any]) -> float:
    answer = run["profile"]["answer"]
    first = answer["ttft_s"]["median"] * np.exp(answer["ttft_s"]["sigma"] ** 2 / 2)
    tokens = answer["tokens"]["median"] * np.exp(answer["tokens"]["sigma"] ** 2 / 2)
    if quantiles := answer.get("tokens_quantiles"):
        ends = np.asarray(quantiles, float)
        tokens = float(np.mean((ends[1:] + ends[:-1]) / 2))
    return float(first + tokens * answer["itl_s"])


# Two targets


def ratio(above: Sequence[tuple[int, bool]], below: Sequence[tuple[int, bool]]) -> Range:
    """Return the ratios under which both targets' verdicts together are not rare.

    What may be rare is shared out between the two sides: an end is where the share makes it lie farthest out.
    """
    low, fewest_low = _farthest(above, below)
    least, fewest_high = _farthest(below, above)
    return low, None if least is None else 1 / least, fewest_low, fewest_high


def _farthest(above: Sequence[tuple[int, bool]], below: Sequence[tuple[int, bool]]) -> tuple[float | None, int]:
    """Return the lowest plausible ratio, and the trials it rests on."""
    from scipy.optimize import minimize_scalar

    if not any(passed for _, passed in above) or all(passed for _, passed in below):
        return None, 0

    def sides(share: float) -> tuple[Range, Range]:
        return users(above, 0.0, RARE**share), users(below, 0.0, RARE ** (1 - share))

    def apart(share: float) -> float:
        (low, *_), (_, high, *_) = sides(share)
        return float(np.log((low or np.nan) / (high or np.nan)))

    best = minimize_scalar(apart, bounds=(0, 1), method="bounded", options={"xatol": 1e-3})
    (_, _, passes, _), (_, _, _, fails) = sides(float(best.x))
    return float(np.exp(best.fun)), min(passes, fails)


def _difference(first: Range, second: Range) -> Range:
    """Return what the second target's sessions take more than the first's."""
    low = second[0] - first[1] if second[0] is not None and first[1] is not None else None
    high = second[1] - first[0] if second[1] is not None and first[0] is not None else None
    return low, high, min(second[2], first[3]), min(second[3], first[2])


def _session(mine: Sequence[Trial]) -> Range:
    from reports.verify.cells import _slope

    idle = [t for t in mine if t["key"]["scenario"] == "idle"]
    _, bracket = _slope(idle)
    return (*(bracket or (None, None)), len(idle), len(idle))


def _common(mine: Sequence[Trial], quantity: str, run: Mapping[str, Any]) -> list[float]:
    """Return a figure of the trials at the common load; CPU time without that of as long a time without users."""
    at = [t for t in mine if t["key"]["scenario"] == "chat" and t["key"]["level"] == run["common_level"]]
    parts = ("stopped_early", "unsettled")
    at = [t["figures"] for t in at if t["figures"] and not any((t["summary"] or {}).get(name) for name in parts)]
    if quantity != "cpu_ratio":
        return [value for f in at if (value := f.get(MEASURES[quantity])) is not None]
    quiet = [t["figures"].get("idle_cores") for t in mine if t["key"]["scenario"] == "idle"]
    known = [cores for cores in quiet if cores is not None]
    used = [f.get("target_cores") or 0.0 for f in at]
    if not known or not used or np.median(known) > IDLE_SHARE * min(used):
        return []
    turns_per_s = [
        cores / each_s if (each_s := f.get(MEASURES[quantity])) else None for f, cores in zip(at, used, strict=True)
    ]
    return [float(cores - np.median(known)) / rate for cores, rate in zip(used, turns_per_s, strict=True) if rate]


def _means(above: Sequence[float], below: Sequence[float]) -> Range:
    """Return the ratio of geometric means with Student's t on logarithms, by scipy's own test."""
    from scipy.stats import ttest_ind

    fewest = min(len(above), len(below))
    if fewest < 2 or min(*above, *below) <= 0:
        return None, None, fewest, fewest
    found = ttest_ind(np.log(above), np.log(below)).confidence_interval(1 - RARE / COMPARED_AT_ONCE)
    return float(np.exp(found.low)), float(np.exp(found.high)), fewest, fewest


# Judgement


def judgement(basis: Sequence[Mapping[str, Any]]) -> str:
    """Return the judgement that intervals and thresholds add up to."""
    tried = [one for one in basis if one["tried"]]
    if not tried:
        return "not measured"
    above = [one for one in tried if _beyond(one["low"], one["low_trials"]) and one["low"] >= one["threshold"]]
    below = [one for one in tried if _beyond(one["high"], one["high_trials"]) and one["high"] < one["threshold"]]
    if tried[0]["think_s"] is None:
        good = [one for one in above if one["direction"] == "at least"]
        good += [one for one in below if one["direction"] == "below"]
        bad = len(above) + len(below) - len(good)
        return "depends" if good and bad else "supported" if good else "refuted" if bad else "not settled"
    reached = min((one["think_s"] for one in above), default=np.inf)
    missed = max((one["think_s"] for one in below), default=-np.inf)
    if above and below:
        return "depends" if missed < reached else "not settled"
    everywhere = reached <= JUDGED_FROM_S * NEAR
    nowhere = missed >= JUDGED_TO_S / NEAR
    if not everywhere and not nowhere:
        return "not settled"
    return "supported" if everywhere == (tried[0]["direction"] == "at least") else "refuted"


def _beyond(end: float | None, count: int) -> bool:
    return end is not None and count >= ENOUGH
