"""Several runs of the same conditions as one result: every figure over sessions, the ratio of capacities first."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness import results
from harness.analysis import sessions, speed
from harness.analysis.sessions import Power, Witness
from harness.errors import UsageError
from harness.records import FORMAT_VERSION, Run, to_json
from harness.records.machine import VARIES
from reports.cells.cell import Cell
from reports.compare.pooled_cell import CAPACITY, ESTIMATE, RATIO, PooledCell, Session, pooled_cell, reading
from reports.compare.runs import Apart, conditions_apart
from reports.compare.witnesses import FIXED_WORK, at_reference, powers_of, verdict, went, witnesses_of
from reports.content.report import Report, assemble, conditions_list
from reports.content.table import row_of
from reports.evidence import conditions


@dataclass(frozen=True, kw_only=True)
class PooledReport:
    """Several sessions as one result; ``powers``: how CPU time per turn goes with the machine's speed, by target."""

    sessions: tuple[Session, ...]
    cells: tuple[PooledCell, ...]
    witnesses: tuple[Witness, ...]
    powers: Mapping[str, Power]

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
        explained = (verdict(name, helps, self.witnesses) for name, helps in self.explained.items())
        return (*explained, *(went(target, power) for target, power in self.powers.items()))

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
            "cpu_per_turn_by_speed": {target: to_json(power) for target, power in self.powers.items()},
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
    witnesses, powers = tuple(witnesses_of(found, cells)), powers_of(found, cells)
    if sessions.explains(witnesses).get(FIXED_WORK):
        beside = max(place for place, cell in enumerate(cells, start=1) if cell.measure == CAPACITY)
        cells[beside:beside] = at_reference(found, cells)
    return PooledReport(sessions=tuple(found), cells=tuple(cells), witnesses=witnesses, powers=powers)


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
        files = conditions.files(base.targets[name]), conditions.files(head.targets[name])
        if all(files) and files[0] != files[1]:
            yield Apart(f"target {name}: files", *files)
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


def _rank(cell: Cell) -> int:
    """Order cells: ratios of capacities, capacities, everything else as in the run's own table."""
    if cell.id.partition("/")[0] not in (CAPACITY, ESTIMATE):
        return 2
    return 0 if RATIO in cell.target else 1


def _told(cell: Cell | None) -> str:
    return "–" if cell is None else cell.short or cell.text
