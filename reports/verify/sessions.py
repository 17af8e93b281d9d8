"""A second way to a pooled result: from the samples of every run, nothing shared with ``harness.analysis``."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.results import POOLED_FILE, RUN_FILE, TRIAL_FILE
from reports.verify import cells, counted, speed
from reports.verify.difference import Difference, read_json, same

Trials = Mapping[str, Mapping[str, Any]]
FEWEST, LEFT = 5, 0.5  # sessions to judge by, and the share of the spread that may be left
APART = 0.01  # of logarithms of speeds, all repetitions together: closer ones tell nothing
LEVELS = 10**9  # more than there can be in one session
FIXED_WORK, CO_RUNNERS = "the fixed work", "CPU time per turn of load generator and model"
CAPACITY, AT_REFERENCE = "capacity_users", "capacity_at_reference_users"


def check(folder: Path) -> Iterator[Difference]:
    """Yield what differs between a pooled result and the samples of its runs.

    Raises:
        BenchError: a run has another results format.
    """
    from reports.verify.run import from_samples

    pooled = read_json(folder / POOLED_FILE)
    if isinstance(pooled, str):
        yield Difference(place=POOLED_FILE, figure="file", text=pooled)
        return
    runs: list[tuple[Mapping[str, Any], Trials]] = []
    findings: list[Difference] = []
    folders = [folder / str(named.get("folder", "")) for named in pooled.get("runs", ())]
    for named, place in zip(pooled.get("runs", ()), folders, strict=True):
        run = read_json(place / RUN_FILE)
        if isinstance(run, str):
            findings.append(Difference(place=f"{named.get('folder')}/{RUN_FILE}", figure="file", text=run))
            continue
        if digest(place) != named.get("sha256"):
            text = "the SHA-256 over its records differs from the recorded one"
            findings.append(Difference(place=POOLED_FILE, figure=str(named.get("run_id")), text=text))
        wrong, proven = from_samples(place, run)
        findings += [Difference(place=f"{run['run_id']}/{d.place}", figure=d.figure, text=d.text) for d in wrong]
        runs.append((run, proven))
    if not findings:
        try:
            findings = [Difference(place=POOLED_FILE, figure=f, text=t) for f, t in _numbers(pooled, runs)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            text = f"is not a pooled result as chatbench writes it: {type(error).__name__}: {error}"
            findings = [Difference(place=POOLED_FILE, figure="file", text=text)]
    yield from findings
    if not findings:
        from reports.verify import wording

        yield from wording.of_sessions(folder, pooled, folders)


def digest(folder: Path) -> str:
    """Return the SHA-256 of ``run.json`` followed by each ``trial.json`` in the order of their paths."""
    paths = [folder / RUN_FILE, *sorted(folder.glob(f"trials/*/*/*/{TRIAL_FILE}"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _numbers(pooled: Mapping[str, Any], runs: Sequence[tuple[Mapping[str, Any], Trials]]) -> Iterator[tuple[str, str]]:
    """Yield (figure, what differs) for every number of a pooled result."""
    speeds = [speed.of_run(trials) for _, trials in runs]
    for named, found in zip(pooled["runs"], speeds, strict=True):
        for name in ("median", "low", "high", "trials"):
            said = (named["speed"] or {}).get(name)
            if not same(said, (found or {}).get(name)):
                yield f"{named['run_id']}: machine speed", f"{name}: printed {said}, the samples give {found}"
    for cell in pooled["cells"]:
        yield from _cell(cell, runs)
    there = {cell["id"] for cell in pooled["cells"]}
    having = Counter(cell_id for run, trials in runs for cell_id in counted.due(run, trials, tuple(pooled["pair"])))
    yield from ((cell_id, f"is absent, {n} sessions have it") for cell_id, n in having.items() if cell_id not in there)
    yield from ((one, "stands there, no session has it") for one in there if one not in having and not _scaled(one))
    capacities = [one.partition("/")[2] for one in having if one.startswith(f"{CAPACITY}/") and " / " not in one]
    yield from _witnesses(pooled, capacities, runs)
    yield from _by_speed(pooled["cpu_per_turn_by_speed"], capacities, runs)


def _scaled(cell_id: str) -> bool:
    """Tell if a cell is a capacity at reference speed, which no session has by itself."""
    return cell_id.startswith(f"{AT_REFERENCE}/")


def _cell(cell: Mapping[str, Any], runs: Sequence[tuple[Mapping[str, Any], Trials]]) -> Iterator[tuple[str, str]]:
    measure, _, target = cell["id"].partition("/")
    of = f"{CAPACITY}/{target}" if measure == AT_REFERENCE else cell["id"]
    known: list[counted.Reading] = []
    for said, (run, trials) in zip(cell["readings"], runs, strict=True):
        again = counted.reading(of, run, trials)
        if measure == AT_REFERENCE and again:
            pace = speed.of_run(_near(target, trials))
            again = (again[0] / pace["median"], again[1] / pace["median"], again[2]) if pace else None
        least, most, bound = again or (None, None, False)
        printed = said["between"] or [said["value"]] * 2
        if not _all_same(printed, [least, most]) or said["at_least"] != bound:
            yield cell["id"], f"of {run['run_id']}: printed {_one(printed)}, the samples give {_one([least, most])}"
        known += [again] if again else []
    yield from ((cell["id"], text) for text in _totals(cell, known))


def _one(ends: Sequence[float | None]) -> object:
    """Return a value that is known, else what it lies between."""
    return ends[0] if ends[0] == ends[1] else ends


def _totals(cell: Mapping[str, Any], known: Sequence[counted.Reading]) -> Iterator[str]:
    """Yield what is wrong with a cell's figures over the sessions that count."""
    least, most, *ranges = over_sessions([] if cell.get("unit") == "ratio" else known)  # no logarithms of shares
    again = {
        "value": least if least == most else None,
        "sessions": len(known) if least else 0,
        "at_least": bool(least) and any(bound for *_, bound in known),
    }
    for name, value in again.items():
        if not same(cell[name], value):
            yield f"{name}: printed {cell[name]}, the samples give {value}"
    known_ends: list[Sequence[float | None] | None] = [None if least == most else [least, most], *ranges]
    for name, ends in zip(("between", "interval", "next_session"), known_ends, strict=True):
        if not _all_same(cell[name], ends):
            yield f"{name}: printed {cell[name]}, the samples give {ends}"


def _all_same(printed: Sequence[float | None] | None, again: Sequence[float | None] | None) -> bool:
    if printed is None or again is None:
        return printed is again
    return len(printed) == len(again) and all(map(same, printed, again))


Totals = tuple[float | None, float | None, list[float] | None, list[float] | None]


def over_sessions(known: Sequence[counted.Reading]) -> Totals:
    """Return the geometric means of the least and of the most, the 95 % interval around both, and that of one more.

    Student's t on logarithms.
    """
    open_above = any(bound for *_, bound in known)
    table = np.array([(least, least if open_above else most) for least, most, _ in known]).reshape(-1, 2)
    if not len(table) or table.min() <= 0:
        return None, None, None, None
    from scipy.special import stdtrit

    logs = np.log(table)
    centres = logs.mean(axis=0)
    least = float(np.exp(centres[0]))
    most = float(np.exp(centres[1])) if (table[:, 0] != table[:, 1]).any() else least
    if len(table) < 2 or open_above:
        return least, most, None, None
    reach = np.array([-1, 1]) * stdtrit(len(table) - 1, 0.975) * logs.std(axis=0, ddof=1)
    around, ahead = (
        [float(end) for end in np.exp(centres + reach * np.sqrt(ahead_too + 1 / len(table)))] for ahead_too in (0, 1)
    )
    return least, most, around, ahead


def _witnesses(
    pooled: Mapping[str, Any],
    capacities: Sequence[str],
    runs: Sequence[tuple[Mapping[str, Any], Trials]],
) -> Iterator[tuple[str, str]]:
    """Check each witness of the spread, and that capacities at reference speed stand there only where it is shown.

    ``capacities``: the targets that a session has a capacity of.
    """
    left_by: dict[str, list[bool]] = {}
    printed = {(one["name"], one["target"]): one for one in pooled["witnesses"]}
    for name, target in dict.fromkeys([*((n, t) for t in capacities for n in (FIXED_WORK, CO_RUNNERS)), *printed]):
        place, users, factors = f"{name}/{target}", list[float](), list[float]()
        for run, trials in runs:
            factor = _factor(name, target, trials)
            value, _, bound = counted.reading(f"{CAPACITY}/{target}", run, trials) or (None, None, True)
            if factor is not None and value is not None and not bound:
                users.append(value)
                factors.append(factor)
        one = printed.get((name, target))
        if one is None:
            if users:
                yield place, f"is absent, {len(users)} sessions have it"
            continue
        spreads = [_spread(users), _spread([a * b for a, b in zip(users, factors, strict=True)])]
        for part, again in (("users", users), ("factors", factors)):
            if not _all_same(one[part], again):
                yield place, f"{part}: printed {one[part]}, the samples give {again}"
        for part, value in zip(("spread", "spread_left"), spreads, strict=True):
            if not same(one[part], value):
                yield place, f"{part}: printed {one[part]}, the samples give {value}"
        raw, left = (value or 0.0 for value in spreads)
        left_by.setdefault(name, []).append(len(users) >= FEWEST and left <= LEFT * raw)
    shown = {cell["id"] for cell in pooled["cells"] if _scaled(cell["id"])}
    due = {f"{AT_REFERENCE}/{target}" for target in capacities if all(left_by.get(FIXED_WORK, [False]))}
    yield from ((one, "stands there, or does not, against what the spreads say") for one in sorted(shown ^ due))


def _spread(values: Sequence[float]) -> float | None:
    return float(np.log(values).std(ddof=1)) if len(values) > 1 else None


def _factor(name: str, target: str, trials: Trials) -> float | None:
    """Return what a session's users are multiplied by, from the trials that the capacity rests on."""
    near = _near(target, trials)
    if name == FIXED_WORK:
        pace = speed.of_run(near)
        return 1 / pace["median"] if pace else None
    figures = [t["figures"] for t in near.values()]
    both = [[f.get("generator_cpu_s_per_turn"), f.get("model_cpu_s_per_turn")] for f in figures]
    costs = np.array([pair for pair in both if None not in pair], float).reshape(-1, 2).sum(axis=1)
    return float(np.median(costs)) if len(costs) else None


def _chat(target: str, trials: Trials) -> Trials:
    return {
        path: t
        for path, t in trials.items()
        if (t["key"]["target"], t["key"]["scenario"]) == (target, "chat") and t["verdict"]["outcome"] != "invalid"
    }


def _near(target: str, trials: Trials) -> Trials:
    """Return the valid trials at and between both ends of a capacity; all from the lower one on where it is open."""
    chat = _chat(target, trials)
    low, high = cells.capacity(list(chat.values()))
    return {path: t for path, t in chat.items() if (low or 0) <= t["key"]["level"] <= (high or np.inf)}


def _by_speed(
    printed: Mapping[str, Any], capacities: Sequence[str], runs: Sequence[tuple[Mapping[str, Any], Trials]]
) -> Iterator[tuple[str, str]]:
    """Check how CPU time per turn goes with the machine's speed over repetitions of a level in one session."""
    for target in dict.fromkeys([*capacities, *printed]):
        points = [
            (number * LEVELS + t["key"]["level"], pace, cost_s)
            for number, (_, trials) in enumerate(runs)
            for t in _chat(target, trials).values()
            if (pace := speed.of_trial(t) if t.get("speed") else None)
            and (cost_s := t["figures"].get("target_cpu_s_per_turn"))
        ]
        said, again = printed.get(target), power(np.array(points, float).reshape(-1, 3))
        if (said is None) != (again is None) or not all(same((said or {}).get(n), v) for n, v in (again or {}).items()):
            yield f"{target}: CPU time per turn by speed", f"printed {said}, the samples give {again}"


def power(points: np.ndarray[Any, Any]) -> dict[str, float] | None:
    """Return the power of the second column that the third one follows among rows of the same first one, which repeat.

    Least squares with a column for each group of rows; None where the second column hardly differs inside of any.
    """
    kinds, of, count = np.unique(points[:, 0], return_inverse=True, return_counts=True)
    rows = count[of] > 1
    group, (x, y) = points[rows, 0], np.log(points[rows, 1:]).T
    columns = np.column_stack([x, *(group == kind for kind in kinds[count > 1])])
    freedom = len(x) - columns.shape[1]
    if freedom < 1:
        return None
    left = x - columns[:, 1:] @ np.linalg.lstsq(columns[:, 1:], x, rcond=None)[0]
    if left @ left < APART**2:
        return None
    from scipy.special import stdtrit

    found = np.linalg.lstsq(columns, y, rcond=None)[0]
    rest = y - columns @ found
    half = stdtrit(freedom, 0.975) * np.sqrt(rest @ rest / freedom / (left @ left))
    ends = {"value": found[0], "low": found[0] - half, "high": found[0] + half, "trials": len(x)}
    return {name: float(one) for name, one in ends.items()}
