"""Several sessions as one result: the tables of a ``pooled.json`` that ``chatbench report RUN RUN`` wrote.

Beside it may lie ``next.json``, the ``table.json`` of the session that came after them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs.generate import example
from docs.generate.markdown import table as markdown_table
from harness.analysis.registry import figure
from harness.analysis.sessions import middle
from reports.numbers import span

FOLDER = example.FOLDER / "pooled"
MEASURES = (
    "capacity_users",
    "capacity_estimate_users",
    "capacity_at_reference_users",
    "users_per_core_at_capacity",
    "cpu_s_per_turn_at_capacity",
    "memory_slope_bytes_per_session",
)
HELD = ("capacity_users", "users_per_core_at_capacity", "cpu_s_per_turn_at_capacity")


@dataclass(frozen=True, slots=True)
class PooledFigure:
    """A figure over sessions, in words; – where there is no interval."""

    label: str
    target: str
    value: str
    interval: str
    following: str
    counted: str


def figures(folder: Path = FOLDER) -> dict[str, PooledFigure]:
    """Return the figures over sessions by their cells' ids; none without such a result."""
    pooled = _read(folder)
    return {cell["id"]: _figure(cell) for cell in pooled["cells"]} if pooled else {}


def runs(folder: Path = FOLDER) -> str:
    """Return the runs that were pooled."""
    pooled = _read(folder)
    return ", ".join(f"`{run['run_id']}`" for run in pooled["runs"]) if pooled else ""


def reservation(folder: Path = FOLDER) -> str:
    """Return how many sessions rest on ends that were worked out, a sentence; empty without one."""
    pooled = _read(folder)
    cells = pooled["cells"] if pooled else []
    most = max((sum(bool(one.get("between")) for one in cell["readings"]) for cell in cells), default=0)
    if not pooled or not most:
        return ""
    link = "docs/method/sessions.md#a-worked-out-end"
    lies = f"so that [the mean lies between two numbers]({link})"
    return f"In {most} of {len(pooled['runs'])} an end was worked out, {lies}. "


def table(folder: Path = FOLDER) -> str:
    """Return ratios, capacities and costs over sessions with interval, range and number; empty without a result."""
    pooled = _read(folder)
    if not pooled:
        return ""
    rows = [
        (one.label, f"`{one.target}`", f"**{one.value}**", one.interval, one.following, one.counted)
        for cell_id, one in figures(folder).items()
        if cell_id.partition("/")[0] in MEASURES
    ]
    heading = ("Figure", "Target", "Over sessions", "95 % interval", "Next session", "Sessions")
    said = "".join(f"{words}\n" for words in pooled["speed"])
    return f"{markdown_table(heading, rows)}\nRuns {runs(folder)}.\n{said}"


def held(folder: Path = FOLDER) -> str:
    """Return what the session after them gave, beside the range predicted for it; empty without such a session."""
    file = folder / "next.json"
    pooled = _read(folder)
    if not file.exists() or not pooled:
        return ""
    later = json.loads(file.read_text(encoding="utf-8"))
    cells = [*(cell for row in later["rows"] for cell in row["cells"])]
    readings = {cell["id"]: _reading(cell) for cell in cells}
    rows = []
    for cell in pooled["cells"]:
        ends, predicted = readings.get(cell["id"]), cell["next_session"]
        if cell["id"].partition("/")[0] in HELD and ends and predicted:
            inside = ("no", "partly", "yes")[sum(predicted[0] <= end <= predicted[1] for end in ends)]
            found = _figure(cell)
            rows.append((found.label, f"`{found.target}`", found.following, span(*ends, _suffix(cell)), inside))
    heading = ("Figure", "Target", "Predicted", "Next session", "Inside")
    return f"{markdown_table(heading, rows)}\nRun `{later['run_id']}`.\n"


def _read(folder: Path) -> dict[str, Any]:
    file = folder / "pooled.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _figure(cell: Mapping[str, Any]) -> PooledFigure:
    suffix, interval, following = _suffix(cell), cell["interval"], cell["next_session"]
    ends = cell["between"] or [cell["value"]] * 2
    tie = " / " in cell["id"] and interval and interval[0] <= 1 <= interval[1]
    mark = "≥ " if cell["at_least"] else "tie: " if tie else ""
    return PooledFigure(
        label=cell["label"],
        target=cell["target"],
        value=cell["text"] if ends[0] is None else f"{mark}{span(ends[0], ends[1], suffix)}",
        interval=span(interval[0], interval[1], suffix) if interval else "–",
        following=span(following[0], following[1], suffix) if following else "–",
        counted=cell["counted"],
    )


def _suffix(cell: Mapping[str, Any]) -> str | None:
    """Return the unit behind a pooled figure's numbers: of a ratio its own, else the one that is printed."""
    measure, _, target = cell["id"].partition("/")
    unit: str | None = cell["unit"]
    return unit if " / " in target else figure(measure.rpartition(".")[2]).suffix


def _reading(cell: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return what a session's value lies between: of a bracket its geometric middle; None where it is open above."""
    if not cell["id"].startswith("capacity_users"):
        return None if cell["value"] is None else (cell["value"], cell["value"])
    found = middle(*(cell["bracket"] or (None, None)), between=cell.get("between"))
    return found.ends if found and not found.at_least else None
