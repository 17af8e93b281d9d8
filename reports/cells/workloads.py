"""Cells of workloads other than closed chat; only lines that the profile asks for exist."""

from dataclasses import replace

from harness.analysis.registry import figure
from harness.records import Profile, Spike, Trial, scenario_name
from reports.cells.cell import Cell, absent
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, TrialRef, first_reasons, paths, unfinished, valid
from reports.numbers import as_text, significant, span

OPEN = ("added_ttft_p95_s", "lateness_p95_s")
VISIT = ("page_p50_s", "page_requests", "page_bytes", "sign_in_p50_s", "cpu_s_per_visit", "visit_failure_ratio")
SPIKE = ("recovery_s", "spike_failure_ratio", "spike_added_ttft_p95_s")
SOAK = ("memory_slope_bytes_per_hour", "cpu_slope_s_per_turn_per_hour", "added_ttft_slope_s_per_hour")


def cells(evidence: Evidence, terms: Conditions) -> list[Cell]:
    """Return the cells of all workloads that the profile asks for."""
    found: list[Cell] = []
    profile, whole = terms.profile, _whole(terms.profile)
    if profile.visit:
        where = f"Visit, {profile.visit.users} users at a time"
        found += [figure_cell(evidence, "visit", one, where) for one in VISIT]
    if profile.open:
        where = f"Open arrivals, {profile.open.per_minute:,} a minute"
        found += [figure_cell(evidence, "open", one, where) for one in OPEN]
    for percent in profile.open.percent if profile.open else ():
        where = f"Open arrivals at {percent} % of {whole}"
        found += [figure_cell(evidence, "open", one, where, percent) for one in OPEN]
    if profile.spike:
        found += spike_cells(evidence, profile.spike, whole)
    if profile.soak:
        where = f"Soak, {significant(profile.soak.minutes)} minutes at {profile.soak.percent} % of {whole}"
        found += [soak_cell(evidence, one, where) for one in SOAK]
    return found


def _whole(profile: Profile) -> str:
    """Return what shares are taken of: the capacity, or the base users where the profile searches none."""
    return "capacity" if profile.capacity else as_text(profile.search.base_users, "users")


def spike_cells(evidence: Evidence, asked: Spike, whole: str) -> list[Cell]:
    """Return the recovery time after a spike, and what failed during it."""
    where = f"Spike, {asked.times} × {asked.percent} % of {whole} for {as_text(asked.hold_s, 's')}"
    cells = [figure_cell(evidence, "spike", one, where) for one in SPIKE]
    recovery = cells[0]
    trials, _ = last_valid(evidence, "spike")
    if trials and recovery.value is None and trials[0].trial.figures:
        watched = trials[0].trial.figures.get("recovery_watched_s") or 0.0
        short = f"not within {as_text(watched, 's')}"
        text = f"{short} ({_load(trials[0].trial)})"
        cells[0] = replace(recovery, verdict="bound", bracket=(watched, None), short=short, text=text)
    return cells


def soak_cell(evidence: Evidence, name: str, where: str) -> Cell:
    """Return a slope per hour with its 95 % interval; a bound where that holds 0."""
    shown = figure(name)
    measure, label = f"soak.{name}", f"{where}: {shown.phrase}"
    trials, why = last_valid(evidence, "soak")
    if not trials:
        return absent(measure, label, evidence.target, why)
    _, trial = trials[0]
    value, low, high = (trial.figures.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if value is None or low is None or high is None:
        return absent(measure, label, evidence.target, "not measured: too few blocks")
    zero = low <= 0 <= high
    short = f"< {as_text(high, shown.unit)}" if zero else as_text(value, shown.unit)
    interval = "the interval includes 0" if zero else f"95 % interval {span(low, high, shown.unit)}"
    blocks = f"{trial.figures.get('blocks') or 0:.0f} blocks"
    return Cell(
        id=f"{measure}/{evidence.target}",
        label=label,
        target=evidence.target,
        value=None if zero else value,
        unit=shown.unit,
        bracket=(None, high) if zero else (low, high),
        verdict="bound" if zero else "measured",
        short=short,
        text=f"{short} ({interval}, {blocks}; {_load(trial)}: {trial.verdict.outcome})",
        rests_on=paths(trials),
    )


def last_valid(evidence: Evidence, scenario: str, parameter: int | None = None) -> tuple[list[TrialRef], str]:
    """Return the last valid trial of a scenario (in a list, empty where there is none), and why there is none."""
    trials = [item for item in evidence.trials if (item.key.scenario, item.key.parameter) == (scenario, parameter)]
    good = sorted(valid(trials), key=lambda item: item.key.number)[-1:]
    if good:
        return good, ""
    if not trials:
        return [], f"not measured: {_why_not_made(evidence, scenario, parameter)}"
    unknown = any(r.code == "invalid.not_offered" for _, trial in trials for r in trial.verdict.reasons)
    return [], f"{'not measured' if unknown else 'invalid'}: {first_reasons(trials)}"


def _why_not_made(evidence: Evidence, scenario: str, parameter: int | None) -> str:
    if scenario == "visit" and evidence.no_app:
        return "there is no page"
    at_a_share = scenario in ("spike", "soak") or parameter is not None
    none = at_a_share and not evidence.capacity.low
    return "no level passed to take a share of" if none else "the trial was not made"


def figure_cell(evidence: Evidence, scenario: str, name: str, where: str, parameter: int | None = None) -> Cell:
    """Return a figure of a scenario's last valid trial, in words with the load and the verdict."""
    shown = figure(name)
    measure, label = f"{scenario_name(scenario, parameter)}.{name}", f"{where}: {shown.phrase}"
    trials, why = last_valid(evidence, scenario, parameter)
    if not trials:
        return absent(measure, label, evidence.target, why)
    _, trial = trials[0]
    value = trial.figures.get(name)
    never = unfinished(trials)
    short = as_text(value, shown.unit) if value is not None else "beyond any bound" if never else "not recorded"
    return Cell(
        id=f"{measure}/{evidence.target}",
        label=label,
        target=evidence.target,
        value=value,
        unit=shown.unit,
        verdict="measured" if value is not None else "bound" if never else "not measured",
        short=short,
        text=f"{short} ({_load(trial)}: {trial.verdict.outcome})",
        rests_on=paths(trials),
    )


def _load(trial: Trial) -> str:
    if trial.key.scenario == "visit":
        return f"{trial.figures.get('visits_ok') or 0:.0f} visits"
    if trial.key.scenario == "spike" and trial.summary:
        return f"{as_text(trial.key.level, 'users')}, {trial.summary.users:,} during it"
    if trial.key.scenario == "soak":
        return as_text(trial.key.level, "users")
    live = trial.figures.get("live_turns_mean")
    return f"{trial.key.level:,} arrivals a minute" + (f", {significant(live)} in flight" if live is not None else "")
