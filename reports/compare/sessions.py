"""Several runs of the same conditions as one result: every figure over sessions, the ratio of capacities first."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from harness import results
from harness.analysis import sessions, speed
from harness.analysis.figure import figure
from harness.analysis.sessions import Pooled, Reading, Witness
from harness.analysis.speed import SessionSpeed
from harness.errors import UsageError
from harness.records import FORMAT_VERSION, Run, Trial, to_json
from harness.records.machine import VARIES
from reports.cells.cell import Cell
from reports.compare.runs import Apart, conditions_apart
from reports.content.report import Report, assemble, conditions_list
from reports.evidence import conditions
from reports.numbers import as_text, significant, span
from reports.pages.files import row_of

CAPACITY, ESTIMATE, AT_REFERENCE = "capacity_users", "capacity_estimate_users", "capacity_at_reference_users"
FIXED_WORK, CO_RUNNERS = "the fixed work", "CPU time per turn of load generator and model"
RATIO = " / "


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run as part of a pooled result; ``sha256`` is over ``run.json`` and every ``trial.json``."""

    report: Report
    sha256: str
    speed: SessionSpeed | None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.report.run.run_id

    def cell(self, cell_id: str) -> Cell | None:
        """Return a cell of the run's table."""
        return self.report.table.cell(cell_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledCell:
    """One figure over sessions, of which one at least has a value.

    Attributes:
        readings: Each session's value in the order of the sessions; None where it has none to count.
        texts: What each session's own report says.
    """

    id: str
    label: str
    target: str
    unit: str | None
    pooled: Pooled | None
    readings: tuple[Reading | None, ...]
    texts: tuple[str, ...]

    @property
    def measure(self) -> str:
        """The name of the figure."""
        return self.id.partition("/")[0]

    @property
    def suffix(self) -> str | None:
        """The unit behind a number, as the run's own table prints it."""
        return self.unit if RATIO in self.target else figure(self.measure.rpartition(".")[2]).suffix

    @property
    def short(self) -> str:
        """The value; the range over sessions where one is not positive, so that there is no mean on logarithms."""
        if self.pooled is None:
            values = [one.value for one in self.readings if one]
            return span(min(values), max(values), self.suffix)
        text = as_text(self.pooled.value, self.suffix)
        return f"≥ {text}" if self.pooled.at_least else text

    @property
    def interval(self) -> str:
        """The 95 % interval over sessions; – without one."""
        return span(*self.pooled.interval, self.suffix) if self.pooled and self.pooled.interval else "–"

    @property
    def following(self) -> str:
        """The range predicted for the next session; – without one."""
        return span(*self.pooled.following, self.suffix) if self.pooled and self.pooled.following else "–"

    @property
    def counted(self) -> str:
        """How many sessions count, and how many of them with a reservation."""
        return self._count + self._reservations

    @property
    def _count(self) -> str:
        there = sum(one is not None for one in self.readings)
        return str(there) if there == len(self.readings) else f"{there} of {len(self.readings)}"

    @property
    def _reservations(self) -> str:
        there = [one for one in self.readings if one]
        bounds, worked_out = sum(one.at_least for one in there), sum(one.worked_out for one in there)
        text = f", {bounds} as lower bounds" if bounds else ""
        return f"{text}, {worked_out} with a worked-out end" if worked_out else text

    @property
    def text(self) -> str:
        """The whole result in words."""
        sessions = f"{self._count} sessions{self._reservations}"
        if self.pooled is None:
            return f"{self.short} (range over {sessions}: not all are positive)"
        if self.pooled.interval is None:
            return f"{self.short} ({sessions})"
        tie = RATIO in self.target and self.pooled.interval[0] <= 1 <= self.pooled.interval[1]
        return (
            f"{'tie: ' if tie else ''}{self.short} (95 % interval {self.interval}; "
            f"next session {self.following}; {sessions})"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the cell as plain data."""
        return {
            "id": self.id,
            "label": self.label,
            "target": self.target,
            "value": self.pooled.value if self.pooled else None,
            "unit": self.unit,
            "interval": list(self.pooled.interval) if self.pooled and self.pooled.interval else None,
            "next_session": list(self.pooled.following) if self.pooled and self.pooled.following else None,
            "at_least": bool(self.pooled and self.pooled.at_least),
            "sessions": self.pooled.sessions if self.pooled else 0,
            "text": self.text,
            "counted": self.counted,
            "readings": [
                {
                    "value": one.value if one else None,
                    "at_least": bool(one and one.at_least),
                    "worked_out": bool(one and one.worked_out),
                    "text": text,
                }
                for one, text in zip(self.readings, self.texts, strict=True)
            ],
        }


@dataclass(frozen=True, kw_only=True)
class PooledReport:
    """Several sessions as one result."""

    sessions: tuple[Session, ...]
    cells: tuple[PooledCell, ...]
    witnesses: tuple[Witness, ...]

    @property
    def first(self) -> Report:
        """The report whose conditions all sessions share."""
        return self.sessions[0].report

    def cell(self, cell_id: str) -> PooledCell | None:
        """Return a cell by its id."""
        return next((cell for cell in self.cells if cell.id == cell_id), None)

    @property
    def title(self) -> str:
        """What was pooled, in a few words."""
        return f"{len(self.sessions)} sessions of {', '.join(self.first.table.targets)}"

    @cached_property
    def headline(self) -> str:
        """The result in one sentence or two, the ratio first."""
        table = self.first.table
        pair = f"{table.modular}{RATIO}{table.monolithic}"
        ratio = next((c for m in (ESTIMATE, CAPACITY) if (c := self.cell(f"{m}/{pair}")) and c.pooled), None)
        measure = ratio.measure if ratio else CAPACITY
        carried = [c for name in table.targets if (c := self.cell(f"{measure}/{name}")) and c.pooled]
        said = [f"Modular ÷ monolithic: {ratio.text}."] if ratio else []
        if carried:
            users = ", ".join(f"{cell.target} {cell.text}" for cell in carried)
            said.append(f"Capacity within the SLO at {self.first.terms.think}: {users}.")
        return " ".join(said) or "No capacity was measured in these sessions."

    @cached_property
    def explained(self) -> Mapping[str, bool | None]:
        """What brings the sessions together, by name of the witness."""
        return sessions.explains(self.witnesses)

    @property
    def speed_words(self) -> tuple[str, ...]:
        """What the machine's speed explains of the differences between sessions, in sentences."""
        if not self.witnesses:
            return ("These runs did not record the machine's speed: nothing is known of what makes them differ.",)
        return tuple(_verdict(name, helps, self.witnesses) for name, helps in self.explained.items())

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """What all sessions share, as (name, value in words)."""
        lists = [dict(conditions_list(one.report)) for one in self.sessions]
        shared = [(name, text) for name, text in lists[0].items() if all(one.get(name) == text for one in lists)]
        machine = {key: value for key, value in self.first.run.machine.items() if key not in VARIES}
        return [(n, t) for n, t in shared if n != "Machine"] + [("Machine", conditions.fingerprint(machine))]

    def as_json(self, into: Path) -> dict[str, Any]:
        """Return the result as plain data: ``pooled.json``, whose paths are relative to its folder ``into``."""
        return {
            "format_version": FORMAT_VERSION,
            "headline": self.headline,
            "pair": [self.first.table.modular, self.first.table.monolithic],
            "runs": [
                {
                    "run_id": one.run_id,
                    "created_at": one.report.run.created_at,
                    "folder": Path(os.path.relpath(one.report.folder, into)).as_posix(),
                    "sha256": one.sha256,
                    "speed": to_json(one.speed) if one.speed else None,
                }
                for one in self.sessions
            ],
            "cells": [cell.as_json() for cell in self.cells],
            "witnesses": [
                {
                    "name": one.name,
                    "target": one.target,
                    "users": list(one.raw),
                    "factors": list(one.factors),
                    "spread": one.spreads[0],
                    "spread_left": one.spreads[1],
                }
                for one in self.witnesses
            ],
            "speed": list(self.speed_words),
            "conditions": dict(self.conditions),
        }


def pool(folders: Sequence[Path]) -> PooledReport:
    """Read several runs and pool them.

    Raises:
        UsageError: a run is named twice or is a gate's, or runs differ in profile, targets, versions, runtime or
            kind of machine; names every run, field and value.
        BenchError: a run cannot be read.
    """
    runs = [results.read_run(folder) for folder in folders]
    wrong = list(_apart(runs))
    if wrong:
        raise UsageError(
            "these runs do not make one result:\n" + "\n".join(f"  {line}" for line in wrong),
            "pool runs of one profile, the same targets and versions, and one kind of machine",
        )
    found = sorted((_session(folder) for folder in folders), key=lambda one: one.report.run.created_at)
    cells = list(_cells(found))
    witnesses = tuple(_witnesses(found, cells))
    if sessions.explains(witnesses).get(FIXED_WORK):
        beside = max(place for place, cell in enumerate(cells, start=1) if cell.measure == CAPACITY)
        cells[beside:beside] = _at_reference(found, cells)
    return PooledReport(sessions=tuple(found), cells=tuple(cells), witnesses=witnesses)


def _apart(runs: Sequence[Run]) -> Iterator[str]:
    """Yield in words what keeps runs from being sessions of one result."""
    ids = [run.run_id for run in runs]
    yield from (f"{name} is named {ids.count(name)} times" for name in dict.fromkeys(ids) if ids.count(name) > 1)
    yield from (f"{run.run_id} is a gate's: its trials compare two revisions" for run in runs if run.gate)
    first = runs[0]
    for run in runs[1:]:
        for one in (*conditions_apart(first, run), *_versions_apart(first, run)):
            yield f"{run.run_id}: {one.field} is {one.head!r}, in {first.run_id} {one.base!r}"


def _versions_apart(base: Run, head: Run) -> Iterator[Apart]:
    if base.runtime != head.runtime:
        yield Apart("runtime", base.runtime, head.runtime)
    if base.tool_version != head.tool_version:
        yield Apart("chatbench", base.tool_version, head.tool_version)
    if set(base.targets) != set(head.targets):
        yield Apart("targets", ", ".join(sorted(base.targets)), ", ".join(sorted(head.targets)))
    for name in sorted(set(base.targets) & set(head.targets)):
        sides = to_json(base.targets[name]), to_json(head.targets[name])
        parts = conditions.versions(base.targets[name]), conditions.versions(head.targets[name])
        if parts[0] != parts[1]:
            yield Apart(f"target {name}: versions", *parts)
        for key in sorted(set(sides[0]) - {"parts"}):
            if sides[0][key] != sides[1][key]:
                yield Apart(f"target {name}: {key}", sides[0][key], sides[1][key])


def _session(folder: Path) -> Session:
    report = assemble(folder)
    return Session(report=report, sha256=digest(folder), speed=speed.of_session([t for _, t in report.trials]))


def digest(folder: Path) -> str:
    """Return the SHA-256 over ``run.json`` and every ``trial.json``, which hold the hashes of all samples."""
    found = hashlib.sha256()
    for path in (folder / results.RUN_FILE, *sorted(folder.glob(f"trials/*/*/*/{results.TRIAL_FILE}"))):
        found.update(path.read_bytes())
    return found.hexdigest()


def _cells(found: Sequence[Session]) -> Iterator[PooledCell]:
    """Yield every figure of load that a session has a number of; the ratio of capacities first."""
    shown: dict[str, Cell] = {}
    for session in found:
        for cell in session.report.table.cells:
            if row_of(cell)[0] == "Scalability" and reading(cell):
                shown.setdefault(cell.id, cell)
    for cell in sorted(shown.values(), key=_rank):
        readings = tuple(reading(session.cell(cell.id)) for session in found)
        texts = tuple(_told(session.cell(cell.id)) for session in found)
        yield pooled_cell(cell.id, cell.label, cell.target, cell.unit, readings, texts)


def pooled_cell(
    cell_id: str,
    label: str,
    target: str,
    unit: str | None,
    readings: tuple[Reading | None, ...],
    texts: tuple[str, ...],
) -> PooledCell:
    """Return a figure over sessions from each session's value."""
    known = [one for one in readings if one]
    found = sessions.pooled(known) if known else None
    return PooledCell(id=cell_id, label=label, target=target, unit=unit, pooled=found, readings=readings, texts=texts)


def _rank(cell: Cell) -> int:
    """Order cells: ratios of capacities, capacities, everything else as in the run's own table."""
    if cell.id.partition("/")[0] not in (CAPACITY, ESTIMATE):
        return 2
    return 0 if RATIO in cell.target else 1


def reading(cell: Cell | None) -> Reading | None:
    """Return a session's value of a figure; a bracket counts by its geometric middle, an open one as a lower bound."""
    if cell is None or cell.verdict in ("invalid", "inconclusive", "none", "not measured"):
        return None
    measure = cell.id.partition("/")[0]
    if measure == CAPACITY or measure.startswith("think_") or (measure == ESTIMATE and cell.value is None):
        return sessions.middle(*(cell.bracket or (None, None)), worked_out=any(cell.worked_out))
    return None if cell.value is None else Reading(value=cell.value)


def _told(cell: Cell | None) -> str:
    return "–" if cell is None else cell.short or cell.text


def _witnesses(found: Sequence[Session], cells: Sequence[PooledCell]) -> Iterator[Witness]:
    """Yield for each target what the fixed work and the tools' own CPU time make of its capacities."""
    for cell in cells:
        if cell.measure != CAPACITY or RATIO in cell.target:
            continue
        factors = {
            FIXED_WORK: [1 / one.speed.median if one.speed else None for one in found],
            CO_RUNNERS: [co_runners_s(one, cell.id) for one in found],
        }
        for name, values in factors.items():
            both = [
                (value, factor)
                for value, factor in zip(cell.readings, values, strict=True)
                if value and not value.at_least and factor is not None
            ]
            if both:
                users, known = zip(*((value.value, factor) for value, factor in both), strict=True)
                yield Witness(name=name, target=cell.target, raw=users, factors=known)


def co_runners_s(session: Session, cell_id: str) -> float | None:
    """Return the CPU seconds of load generator and model per turn, the median over the trials a capacity rests on."""
    cell = session.cell(cell_id)
    trials = dict(session.report.trials)
    costs = [_beside_s(trials[path]) for path in (cell.rests_on if cell else ())]
    known = [cost for cost in costs if cost is not None]
    return median(known) if known else None


def _beside_s(trial: Trial) -> float | None:
    both = [trial.figures.get(f"{name}_cpu_s_per_turn") for name in ("generator", "model")]
    known = [value for value in both if value is not None]
    return sum(known) if len(known) == len(both) else None


def _at_reference(found: Sequence[Session], cells: Sequence[PooledCell]) -> Iterator[PooledCell]:
    """Yield the capacities at the speed of the reference."""
    for cell in cells:
        if cell.measure != CAPACITY or RATIO in cell.target:
            continue
        readings = tuple(
            replace(value, value=value.value / session.speed.median) if value and session.speed else None
            for value, session in zip(cell.readings, found, strict=True)
        )
        texts = tuple("–" if one is None else as_text(one.value, cell.unit) for one in readings)
        label = figure(AT_REFERENCE).label
        yield pooled_cell(f"{AT_REFERENCE}/{cell.target}", label, cell.target, cell.unit, readings, texts)


def _verdict(name: str, helps: bool | None, witnesses: Sequence[Witness]) -> str:
    """Say what a witness explains."""
    mine = [one for one in witnesses if one.name == name]
    if helps is None:
        there = min(len(one.raw) for one in mine)
        return (
            f"Whether {name} explains the differences between sessions is not settled: "
            f"{there} sessions have it, {sessions.SETTLED_SESSIONS} are needed."
        )
    spreads = "; ".join(f"{one.target} from {_percent(one.spreads[0])} to {_percent(one.spreads[1])}" for one in mine)
    does = "explains" if helps else "does not explain"
    return f"{name[0].upper()}{name[1:]} {does} the differences between sessions. Spread with it taken out: {spreads}."


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{significant(100 * value)} %"
