"""Plots of workloads other than closed chat: a row for each target, drawn from its last valid trial."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.records import Trial
from reports.cells.workloads import last_valid
from reports.content.report import Report
from reports.evidence.trials import Evidence
from reports.numbers import as_text
from reports.plots import canvas, workload_curves
from reports.plots.canvas import INK, Plot, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OPEN = ("open-arrivals", "Open arrivals over time")
SPIKES = ("spike-over-time", "Spike of users over time")
SOAKS = ("soak-memory", "Memory during a soak")
FLOOR_S = 1e-3  # as in the plots of closed chat
SHADE, GREY = "#e8eef4", "#7b8794"
MEBIBYTE = 2**20
ROW_INCHES, HEAD_INCHES = 2.5, 0.7
Played = tuple[Evidence, Path, Trial]


def draw(report: Report, ordered: Sequence[Evidence], styles: Mapping[str, Style], folder: Path) -> list[Plot]:
    """Draw a plot of open arrivals, of spikes and of soaks, each where a trial of it is valid."""
    wanted: tuple[tuple[str, str, Callable[[], Plot | None]], ...] = (
        (*OPEN, lambda: _open(report, ordered, styles, folder)),
        (*SPIKES, lambda: _spikes(report, _trials(report, ordered, "spike"), styles, folder)),
        (*SOAKS, lambda: _soaks(report, _trials(report, ordered, "soak"), styles, folder)),
    )
    return [plot for name, title, make in wanted for plot in canvas.attempt(name, title, make)]


def _trials(report: Report, ordered: Sequence[Evidence], scenario: str, parameter: int | None = None) -> list[Played]:
    """Return those trials that the cells rest on too."""
    found = [(evidence, trial) for evidence in ordered for trial in last_valid(evidence, scenario, parameter)[0]]
    return [(evidence, report.folder / path, trial) for evidence, (path, trial) in found if trial.summary]


def _open(report: Report, ordered: Sequence[Evidence], styles: Mapping[str, Style], folder: Path) -> Plot | None:
    asked = report.run.profile.open
    rates: list[int | None] = [None, *asked.percent] if asked else []
    found = {percent: _trials(report, ordered, "open", percent) for percent in rates}
    across = [percent for percent in rates if found[percent]]
    rows = [e for e in ordered if any(e is one for percent in across for one, _, _ in found[percent])]
    if not rows:
        return None
    figure, axes = canvas.panels(
        len(rows), len(across), 3.9 * len(across) + 1.9, ROW_INCHES * len(rows) + HEAD_INCHES, sharey=True, sharex="col"
    )
    limit = report.terms.slo["added_ttft_p95_s"]
    panels = {(e.target, percent): (path, trial) for percent in across for e, path, trial in found[percent]}
    for row, evidence in enumerate(rows):
        for column, percent in enumerate(across):
            axis = axes[row, column]
            if (evidence.target, percent) not in panels:
                axis.set_axis_off()
                axis.text(0.5, 0.5, f"{evidence.target}: not measured", ha="center", transform=axis.transAxes)
                continue
            path, trial = panels[evidence.target, percent]
            _draw_turns(axis, workload_curves.turns_of(path, trial), styles[evidence.target], limit)
            axis.set_title(f"{evidence.target}, {trial.key.level:,} arrivals a minute", fontsize=10, color=INK)
        axes[row, 0].set_ylabel("added TTFT from arrival")
        _outside(next(axis for axis in axes[row, ::-1] if axis.axison))
    _name_times(axes)
    alt = (
        "Open arrivals: what the first token of each turn took from its arrival on beyond the model's own time, "
        f"against when it arrived, for {', '.join(e.target for e in rows)}. Below 1 ms turns are drawn at 1 ms; "
        "crosses at the top failed or did not end."
    )
    return canvas.save(figure, folder, *OPEN, alt)


def _spikes(report: Report, trials: list[Played], styles: Mapping[str, Style], folder: Path) -> Plot | None:
    asked, slo = report.run.profile.spike, report.terms.slo
    if asked is None:
        return None
    known = [(e, t, workload_curves.spike(path, t, slo, asked.window_s)) for e, path, t in trials]
    shown = [(evidence, trial, spike) for evidence, trial, spike in known if spike]
    if not shown:
        return None
    figure, axes = canvas.panels(len(shown), 2, 10.5, ROW_INCHES * len(shown) + HEAD_INCHES, sharex=True, sharey="col")
    for (left, right), (evidence, trial, spike) in zip(axes, shown, strict=True):
        style = styles[evidence.target]
        users = trial.summary.users if trial.summary else trial.key.level
        _draw_turns(left, spike.turns, style, slo["added_ttft_p95_s"])
        left.set_title(f"{evidence.target}, {trial.key.level:,} users", fontsize=10, color=INK)
        left.set_ylabel("added TTFT of each turn")
        right.step(*spike.sent, where="post", color=GREY, linestyle="--", linewidth=1.1, label="messages sent")
        right.step(*spike.answered, where="post", color=style.colour, linewidth=1.4, label="whole answers")
        right.set_ylim(bottom=0)
        right.set_ylabel(f"per second, in steps of {as_text(spike.bin_s, 's')}")
        for axis, label in ((left, ""), (right, f"spike: {users:,} users")):
            axis.axvspan(*spike.during, color=SHADE, zorder=0, linewidth=0, label=label or None)
            if spike.met_again_s is not None:
                axis.axvline(spike.met_again_s, color=INK, linestyle="-.", linewidth=1.2, label=_met(spike))
        _outside(right, left, note="" if spike.met_again_s is not None else _met(spike))
    _name_times(axes)
    alt = (
        f"A spike of users (shaded) over time for {', '.join(e.target for e, _, _ in shown)}. "
        "At the left added TTFT of each turn by when it was sent; at the right messages and whole answers per second. "
        "TTFT below 1 ms is drawn at 1 ms; turns that failed or did not end are crosses at the top. "
        "From the dash-dotted line on, the turns of every "
        f"{as_text(asked.window_s, 's')} meet the SLO."
    )
    return canvas.save(figure, folder, *SPIKES, alt)


def _met(spike: workload_curves.Spike) -> str:
    if spike.recovery_s is None:
        return f"SLO not met again\nwithin {as_text(spike.watched_s, 's')}"
    missed = f"\n(missed last: {', '.join(spike.missed_last)})" if spike.missed_last else ""
    return f"SLO met again\nafter {as_text(spike.recovery_s, 's')}{missed}" if spike.recovery_s else "SLO met at once"


def _soaks(report: Report, trials: list[Played], styles: Mapping[str, Style], folder: Path) -> Plot | None:
    asked = report.run.profile.soak
    if asked is None:
        return None
    known = [(e, t, workload_curves.soak(path, t, asked.block_s)) for e, path, t in trials]
    shown = [(evidence, trial, soak) for evidence, trial, soak in known if soak]
    if not shown:
        return None
    figure, axes = canvas.panels(len(shown), 2, 10.5, ROW_INCHES * len(shown) + HEAD_INCHES, sharex=True)
    for (whole, near), (evidence, trial, soak) in zip(axes, shown, strict=True):
        colour = styles[evidence.target].colour
        times, values = soak.memory
        for axis in (whole, near):
            axis.plot(times, [v / MEBIBYTE for v in values], color=GREY, linewidth=0.9, label="memory of the stack")
        _draw_slope(near, soak, colour)
        whole.set_ylim(0, max(values) / MEBIBYTE * 1.25)
        whole.set_title(f"{evidence.target}, {trial.key.level:,} users", fontsize=10, color=INK)
        near.set_title("the same, near by (axis not from 0)", fontsize=10, color=INK)
        _at_least_a_mebibyte(near)
        for axis in (whole, near):
            axis.set_ylabel("memory (MiB)")
        _outside(near, note="" if soak.slope else "slope not measured:\ntoo few blocks")
    _name_times(axes)
    alt = (
        f"Memory of the whole stack during a soak for {', '.join(e.target for e, _, _ in shown)}. "
        "At the right on a stretched axis: the means over the end of each block, their slope and, shaded, its 95 % "
        "interval."
    )
    return canvas.save(figure, folder, *SOAKS, alt)


def _draw_slope(axis: "Axes", soak: workload_curves.Soak, colour: str) -> None:
    """Draw the mean step from block end to block end, which leads from the first to the last, and its interval."""
    times, ends = soak.ends
    axis.plot(times, [v / MEBIBYTE for v in ends], "o", color=colour, markersize=4, label="end of a block, mean")
    if soak.slope is None or not times:
        return
    lines = [[(ends[0] + s * (t - times[0]) / 3600) / MEBIBYTE for t in times] for s in soak.slope]
    value, low, high = soak.slope
    unsure = ",\nwhich may be 0" if low <= 0 <= high else ""
    axis.plot(times, lines[0], color=colour, linewidth=1.6, label=f"slope {as_text(value, 'bytes/hour')}{unsure}")
    text = f"95 % interval\n{as_text(low, 'bytes/hour')} to {as_text(high, 'bytes/hour')}"
    axis.fill_between(times, lines[1], lines[2], color=colour, alpha=0.15, linewidth=0, label=text)


def _draw_turns(axis: "Axes", turns: workload_curves.Turns, style: Style, limit_s: float | None) -> None:
    """Draw a mark for every turn; the marks, but not axes and lines, are an image: there may be millions."""
    canvas.log_axis(axis, "y", canvas.seconds, steps=(1.0, 3.0))
    times, added = turns.added
    axis.plot(
        times,
        [max(value, FLOOR_S) for value in added],
        ".",
        color=style.colour,
        markersize=3.5,
        alpha=0.6,
        markeredgewidth=0,
        rasterized=True,
        label="a turn",
    )
    if turns.lost:
        axis.plot(
            turns.lost,
            [0.97] * len(turns.lost),
            "x",
            transform=axis.get_xaxis_transform(),
            color=INK,
            markersize=5,
            rasterized=True,
            label="failed, unfinished",
        )
    if limit_s:
        axis.axhline(
            limit_s, color=INK, linestyle="--", linewidth=1.1, label=f"SLO for the p95, {as_text(limit_s, 's')}"
        )
    _hold(axis, [limit_s or FLOOR_S, *added])
    axis.set_xlim(0, turns.length_s)


def _hold(axis: "Axes", values: Sequence[float]) -> None:
    """Make an axis that panels share reach from the floor to well above these values and those drawn before."""
    _, top = axis.get_ylim()
    drawn = top if any(one.lines for one in axis.get_shared_y_axes().get_siblings(axis) if one is not axis) else 0.0
    axis.set_ylim(FLOOR_S * 0.85, max(drawn, max(values) * 3))


def _at_least_a_mebibyte(axis: "Axes") -> None:
    """Keep a stretched axis from making mountains of pages, and its labels whole numbers."""
    low, high = axis.get_ylim()
    missing = max(0.0, 1.0 - (high - low)) / 2
    axis.set_ylim(low - missing, high + missing)
    axis.ticklabel_format(axis="y", useOffset=False, style="plain")


def _outside(axis: "Axes", *further: "Axes", note: str = "") -> None:
    """Name the marks of a row once, beside its last panel, where nothing is drawn."""
    named: dict[str, Any] = {}
    for one in (*further, axis):
        handles, labels = one.get_legend_handles_labels()
        named |= {label: handle for handle, label in zip(handles, labels, strict=True) if not label.startswith("_")}
    axis.legend(
        named.values(),
        named.keys(),
        title=note or None,
        title_fontsize=8,
        frameon=False,
        fontsize=8,
        markerscale=1.6,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
    )


def _name_times(axes: "Sequence[Sequence[Axes]]") -> None:
    from matplotlib.ticker import MaxNLocator

    for axis in axes[-1]:
        axis.set_xlabel("seconds since the measured phase began")
        axis.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10], integer=True))
