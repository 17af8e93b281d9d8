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
        yield from _cell(cell, runs, speeds)
    there = {cell["id"] for cell in pooled["cells"]}
    having = Counter(cell_id for run, trials in runs for cell_id in counted.due(run, trials, tuple(pooled["pair"])))
    yield from ((cell_id, f"is absent, {n} sessions have it") for cell_id, n in having.items() if cell_id not in there)
    yield from ((one, "stands there, no session has it") for one in there if one not in having and not _scaled(one))
    capacities = [one.partition("/")[2] for one in having if one.startswith(f"{CAPACITY}/") and " / " not in one]
    yield from _witnesses(pooled, capacities, runs, speeds)


def _scaled(cell_id: str) -> bool:
    """Tell if a cell is a capacity at reference speed, which no session has by itself."""
    return cell_id.startswith(f"{AT_REFERENCE}/")


def _cell(cell: Mapping[str, Any], runs: Sequence[tuple[Mapping[str, Any], Trials]], speeds: Sequence[Any]) -> Any:
    measure, _, target = cell["id"].partition("/")
    of = f"{CAPACITY}/{target}" if measure == AT_REFERENCE else cell["id"]
    known: list[counted.Reading] = []
    soft = of.partition("/")[0] in cells.WORKED_OUT
    for said, (run, trials), found in zip(cell["readings"], runs, speeds, strict=True):
        value, bound = counted.reading(of, run, trials) or (None, False)
        if measure == AT_REFERENCE and value is not None:
            value, bound = (value / found["median"], bound) if found else (None, False)
        if not same(said["value"], value) or said["at_least"] != bound:
            yield cell["id"], f"of {run['run_id']}: printed {said['value']}, the samples give {value}"
        if value is None:
            continue
        marked = soft and not bound and any(cells.worked_out(of, run, trials))
        if marked != said.get("worked_out", False):
            yield cell["id"], f"of {run['run_id']}: worked out is {not marked}, the samples say {marked}"
        known.append((value, bound))
    yield from ((cell["id"], text) for text in _totals(cell, known))


def _totals(cell: Mapping[str, Any], known: Sequence[counted.Reading]) -> Iterator[str]:
    """Yield what is wrong with a cell's figures over the sessions that count."""
    centre, *ranges = over_sessions([v for v, _ in known], open_above=any(b for _, b in known))
    if not same(cell["value"], centre):
        yield f"value: printed {cell['value']}, the samples give {centre}"
    again = {"sessions": len(known) if centre else 0, "at_least": bool(centre) and any(b for _, b in known)}
    for name, value in again.items():
        if cell[name] != value:
            yield f"{name}: printed {cell[name]}, the samples give {value}"
    for name, ends in zip(("interval", "next_session"), ranges, strict=True):
        if not _all_same(cell[name], ends):
            yield f"{name}: printed {cell[name]}, the samples give {ends}"


def _all_same(printed: Sequence[float] | None, again: Sequence[float] | None) -> bool:
    if printed is None or again is None:
        return printed is again
    return len(printed) == len(again) and all(map(same, printed, again))


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
    pooled: Mapping[str, Any],
    capacities: Sequence[str],
    runs: Sequence[tuple[Mapping[str, Any], Trials]],
    speeds: Sequence[Any],
) -> Iterator[tuple[str, str]]:
    """Check each witness of the spread, and that capacities at reference speed stand there only where it is shown.

    ``capacities``: the targets that a session has a capacity of.
    """
    left_by: dict[str, list[bool]] = {}
    printed = {(one["name"], one["target"]): one for one in pooled["witnesses"]}
    for name, target in dict.fromkeys([*((n, t) for t in capacities for n in (FIXED_WORK, CO_RUNNERS)), *printed]):
        place, users, factors = f"{name}/{target}", list[float](), list[float]()
        for (run, trials), found in zip(runs, speeds, strict=True):
            factor = _factor(name, target, trials, found)
            value, bound = counted.reading(f"{CAPACITY}/{target}", run, trials) or (None, True)
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
