"""The README's picture: the capacity of every target of the example run."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from docs.generate.example import Cell, Example
from reports.numbers import span

CAPACITY = "capacity_users"
ROOM = 1.17  # behind the longest bar, for its label
ARROW = 1.06  # where the arrow of a lower bound ends
TICKS = 5  # at least
STEPS = (5_000, 2_500, 1_000, 500, 250, 100, 50, 20, 10, 5, 2, 1)  # between them
COLOURS = {"modular": "#2a6f97", "monolith": "#e07a2f", "hybrid": "#7d6b91", "control": "#8a8f94"}
#: the same lines and letters on every machine: the salt of the ids, no date, letters as paths
STYLE = {"svg.hashsalt": "chatbench", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 10}


def capacity(run: Example) -> bytes:
    """Return the picture as SVG: a bar per target, its bracket in a lighter colour, a lower bound as an arrow.

    A bracket whose upper end was worked out is dashed.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 3.9), facecolor="white")
        axes = figure.add_axes((0.2, 0.13, 0.78, 0.72))
        for place, target in enumerate(reversed(_ordered(run))):
            _bar(axes, place, run, target)
        _frame(axes, run)
        figure.text(0.02, 0.94, "Capacity within the SLO: users in a server of 2 vCPU / 4 GB", weight="bold", size=12)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _kinds(run: Example) -> dict[str, str]:
    further = {other["target"]: other["kind"] for other in run.table["further"]}
    return further | {
        column["target"]: {"modular": "modular", "monolithic": "monolith"}[column["side"]]
        for column in run.table["columns"]
    }


def _ordered(run: Example) -> list[str]:
    """Return the targets by kind, then by capacity, the largest first."""
    kinds, order = _kinds(run), list(COLOURS)
    return sorted(run.targets, key=lambda name: (order.index(kinds[name]), -(run.cells[CAPACITY, name].value or 0)))


def _end(run: Example) -> float:
    """Return where the axis ends: behind the longest bar."""
    return ROOM * max((_tip(run.cells[CAPACITY, target]) for target in run.targets), default=1.0)


def _tip(cell: Cell) -> float:
    low, high = cell.bracket or (None, None)
    return high or ARROW * (low or 1)


def _bar(axes: Any, place: int, run: Example, target: str) -> None:
    cell, end = run.cells[CAPACITY, target], _end(run)
    low, high = cell.bracket or (None, None)
    colour = COLOURS[_kinds(run)[target]]
    if low is not None:
        axes.barh(place, low, height=0.56, color=colour)
    if low is not None and high is not None:
        filled = {"color": colour, "alpha": 0.4, "linewidth": 0}
        dashed = {"facecolor": "none", "edgecolor": colour, "linestyle": "--", "linewidth": 1.2}
        axes.barh(place, high - low, left=low, height=0.56, **(dashed if cell.worked_out[1] else filled))
    elif low is not None:
        axes.annotate(
            "",
            xy=(_tip(cell), place),
            xytext=(low - end / 300, place),
            arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.4, "mutation_scale": 18},
        )
    at = _tip(cell) if low is not None else 0.0
    axes.text(at + end / 120, place, _users(cell), va="center", weight="bold", color="#222222")


def _users(cell: Cell) -> str:
    low, high = cell.bracket or (None, None)
    if cell.verdict == "none" or low is None:
        return cell.verdict
    return f"≥ {low:,.0f}" if high is None else span(low, high, "count", worked_out=cell.worked_out)


def _frame(axes: Any, run: Example) -> None:
    names = [_label(name) for name in reversed(_ordered(run))]
    axes.set_yticks(range(len(names)), names)
    end = _end(run)
    step = next((n for n in STEPS if n * TICKS <= end), 1)
    ticks = range(0, round(end), step)
    axes.set_xlim(0, end)
    axes.set_xticks(ticks, [f"{users:,}" for users in ticks], color="#555555")
    axes.tick_params(length=0)
    axes.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    kinds = list(dict.fromkeys(_kinds(run)[name] for name in _ordered(run)))
    for number, kind in enumerate(kinds):
        axes.text(number * 0.14, 1.045, f"■ {kind}", transform=axes.transAxes, color=COLOURS[kind], size=9.5)
    axes.text(
        1, 1.045, "light: between passed and failed", transform=axes.transAxes, color="#555555", size=9, ha="right"
    )
    if any(run.cells[CAPACITY, target].worked_out[1] for target in run.targets):
        axes.text(0, -0.135, "dashed, ≤: worked out, not observed", transform=axes.transAxes, color="#555555", size=9)
    axes.text(1, -0.135, f"run {run.run_id}", transform=axes.transAxes, color="#888888", size=8, ha="right")


def _label(target: str) -> str:
    return "no application" if target == "no-app" else target
