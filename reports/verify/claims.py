"""A second way to the judgements on claims: from trials worked out again, nothing shared with ``harness.analysis``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from reports.verify import asked
from reports.verify.asked import THINK_TIMES_S, Ask
from reports.verify.difference import same

Trial = Mapping[str, Any]
Trials = Mapping[str, Trial]
Range = tuple[float | None, float | None, int, int]  # ends, and the trials that each rests on
EDGE_SD, SESSION_SD = 0.12, 0.2  # of logarithms
RARE = 1 / 20
ENOUGH = 2
NEAR = 1.05
CLOSE = 2e-3  # two ways to the same integral
MEASURES = {"cpu_ratio": "target_cpu_s_per_turn", "added_ttft_ratio": "added_ttft_p95_s"}
IDLE_SHARE = 0.5  # of the cores used: with more of them idle, the rest tells nothing
COMPARED_AT_ONCE = 3  # intervals of a claim that share one chance of 5 % to be wrong
OF_A_LINE = ("quantity", "direction", "threshold", "think_s", "tried")


class Line(NamedTuple):
    """One line that a judgement's basis has to have; a prediction was not tried."""

    ask: Ask
    found: Range
    think_s: float | None = None
    tried: bool = True


def check(table: Mapping[str, Any], run: Mapping[str, Any], trials: Trials) -> Iterator[tuple[str, str]]:
    """Yield (claim, what differs) for every judgement that the trials do not bear out."""
    due = asked.claimed(run["targets"])
    for claim in table["claims"]:
        names = due.get(claim["id"])
        if "basis" not in claim:
            yield claim["id"], "names no basis: an earlier chatbench wrote it; rebuild it: chatbench report"
        elif names is None and not claim["targets"]:
            continue  # an earlier chatbench wrote down claims about nothing, too
        elif names is None or tuple(claim["targets"]) != names:
            yield f"{claim['id']}.targets", f"printed {claim['targets']}, in this run it is about {names}"
        else:
            yield from _check(claim, _sides(names, run, trials), run)
    judged = {claim["id"] for claim in table["claims"]}
    yield from ((claim, "is not in the table") for claim in due if claim not in judged)


def _sides(names: Sequence[str], run: Mapping[str, Any], trials: Trials) -> list[list[Trial]]:
    """Return each target's valid trials; none where the run lacks a target or measures no capacity."""
    judged = run["profile"].get("capacity", True) and all(name in run["targets"] for name in names)
    valid = [t for t in trials.values() if judged and t["verdict"]["outcome"] != "invalid"]
    return [[t for t in valid if t["key"]["target"] == name] for name in names]


def _check(
    claim: Mapping[str, Any], sides: Sequence[Sequence[Trial]], run: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    place, asks = claim["id"], asked.asks_of(claim["id"])
    alone = len(sides) == 1
    lines = _of_users(asks[0], sides[0], run) if alone else _of_two(asks, sides, run)
    printed = [_head(*(one[name] for name in OF_A_LINE)) for one in claim["basis"]]
    again = [_head(*line.ask, line.think_s, line.tried) for line in lines]
    if printed != again:
        yield f"{place}.basis", f"printed {printed}, the trials give {again}"
        return
    for one, line in zip(claim["basis"], lines, strict=True):
        ends = (one["low"], one["high"], one["low_trials"], one["high_trials"])
        if not _alike(ends, line.found):
            yield f"{place}.{line.ask.quantity}", f"printed {list(ends)}, the samples give {list(line.found)}"
    judged = judgement(claim["basis"])
    if claim["judgement"] != judged:
        yield f"{place}.judgement", f"printed {claim['judgement']!r}, its basis gives {judged!r}"
    said, turn_s = claim.get("turn_s"), _turn_s(asks[0], sides[0], run) if alone and lines else None
    if not all(same(a, b) for a, b in zip(said or (None, None), turn_s or (None, None), strict=True)):
        yield f"{place}.turn_s", f"printed {said}, the samples give {turn_s}"


def _head(quantity: str, direction: str, threshold: float, think_s: float | None, tried: bool) -> tuple[object, ...]:
    return quantity, direction, threshold, None if think_s is None else round(think_s, 6), tried


def _alike(printed: Range, again: Range) -> bool:
    if printed[2:] != again[2:]:
        return False
    pairs = list(zip(printed[:2], again[:2], strict=True))
    return all((a is None) == (b is None) for a, b in pairs) and all(
        abs(a - b) <= CLOSE * abs(b) + 1e-9 for a, b in pairs if a is not None and b is not None
    )


# A number of users


def _of_users(ask: Ask, mine: Sequence[Trial], run: Mapping[str, Any]) -> list[Line]:
    """Return the lines of a number of users: think times that were tried, then the predictions for others."""
    thinks = sorted({_there_s(t, run) for t in mine if t["key"]["scenario"] in ("chat", "think")})
    told = [(think_s, verdicts) for think_s in thinks if (verdicts := _verdicts(think_s, mine, run))]
    tried = [Line(ask, users(verdicts, SESSION_SD), think_s) for think_s, verdicts in told]
    if not tried:
        return []
    others = [one for one in THINK_TIMES_S if all(abs(np.log(one / there)) >= np.log(NEAR) for there, _ in told)]
    expected = [Line(ask, _expected(think_s, mine, run), think_s, tried=False) for think_s in others]
    return [*tried, *(line for line in expected if line.found[0])]


def _think_s(run: Mapping[str, Any], median: float | None = None) -> float:
    think = run["profile"]["think_s"]
    return float((think["median"] if median is None else median) * np.exp(think["sigma"] ** 2 / 2))


def _there_s(trial: Trial, run: Mapping[str, Any]) -> float:
    """Return the mean think time of a trial."""
    key = trial["key"]
    return _think_s(run, key["parameter"] if key["scenario"] == "think" else None)


def _verdicts(think_s: float, mine: Sequence[Trial], run: Mapping[str, Any]) -> list[tuple[int, bool]]:
    """Return the verdicts under closed load at one mean think time.

    A failure of a contended machine counts only if it asked for more turns a second than the capacity's upper end.
    """
    from reports.verify.cells import capacity

    _, most = capacity([t for t in mine if t["key"]["scenario"] == "chat"])
    most_per_s = np.inf if most is None else most / (_answer_s(run) + _think_s(run))
    found = []
    for t in mine:
        level = t["key"]["level"]
        if t["key"]["scenario"] not in ("chat", "think"):
            continue
        there_s = _there_s(t, run)
        told = not t["verdict"]["contended"] or level / (_answer_s(run) + there_s) > most_per_s
        if told and abs(there_s - think_s) <= 1e-6 * think_s:
            found.append((level, t["verdict"]["outcome"] == "pass"))
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
    answer_s, per_s = _throughput(mine, run)
    there = [None if rate is None else rate * (answer_s + think_s) for rate in per_s]
    return there[0], there[1], 0, 0


def _turn_s(ask: Ask, mine: Sequence[Trial], run: Mapping[str, Any]) -> tuple[float | None, float] | None:
    """Return the think times from which both ends' throughput is enough for so many users, the upper end's first."""
    answer_s, (least, most) = _throughput(mine, run)
    if not least:
        return None
    longest_s = max(0.0, ask.threshold / least - answer_s)
    return (max(0.0, ask.threshold / most - answer_s) if most else None), longest_s


def _throughput(mine: Sequence[Trial], run: Mapping[str, Any]) -> tuple[float, tuple[float | None, float | None]]:
    """Return the mean time of a turn at the capacity, and the turns a second at both ends of its bracket."""
    from reports.verify.cells import capacity

    chat = [t for t in mine if t["key"]["scenario"] == "chat"]
    low, high = capacity(chat)
    passed = [t["figures"] for t in chat if t["key"]["level"] == low and t["verdict"]["outcome"] == "pass"]
    turns = [f["turn_mean_s"] if "turn_mean_s" in f else f.get("turn_p50_s") for f in passed]
    known = [turn_s for turn_s in turns if turn_s is not None]
    answer_s = float(np.mean(known)) if known else _answer_s(run)
    each_s = answer_s + _think_s(run)
    return answer_s, (None if low is None else low / each_s, None if high is None else high / each_s)


def _answer_s(run: Mapping[str, Any]) -> float:
    answer = run["profile"]["answer"]
    first = answer["ttft_s"]["median"] * np.exp(answer["ttft_s"]["sigma"] ** 2 / 2)
    tokens = answer["tokens"]["median"] * np.exp(answer["tokens"]["sigma"] ** 2 / 2)
    if quantiles := answer.get("tokens_quantiles"):
        ends = np.asarray(quantiles, float)
        tokens = float(np.mean((ends[1:] + ends[:-1]) / 2))
    return float(first + tokens * answer["itl_s"])


# Two targets


def _of_two(asks: Sequence[Ask], sides: Sequence[Sequence[Trial]], run: Mapping[str, Any]) -> list[Line]:
    """Return a line for each quantity that was measured on both sides."""
    found = [(ask, _compared(ask.quantity, sides, run)) for ask in asks if sides]
    return [Line(ask, one) for ask, one in found if one is not None]


def _compared(quantity: str, sides: Sequence[Sequence[Trial]], run: Mapping[str, Any]) -> Range | None:
    first, second = sides
    if quantity == "capacity_ratio":
        above, below = (_verdicts(_think_s(run), side, run) for side in (first, second))
        return ratio(above, below) if above and below else None
    if quantity == "session_bytes_difference":
        one, other = _session(first), _session(second)
        return _difference(one, other) if one and other else None
    over, under = (_common(side, quantity, run) for side in (first, second))
    return _means(over, under) if over and under else None


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


def _session(mine: Sequence[Trial]) -> Range | None:
    from reports.verify.cells import _slope

    idle = [t for t in mine if t["key"]["scenario"] == "idle"]
    _, bracket = _slope(idle)
    return (*bracket, len(idle), len(idle)) if bracket else None


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
    everywhere = reached <= THINK_TIMES_S[0] * NEAR
    nowhere = missed >= THINK_TIMES_S[-1] / NEAR
    if not everywhere and not nowhere:
        return "not settled"
    return "supported" if everywhere == (tried[0]["direction"] == "at least") else "refuted"


def _beyond(end: float | None, count: int) -> bool:
    return end is not None and count >= ENOUGH
