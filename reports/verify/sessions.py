"""A second way to a pooled result: from the samples of every run, nothing shared with ``harness.analysis``."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.results import POOLED_FILE, RUN_FILE, TRIAL_FILE
from reports.verify import cells, speed
from reports.verify.difference import Difference, read_json, same

Trials = Mapping[str, Mapping[str, Any]]
FEWEST, LEFT = 5, 0.5  # sessions to judge by, and the share of the spread that may be left
FIXED_WORK = "the fixed work"
CAPACITY, ESTIMATE, AT_REFERENCE = "capacity_users", "capacity_estimate_users", "capacity_at_reference_users"


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
        yield from _cell(cell, runs, speeds)
    yield from _witnesses(pooled, runs, speeds)


def _cell(cell: Mapping[str, Any], runs: Sequence[tuple[Mapping[str, Any], Trials]], speeds: Sequence[Any]) -> Any:
    measure, _, target = cell["id"].partition("/")
    of = f"{CAPACITY}/{target}" if measure == AT_REFERENCE else cell["id"]
    counted: list[tuple[float, bool]] = []
    for said, (run, trials), found in zip(cell["readings"], runs, speeds, strict=True):
        if said["value"] is None:
            continue  # why it does not count is in the run's own report, whose words are compared
        value, bound = _reading(of, run, trials)
        if measure == AT_REFERENCE:
            value /= found["median"]
        if not same(said["value"], value) or said["at_least"] != bound:
            yield cell["id"], f"of {run['run_id']}: printed {said['value']}, the samples give {value}"
        counted.append((value, bound))
    centre, *ranges = over_sessions([v for v, _ in counted], open_above=any(b for _, b in counted))
    if not same(cell["value"], centre):
        yield cell["id"], f"value: printed {cell['value']}, the samples give {centre}"
    for name, ends in zip(("interval", "next_session"), ranges, strict=True):
        if not _all_same(cell[name], ends):
            yield cell["id"], f"{name}: printed {cell[name]}, the samples give {ends}"


def _all_same(printed: Sequence[float] | None, again: Sequence[float] | None) -> bool:
    if printed is None or again is None:
        return printed is again
    return len(printed) == len(again) and all(map(same, printed, again))


def _reading(cell_id: str, run: Mapping[str, Any], trials: Trials) -> tuple[float, bool]:
    """Return a session's value, and whether it is a lower bound only."""
    value, around = cells.expected(cell_id, run, trials)
    measure = cell_id.partition("/")[0]
    if measure == CAPACITY or measure.startswith("think_") or (measure == ESTIMATE and value is None):
        low, high = around or (None, None)
        return (float(low or 0), True) if high is None else (float(np.sqrt((low or 0) * high)), False)
    return float("nan") if value is None else float(value), False


def over_sessions(
    values: Sequence[float], *, open_above: bool = False
) -> tuple[float | None, list[float] | None, list[float] | None]:
    """Return the geometric mean, its 95 % interval, and the range of one more value; Student's t on logarithms."""
    if not values or min(values) <= 0:
        return None, None, None
    from scipy.special import stdtrit

    logs = np.log(values)
    centre = float(np.exp(logs.mean()))
    if len(values) < 2 or open_above:
        return centre, None, None
    reach = float(stdtrit(len(values) - 1, 0.975)) * float(logs.std(ddof=1))
    ends = [
        [float(centre * np.exp(sign * reach * np.sqrt(share))) for sign in (-1, 1)]
        for share in (1 / len(values), 1 + 1 / len(values))
    ]
    return centre, ends[0], ends[1]


def _witnesses(
    pooled: Mapping[str, Any], runs: Sequence[tuple[Mapping[str, Any], Trials]], speeds: Sequence[Any]
) -> Iterator[tuple[str, str]]:
    """Check each witness of the spread, and that capacities at reference speed stand there only where it is shown."""
    left_by: dict[str, list[bool]] = {}
    for one in pooled["witnesses"]:
        place, capacity = f"{one['name']}/{one['target']}", f"{CAPACITY}/{one['target']}"
        readings = next(cell["readings"] for cell in pooled["cells"] if cell["id"] == capacity)
        users: list[float] = []
        factors: list[float] = []
        for said, (run, trials), found in zip(readings, runs, speeds, strict=True):
            factor = _factor(one["name"], one["target"], trials, found)
            if factor is not None and said["value"] is not None and not said["at_least"]:
                users.append(_reading(capacity, run, trials)[0])
                factors.append(factor)
        spreads = [_spread(users), _spread([a * b for a, b in zip(users, factors, strict=True)])]
        for name, again in (("users", users), ("factors", factors)):
            if not _all_same(one[name], again):
                yield place, f"{name}: printed {one[name]}, the samples give {again}"
        for name, value in zip(("spread", "spread_left"), spreads, strict=True):
            if not same(one[name], value):
                yield place, f"{name}: printed {one[name]}, the samples give {value}"
        raw, left = (value or 0.0 for value in spreads)
        left_by.setdefault(one["name"], []).append(len(users) >= FEWEST and left <= LEFT * raw)
    shown = any(cell["id"].startswith(AT_REFERENCE) for cell in pooled["cells"])
    if shown != all(left_by.get(FIXED_WORK, [False])):
        yield AT_REFERENCE, "stands there, or does not, against what the spreads say"


def _spread(values: Sequence[float]) -> float | None:
    return float(np.log(values).std(ddof=1)) if len(values) > 1 else None


def _factor(name: str, target: str, trials: Trials, found: Mapping[str, float] | None) -> float | None:
    """Return what a session's users are multiplied by."""
    if name == FIXED_WORK:
        return 1 / found["median"] if found else None
    chat = [
        t
        for t in trials.values()
        if (t["key"]["target"], t["key"]["scenario"]) == (target, "chat") and t["verdict"]["outcome"] != "invalid"
    ]
    low, high = cells.capacity(chat)
    near = [t["figures"] for t in chat if t["key"]["level"] >= (low or 0) and (not high or t["key"]["level"] <= high)]
    both = [[f.get("generator_cpu_s_per_turn"), f.get("model_cpu_s_per_turn")] for f in near]
    costs = np.array([pair for pair in both if None not in pair], float).reshape(-1, 2).sum(axis=1)
    return float(np.median(costs)) if len(costs) else None
