"""Two runs side by side: the same targets elsewhere (in containers, on another day), cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.analysis.registry import figure
from harness.errors import UsageError
from harness.records import Run, machine_differences, to_json
from reports.cells.cell import Cell
from reports.content.report import Report, assemble
from reports.evidence import conditions
from reports.evidence.components import cpu_s_per_turn, idle_cores
from reports.numbers import as_text
from reports.pages.files import markdown_table

if TYPE_CHECKING:
    from rich.console import Console

ABSENT = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measure of one target in both runs."""

    target: str
    label: str
    base: str
    head: str


class Apart(NamedTuple):
    """One condition in which two runs differ."""

    field: str
    base: object
    head: object


def compare(base: Path, head: Path, *, allow_different_conditions: bool = False) -> tuple[Report, Report, list[Line]]:
    """Read two runs and set their cells side by side.

    Raises:
        UsageError: they share no target, or were made on different machines or with different profiles or seeds (unless
            ``allow_different_conditions`` says that this is meant); names what differs.
    """
    reports = assemble(base), assemble(head)
    runs = reports[0].run, reports[1].run
    wrong = differences(*runs)
    if wrong and not allow_different_conditions:
        raise UsageError(
            f"{runs[0].run_id} and {runs[1].run_id} cannot stand in one table: {wrong[0]}",
            "measure both under the same conditions, or say that this is meant: --allow-different-conditions",
        )
    shared = [name for name in runs[0].targets if name in runs[1].targets]
    if not shared:
        raise UsageError(
            f"{runs[0].run_id} and {runs[1].run_id} share no target", "name two runs that measured the same target"
        )
    lines = [line for name in shared for line in _lines(name, reports)]
    return *reports, lines


def differences(base: Run, head: Run) -> list[str]:
    """Return in words what differs between the conditions of two runs besides their runtime."""
    return [
        f"{one.field} is {one.base!r} in one, {one.head!r} in the other"
        if ": " in one.field
        else f"{one.field}: {one.base} and {one.head}"
        for one in conditions_apart(base, head)
    ]


def conditions_apart(base: Run, head: Run) -> list[Apart]:
    """Return what differs between the conditions of two runs besides their runtime, versions and targets."""
    profiles = to_json(base.profile), to_json(head.profile)
    found = [
        Apart(f"machine: {key}", base.machine.get(key), head.machine.get(key))
        for key in machine_differences(base.machine, head.machine)
    ]
    found += [
        Apart(f"profile: {key}", profiles[0][key], profiles[1][key])
        for key in sorted(set(profiles[0]) - {"purpose"})  # words for people: nothing is measured by them
        if profiles[0][key] != profiles[1][key]
    ]
    if base.seed != head.seed:
        found.append(Apart("seed", base.seed, head.seed))
    if base.workers != head.workers:
        found.append(Apart("generator processes", base.workers, head.workers))
    return found


def _lines(target: str, reports: tuple[Report, Report]) -> list[Line]:
    lines = [
        Line(target=target, label=label, base=texts[0], head=texts[1])
        for label, *texts in (
            ("Runtime", *(report.run.runtime for report in reports)),
            ("Versions", *(conditions.versions(report.run.targets[target]) for report in reports)),
            ("Files (SHA-256)", *(conditions.files(report.run.targets[target]) or ABSENT for report in reports)),
            ("Budget as enforced", *(_limits(report, target) for report in reports)),
        )
        if set(texts) != {ABSENT}
    ]
    cells = [_cells(report, target) for report in reports]
    labels = dict.fromkeys(label for found in cells for label in found)
    measured = [label for label in labels if any(_number(found.get(label)) for found in cells)]
    lines += [
        Line(target=target, label=label, base=_text(cells[0].get(label)), head=_text(cells[1].get(label)))
        for label in measured
    ]
    return lines + (_components(target, reports) if all(report.run.profile.capacity for report in reports) else [])


def _components(target: str, reports: tuple[Report, Report]) -> list[Line]:
    """The share of each component of a target in a turn at capacity without idle CPU; none where that is unknown."""
    found = [_component_costs(target, report) for report in reports]
    names = dict.fromkeys(name for one in found for name in one)
    texts = [{name: as_text(value, "s") for name, value in one.items()} for one in found]
    return [
        Line(
            target=target,
            label=f"{figure('cpu_s_per_turn_at_capacity').label}: {name}",
            base=texts[0].get(name, ABSENT),
            head=texts[1].get(name, ABSENT),
        )
        for name in names
    ]


def _component_costs(target: str, report: Report) -> dict[str, float]:
    idle = idle_cores(report.folder, report.trials, target)
    low = report.evidence[target].capacity.low
    return cpu_s_per_turn(report.folder, report.trials, target, low, idle) if low and idle else {}


def _limits(report: Report, target: str) -> str:
    trials = [(path, trial) for path, trial in report.trials if trial.key.target == target]
    texts = [conditions.limits_text(trial.limits) for _, trial in trials]
    return "; ".join(dict.fromkeys(texts)) or ABSENT


def _cells(report: Report, target: str) -> dict[str, Cell]:
    return {cell.label: cell for cell in report.table.cells if cell.target == target}


def _number(cell: Cell | None) -> bool:
    return cell is not None and cell.verdict != "not measured"


def _text(cell: Cell | None) -> str:
    return cell.text if cell else ABSENT


def to_markdown(base: Report, head: Report, lines: Sequence[Line]) -> str:
    """Return a Markdown table per target."""
    parts = []
    for target in dict.fromkeys(line.target for line in lines):
        header = (target, base.run.run_id, head.run.run_id)
        rows = [(line.label, line.base, line.head) for line in lines if line.target == target]
        parts.append(markdown_table(header, rows))
    return "\n\n".join(parts) + "\n"


def show(base: Report, head: Report, lines: Sequence[Line], console: "Console") -> None:
    """Print a table per target."""
    from rich import box
    from rich.table import Table as Grid
    from rich.text import Text

    for target in dict.fromkeys(line.target for line in lines):
        table = Grid(target, base.run.run_id, head.run.run_id, box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
        for line in lines:
            if line.target == target:
                table.add_row(Text(line.label), Text(line.base), Text(line.head))
        console.print(table)
