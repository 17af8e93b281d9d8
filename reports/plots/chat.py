"""Plots of a run: colour-blind safe, with units, each as SVG (for the page) and PNG (for papers and slides)."""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis import registry
from harness.records import Trial
from reports.content.report import Report
from reports.evidence.trials import Evidence, TrialRef, cut, valid, whole
from reports.plots import canvas, curves, shipped, workloads
from reports.plots.canvas import COLOURS, INK, MARKERS, Plot, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATENCIES = ("added_ttft_p95_s", "lateness_p95_s", "added_stall_p95_s")
ROLE_LOOKS = {
    "target": ("#000000", "-"),
    "busiest process": ("#E69F00", "--"),
    "model": ("#009E73", "-."),
    "generator": ("#CC79A7", ":"),
}
LATENCY = ("latency-against-users", "Latency against users")
THROUGHPUT = ("throughput", "Throughput")
OVER_TIME = ("resources-over-time", "CPU and memory over time")
DISTRIBUTION = ("ttft-distribution", "Distribution of the time to first token")
SESSIONS = ("memory-per-session", "Memory against open sessions")
FLOOR_S = 1e-3  # log axes end here; what is faster is drawn on the edge


def draw(report: Report, folder: Path) -> list[Plot]:
    """Draw what the run has data for into ``folder`` and return the plots in reading order.

    A plot that cannot be drawn says why, and costs no other.
    """
    try:
        with shipped.settings():
            return _every(report, folder)
    except Exception as error:  # noqa: BLE001  # a Matplotlib that does not even load is no reason to lose the report
        return [canvas.lost("figures", "Plots", error)]


def _every(report: Report, folder: Path) -> list[Plot]:
    names = report.table.targets
    looks = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
    styles = {name: Style(colour=c, marker=m) for name, (c, m) in zip(names, looks, strict=False)}
    ordered = {name: report.evidence[name] for name in names}
    measured = ordered.values() if report.run.profile.capacity else ()
    loaded = [e for e in measured if valid(e.chat)]
    wanted: list[tuple[str, str, Callable[[], Plot]]] = []
    if loaded:
        wanted += [
            (*LATENCY, lambda: _latency(report, loaded, styles, folder)),
            (*THROUGHPUT, lambda: _throughput(report, loaded, styles, folder)),
            (*OVER_TIME, lambda: _over_time(report, loaded, folder)),
        ]
    if any(whole(valid(e.chat)) for e in loaded):
        wanted.append((*DISTRIBUTION, lambda: _distribution(report, loaded, styles, folder)))
    if any(valid(e.idle) for e in measured):
        wanted.append((*SESSIONS, lambda: _sessions(list(ordered.values()), styles, folder)))
    drawn = [plot for name, title, make in wanted for plot in canvas.attempt(name, title, make)]
    return drawn + workloads.draw(report, list(ordered.values()), styles, folder)


def _levels(loaded: list[Evidence]) -> list[int]:
    return [t.key.level for e in loaded for _, t in valid(e.chat)]


def _latency(report: Report, loaded: list[Evidence], styles: dict[str, Style], folder: Path) -> Plot:
    figure, axes = canvas.panels(1, 3, 10.5, 3.7, sharey=True)
    for axis, name in zip(axes.flat, LATENCIES, strict=True):
        canvas.log_axis(axis, "y", canvas.seconds)
        canvas.users_axis(axis, _levels(loaded))
        found = [t.figures.get(name) for e in loaded for _, t in valid(e.chat)]
        top = max([v for v in found if v is not None] + [report.terms.slo[name]]) * 3
        for evidence in loaded:
            _draw_level_points(axis, valid(evidence.chat), name, styles[evidence.target], evidence.target, top)
        limit = report.terms.slo[name]
        axis.axhline(limit, color=INK, linestyle="--", linewidth=1.1)
        axis.annotate(
            f"SLO {limit * 1000:g} ms", (0.02, limit), xycoords=("axes fraction", "data"), fontsize=8, va="bottom"
        )
        axis.set_title(registry.figure(name).label, fontsize=10, color=INK)
        axis.set_ylim(bottom=FLOOR_S)
    axes[0, 0].set_ylabel("95th percentile over turns")
    canvas.legend(axes[0, 0], loc="lower right")
    alt = (
        f"95th percentiles of added TTFT, lateness and added stall against users for "
        f"{', '.join(e.target for e in loaded)}, with the SLO as a dashed line. Filled marks passed, hollow ones "
        "failed; a star at the top stands for a percentile beyond any bound. A cross on the users axis is a level that "
        "failed without a percentile: its trial was stopped early or never settled."
    )
    return canvas.save(figure, folder, *LATENCY, alt)


def _draw_level_points(axis: "Axes", trials: list[TrialRef], name: str, style: Style, label: str, top: float) -> None:
    known: dict[int, list[float]] = {}
    for level in sorted({item.key.level for item in trials if cut(item.trial)}):
        axis.plot(level, 0, "x", color=style.colour, markersize=7, transform=axis.get_xaxis_transform(), clip_on=False)
    for _, trial in whole(trials):
        value = trial.figures.get(name)
        passed = trial.verdict.outcome == "pass"
        if value is None:
            axis.plot([trial.key.level], [top], marker="*", color=style.colour, linestyle="none", markersize=9)
            continue
        shown = max(value, FLOOR_S)
        known.setdefault(trial.key.level, []).append(shown)
        face = style.colour if passed else "white"
        axis.plot(
            [trial.key.level], [shown], style.marker, color=style.colour, markerfacecolor=face, markersize=5.5, zorder=3
        )
    levels = sorted(known)
    means = [sum(known[n]) / len(known[n]) for n in levels]
    axis.plot(levels, means, color=style.colour, linewidth=1.4, label=label, marker=style.marker, markersize=0)


def _throughput(report: Report, loaded: list[Evidence], styles: dict[str, Style], folder: Path) -> Plot:
    figure, axes = canvas.panels(1, 1, 6.6, 3.9)
    axis = axes[0, 0]
    for evidence in loaded:
        style = styles[evidence.target]
        for name, line, label in (
            ("throughput_per_s", "-", f"{evidence.target}: completed"),
            ("goodput_per_s", ":", f"{evidence.target}: within the SLO"),
        ):
            points = curves.mean_by_level([t for _, t in whole(valid(evidence.chat))], name)
            axis.plot(*points, line, color=style.colour, marker=style.marker, markersize=4.5, label=label)
    levels = sorted(set(_levels(loaded)))
    cycle_s = report.run.profile.cycle_s()
    offered = [n / cycle_s for n in levels]
    axis.plot(levels, offered, "--", color="#7b8794", linewidth=1, label="offered if nothing is added")
    canvas.log_axis(axis, "y", "{:g}".format)
    axis.set_ylabel("turns per second")
    canvas.users_axis(axis, levels)
    canvas.legend(axis)
    names = ", ".join(e.target for e in loaded)
    alt = f"Turns per second against users for {names}: completed, within the SLO, and offered."
    return canvas.save(figure, folder, *THROUGHPUT, alt)


def _over_time(report: Report, loaded: list[Evidence], folder: Path) -> Plot:
    shown = loaded[:2]
    figure, axes = canvas.panels(2, len(shown), 5.2 * len(shown), 5.0, sharex=False)
    drawn = []
    for column, evidence in enumerate(shown):
        path, trial = curves.at_edge(evidence)
        series = curves.resources(report.folder / path, trial)
        _draw_cpu(axes[0, column], series, trial)
        _draw_memory(axes[1, column], series, trial)
        axes[0, column].set_title(
            f"{evidence.target}, {trial.key.level:,} users ({trial.verdict.outcome})", fontsize=10
        )
        drawn.append(f"{evidence.target} at {trial.key.level} users")
    axes[0, 0].set_ylabel("CPU (cores)")
    axes[1, 0].set_ylabel("memory of the stack (MiB)")
    alt = f"CPU cores and memory over time for {' and '.join(drawn)}; the shaded span is the measured phase."
    return canvas.save(figure, folder, *OVER_TIME, alt)


def _draw_cpu(axis: "Axes", series: curves.Series, trial: Trial) -> None:
    for name, (times, values) in series.cores.items():
        colour, line = ROLE_LOOKS[name]
        axis.plot(times, values, line, color=colour, linewidth=1.3, label=name)
    axis.axhline(len(trial.limits.cpus), color=INK, linestyle="--", linewidth=1)
    axis.annotate(
        "budget",
        (0.99, len(trial.limits.cpus)),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        fontsize=8,
    )
    axis.set_ylim(0, len(trial.limits.cpus) * 1.45)
    _shade(axis, series)
    canvas.legend(axis, loc="upper left", ncols=2)


def _draw_memory(axis: "Axes", series: curves.Series, trial: Trial) -> None:
    mebibyte = 2**20
    times, values = series.memory
    axis.plot(times, [v / mebibyte for v in values], color=ROLE_LOOKS["target"][0], linewidth=1.4)
    axis.set_ylim(0, max([v / mebibyte for v in values], default=1.0) * 1.25)
    limit = trial.limits.memory_bytes
    text = f"limit {limit / mebibyte:,.0f} MiB" if limit else "no limit"
    axis.annotate(text, (0.99, 0.96), xycoords="axes fraction", ha="right", va="top", fontsize=8)
    _shade(axis, series)
    axis.set_xlabel("seconds since the load began")


def _shade(axis: "Axes", series: curves.Series) -> None:
    if series.measured:
        axis.axvspan(*series.measured, color="#e8eef4", zorder=0, linewidth=0)


def _distribution(report: Report, loaded: list[Evidence], styles: dict[str, Style], folder: Path) -> Plot:
    figure, axes = canvas.panels(1, 1, 6.6, 3.9)
    axis = axes[0, 0]
    canvas.log_axis(axis, "x", canvas.seconds)
    for evidence in loaded:
        colour = styles[evidence.target].colour
        ends = evidence.capacity
        for level, line in dict.fromkeys([(evidence.common_level, "-"), (ends.low, "--"), (ends.high, ":")]):
            trials = whole(valid(evidence.at(level))) if level else []
            times, shares = curves.ttft_distribution(report.folder, trials)
            if len(times):
                axis.plot(times, shares, line, color=colour, linewidth=1.5, label=f"{evidence.target}, {level:,} users")
    ttft_s = report.run.profile.answer.ttft_s
    if not ttft_s.sigma:
        axis.axvline(ttft_s.median, color="#7b8794", linewidth=1, label="the model itself")
    axis.set_xlabel("time to first token (from send)")
    axis.set_ylabel("share of turns")
    axis.set_ylim(0, 1.02)
    canvas.legend(axis, loc="lower right")
    alt = (
        f"Cumulative share of turns against time to first token for {', '.join(e.target for e in loaded)}. "
        "Lines: the common load (solid), the highest level that passed (dashed), the lowest that failed (dotted). "
        "Turns without an answer never reach it: a curve may end below 1. A level whose trials were cut has no curve."
    )
    return canvas.save(figure, folder, *DISTRIBUTION, alt)


def _sessions(evidence: list[Evidence], styles: dict[str, Style], folder: Path) -> Plot:
    figure, axes = canvas.panels(1, 1, 6.6, 3.9)
    axis = axes[0, 0]
    drawn = []
    for item in evidence:
        counts, values = curves.memory_by_sessions([t for _, t in valid(item.idle)])
        if counts:
            style = styles[item.target]
            axis.plot(counts, [v / 2**20 for v in values], marker=style.marker, color=style.colour, label=item.target)
            drawn.append(item.target)
    axis.set_xlabel("open sessions without load")
    axis.set_ylabel("memory of the stack (MiB)")
    axis.set_ylim(bottom=0)
    canvas.legend(axis)
    alt = f"Anonymous and shared memory of the whole stack against open sessions for {', '.join(drawn)}."
    return canvas.save(figure, folder, *SESSIONS, alt)
