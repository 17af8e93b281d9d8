"""Cells of workloads other than closed chat; only lines that the profile asks for exist."""

from dataclasses import dataclass

from harness.profiles import open_scenario
from harness.records import Trial
from reports.cells import Cell, absent
from reports.conditions import Conditions
from reports.evidence import Evidence, Located, first_reasons, paths, unfinished, valid
from reports.numbers import as_text, significant


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A figure of a workload's trials and how its line is named."""

    figure: str
    label: str
    unit: str | None


OPEN = (
    Shown(figure="added_ttft_p95_s", label="added TTFT p95", unit="s"),
    Shown(figure="lateness_p95_s", label="lateness p95", unit="s"),
)


def cells(evidence: Evidence, terms: Conditions) -> list[Cell]:
    """Return the cells of all workloads that the profile asks for."""
    found: list[Cell] = []
    if terms.open_per_minute:
        where = f"Open, {terms.open_per_minute:,} arrivals a minute"
        found += [figure_cell(evidence, "open", one, where) for one in OPEN]
    for percent in terms.open_percent:
        where = f"Open, arrivals at {percent} % of what its users carried send"
        found += [figure_cell(evidence, open_scenario(percent), one, where) for one in OPEN]
    return found


def last_valid(evidence: Evidence, scenario: str) -> tuple[list[Located], str]:
    """Return the last valid trial of a scenario (in a list, empty where there is none), and why there is none."""
    trials = [item for item in evidence.trials if item[1].key.scenario == scenario]
    good = sorted(valid(trials), key=lambda item: item[1].key.number)[-1:]
    if good:
        return good, ""
    return [], f"invalid: {first_reasons(trials)}" if trials else "not measured: no users carried to take a share of"


def figure_cell(evidence: Evidence, scenario: str, shown: Shown, where: str) -> Cell:
    """Return a figure of a scenario's last valid trial, in words with the load and the verdict."""
    measure, label = f"{scenario}.{shown.figure}", f"{where}: {shown.label}"
    trials, why = last_valid(evidence, scenario)
    if not trials:
        return absent(measure, label, evidence.target, why)
    _, trial = trials[0]
    value = trial.figures.get(shown.figure)
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
    live = trial.figures.get("live_turns_mean")
    return f"{trial.key.level:,} arrivals a minute" + (f", {significant(live)} in flight" if live is not None else "")
