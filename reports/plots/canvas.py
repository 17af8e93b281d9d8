"""The look of plots: colours that colour-blind people tell apart, axes with plain numbers, SVG and PNG files."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.plots import curves

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito, Color Universal Design (2008): distinguishable with every common colour vision deficiency.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
WIDE_INCHES = 8.0
INK, GRID = "#1f2933", "#d5dbe1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot; ``alt`` says in words what it shows, ``flaw`` why it could not be drawn."""

    name: str
    title: str
    alt: str
    svg: bytes
    wide: bool
    flaw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The style of one target in every plot."""

    colour: str
    marker: str


def attempt(name: str, title: str, draw: "Callable[[], Plot | None]") -> list[Plot]:
    """Return what a function draws; nothing where there is nothing to draw, a plot with its flaw where it failed."""
    try:
        drawn = draw()
    except Exception as error:  # noqa: BLE001  # whatever one plot stumbles over, the report has the others
        return [lost(name, title, error)]
    return [drawn] if drawn else []


def lost(name: str, title: str, error: Exception) -> Plot:
    """Return a plot that could not be drawn."""
    said = " ".join(str(error).split())
    return Plot(name=name, title=title, alt="", svg=b"", wide=False, flaw=f"{type(error).__name__}: {said}"[:300])


def panels(rows: int, across: int, width: float, height: float, **options: Any) -> "tuple[Figure, Any]":
    """Return a figure of so many inches and its axes as an array of rows × columns."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9.5}):
        axes = figure.subplots(rows, across, squeeze=False, **options)
    for axis in axes.flat:
        axis.grid(visible=True, color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axis.spines[side].set_color("#9aa5b1")
        axis.tick_params(colors=INK, labelsize=8.5)
    return figure, axes


def save(figure: "Figure", folder: Path, name: str, title: str, alt: str) -> Plot:
    """Write a figure as SVG and PNG into a folder."""
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    # A fixed salt and no date: the same samples give the same bytes.
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(stream, format="svg", dpi=160, metadata={"Date": None, "Creator": None})
    (folder / f"{name}.svg").write_bytes(stream.getvalue())
    figure.savefig(folder / f"{name}.png", format="png", dpi=160, metadata={"Software": None})
    return Plot(name=name, title=title, alt=alt, svg=stream.getvalue(), wide=figure.get_figwidth() > WIDE_INCHES)


def users_axis(axis: "Axes", levels: list[int]) -> None:
    """Make the horizontal axis one of simultaneous users, logarithmic, with the tried levels as ticks."""
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    axis.set_xscale("log")
    axis.set_xlabel("simultaneous users")
    ticks = curves.thinned(sorted(set(levels)))
    axis.set_xticks(ticks)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(min(levels) / 1.25, max(levels) * 1.25)


def log_axis(
    axis: "Axes", which: str, say: "Callable[[float], str]", steps: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0)
) -> None:
    """Make an axis logarithmic, with ticks at these steps of every decade, labelled in plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    picked = axis.yaxis if which == "y" else axis.xaxis
    (axis.set_yscale if which == "y" else axis.set_xscale)("log")
    picked.set_major_locator(LogLocator(base=10, subs=steps))
    picked.set_major_formatter(FuncFormatter(lambda value, _: say(value)))
    picked.set_minor_locator(NullLocator())


def seconds(value: float) -> str:
    """Word a tick of a time axis."""
    return f"{value:g} s" if value >= 1 else f"{value * 1000:g} ms"


def legend(axis: "Axes", **options: Any) -> None:
    """Name the lines, if any was drawn."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=8, **options)
