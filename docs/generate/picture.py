"""The README's picture: the capacity of every target of the example run."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from docs.generate.example import Cell, Example
from reports.numbers import span

CAPACITY = "capacity_users"
END = 1_700  # of the axis; a bar that goes further is cut
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


def _bar(axes: Any, place: int, run: Example, target: str) -> None:
    cell = run.cells[CAPACITY, target]
    low, high = cell.bracket or (None, None)
    if low is None:
        raise ValueError(f"{target} has no capacity to draw: {cell.text}")
    colour = COLOURS[_kinds(run)[target]]
    shown = min(low, END - 250)
    axes.barh(place, shown, height=0.56, color=colour)
    if high is not None:
        filled = {"color": colour, "alpha": 0.4, "linewidth": 0}
        dashed = {"facecolor": "none", "edgecolor": colour, "linestyle": "--", "linewidth": 1.2}
        axes.barh(place, high - low, left=low, height=0.56, **(dashed if cell.worked_out[1] else filled))
    else:
        axes.annotate(
            "",
            xy=(shown + 60, place),
            xytext=(shown - 5, place),
            arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.4, "mutation_scale": 18},
        )
    if shown < low:  # cut: two white strokes across the bar
        for offset in (0, 22):
            cut = shown * 0.62 + offset
            axes.plot([cut - 8, cut + 8], [place - 0.36, place + 0.36], color="white", linewidth=3)
    end = high if high is not None else shown + 62
    axes.text(end + 14, place, _users(cell), va="center", weight="bold", color="#222222")


def _users(cell: Cell) -> str:
    low, high = cell.bracket or (None, None)
    if cell.verdict == "none" or low is None:
        return cell.verdict
    return f"≥ {low:,.0f}" if high is None else span(low, high, "count", worked_out=cell.worked_out)


def _frame(axes: Any, run: Example) -> None:
    names = [_label(name) for name in reversed(_ordered(run))]
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, END)
    axes.set_xticks(range(0, END, 250), [f"{users:,}" for users in range(0, END, 250)], color="#555555")
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
