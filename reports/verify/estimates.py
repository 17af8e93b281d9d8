"""A second way to estimates and predictions: nothing shared with ``harness.analysis``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.verify import cost

Trial = Mapping[str, Any]
Expected = tuple[float | None, tuple[float | None, float | None] | None]
NOTHING: Expected = (None, None)
CAP, FLOOR = 5 / 4, 4 / 5


def estimate(trials: Sequence[Trial], run: Mapping[str, Any]) -> Expected:
    """Return the mean over rounds with its interval, of one target's valid chat trials."""
    rounds = _rounds(trials, run).values()
    return _spread([users for users, _ in rounds], [most for _, most in rounds])


def ratio(a: Sequence[Trial], b: Sequence[Trial], run: Mapping[str, Any]) -> Expected:
    """Return the ratio paired by round; nothing where it is open what a round below would have carried."""
    above, below = _rounds(a, run), _rounds(b, run)
    pairs = [(above[n], below[n]) for n in above if n in below]
    if any(most is None for _, (_, most) in pairs):
        return NOTHING
    lowest = [x / (most or np.nan) for (x, _), (_, most) in pairs]
    return _spread(lowest, [None if most is None else most / y for (_, most), (y, _) in pairs])


def worked_out(above: Sequence[Trial], below: Sequence[Trial] | None, run: Mapping[str, Any]) -> tuple[bool, bool]:
    """Return of each end of an estimate, or of a ratio, whether users went into it that no trial observed."""
    tops, bases = _rounds(above, run), _rounds(below or (), run)
    counted = set(tops) if below is None else set(tops) & set(bases)
    low, high = ({n for n in counted & set(found) if found[n][0] != found[n][1]} for found in (bases, tops))
    return bool(low), bool(high)


def between(a: Sequence[Trial], b: Sequence[Trial] | None, run: Mapping[str, Any]) -> list[float] | None:
    """Return the means over rounds of the least and of the most, paired with those of ``b``; None where one is open."""
    above = _rounds(a, run)
    below: Mapping[int, tuple[float, float | None]] = dict.fromkeys(above, (1.0, 1.0)) if b is None else _rounds(b, run)
    both = [n for n in above if n in below]
    tops, bases = (np.array([side[n] for n in both], float).reshape(-1, 2) for side in (above, below))
    if len(both) < 2 or np.isnan(tops).any() or np.isnan(bases).any():  # nothing known is not a number here
        return None
    least, most = np.exp(np.log(tops / bases[:, ::-1]).mean(axis=0))
    return [float(least), float(most)]


def _spread(lowest: Sequence[float], most: Sequence[float | None]) -> Expected:
    """Return mean and interval; only an interval from the lowest's to the most's where the two differ."""
    if list(lowest) == list(most):
        return mean(lowest)
    if len(lowest) < 2:
        return NOTHING
    _, below = mean(lowest)
    _, above = mean([one for one in most if one is not None]) if None not in most else NOTHING
    return None, (below[0] if below else None, above[1] if above else None)


def thinking(trials: Sequence[Trial]) -> Expected:
    """Return the highest level that passed and the lowest that failed of the trials at another think time."""
    passed = [t["key"]["level"] for t in trials if t["verdict"]["outcome"] == "pass"]
    failed = [t for t in trials if t["verdict"]["outcome"] == "fail"]
    worst = min((t["key"]["level"] for t in failed), default=float("inf"))
    low = max((n for n in passed if n < worst), default=None)
    above = [t for t in failed if t["key"]["level"] > max(passed, default=0)]
    high = min((t["key"]["level"] for t in above), default=None)
    if False not in [t["verdict"]["contended"] for t in above if t["key"]["level"] == high]:
        high = None
    return low, (low, high) if low or high else None


def _rounds(trials: Sequence[Trial], run: Mapping[str, Any]) -> dict[int, tuple[float, float | None]]:
    """Per round: the users where the use of the SLO crosses 1, and the most that all CPUs of a server carry."""
    found = {}
    for number in sorted({t["key"].get("round", 0) for t in trials} - {0}):
        own = sorted((t for t in trials if t["key"]["round"] == number), key=lambda t: int(t["key"]["number"]))[-2:]
        ends = {t["verdict"]["outcome"]: t for t in own}
        if len(own) < 2 or set(ends) != {"pass", "fail"}:
            continue
        low, high = ends["pass"], ends["fail"]
        if low["key"]["level"] > high["key"]["level"]:
            continue
        uses = np.log([np.clip(_use(low, run), FLOOR, 1.0), np.clip(_use(high, run), 1.0, CAP)])
        levels = np.log([low["key"]["level"], high["key"]["level"]])
        users = float(np.exp(np.interp(0.0, uses, levels))) if uses[1] > uses[0] else float(np.exp(levels.mean()))
        share = (high["figures"].get("target_cores") or 0.0) / cost.SERVER_CPUS
        scaled = float(round(high["key"]["level"] / min(1.0, share))) if share > 0 else None
        found[number] = (users, scaled if high["verdict"]["contended"] else users)
    return found


def _use(trial: Trial, run: Mapping[str, Any]) -> float:
    f = trial["figures"]
    unfinished = (f.get("failed") or 0) + (f.get("incomplete") or 0) > 0
    shares = [np.inf]
    limits = run["profile"]["slo"]
    known = [f[name] / limit for name, limit in limits.items() if f.get(name) is not None]
    if known:
        shares = known + [np.inf for name in limits if f.get(name) is None and unfinished]
    return float(np.max(shares))


def mean(values: Sequence[float]) -> Expected:
    """Return the geometric mean of positive values and its 95 % interval, Student's t on logarithms."""
    if len(values) < 2:
        return NOTHING
    from scipy.special import stdtrit

    logs = np.log(values)
    half = float(stdtrit(len(values) - 1, 0.975)) * logs.std(ddof=1) / np.sqrt(len(values))
    centre = logs.mean()
    return float(np.exp(centre)), (float(np.exp(centre - half)), float(np.exp(centre + half)))
