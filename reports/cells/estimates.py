"""Capacities as estimates with intervals, and what they predict for longer think times."""

from collections.abc import Mapping

from harness.analysis import estimate
from harness.analysis.estimate import Crossing, Estimate, Tried
from harness.analysis.registry import figure
from reports.cells.cell import Cell, absent
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, TrialRef, live_streams, paths, valid
from reports.numbers import as_text, span

MEASURE = "capacity_estimate_users"
LABEL = figure(MEASURE).label


def crossings(evidence: Evidence, limits: Mapping[str, float]) -> dict[int, Crossing]:
    """Return by its number where each round crossed the edge; a round that did not is absent."""
    rounds: dict[int, list[Tried]] = {}
    for _, trial in sorted(valid(evidence.chat), key=lambda item: item.key.number):
        if trial.key.round:
            use = estimate.slo_use(trial.figures, limits)
            cores = trial.figures.get("target_cores")
            one = Tried(level=trial.key.level, use=use, verdict=trial.verdict, cores=cores)
            rounds.setdefault(trial.key.round, []).append(one)
    found = {number: estimate.crossing(tried) for number, tried in rounds.items()}
    return {number: one for number, one in found.items() if one}


def cells(evidence: Evidence, terms: Conditions) -> list[Cell]:
    """Return the estimate where the profile asks for rounds, and what was tried at other think times."""
    search = terms.profile.search
    tried = {item.key.parameter for item in evidence.trials if item.key.scenario == "think" and item.key.parameter}
    think_s = sorted({*tried, *(search.further_think_s if search.rounds else ())})
    found = [_estimate_cell(evidence, terms)] if search.rounds else []
    return [*found, *(_think_cell(evidence, terms, one) for one in think_s)]


def _in_rounds(evidence: Evidence) -> list[TrialRef]:
    return [item for item in evidence.chat if item.key.round]


def _estimate_cell(evidence: Evidence, terms: Conditions) -> Cell:
    trials = valid(_in_rounds(evidence))
    crossed, rounds = crossings(evidence, terms.slo), terms.profile.search.rounds
    found = estimate.estimate(list(crossed.values()))
    if found is None:
        why = f"only {len(crossed)} of {rounds} rounds settled" if trials else "no rounds were made"
        return absent(MEASURE, LABEL, evidence.target, f"not measured: {why}")
    low = evidence.capacity.low
    live = live_streams(valid(evidence.at(low or 0)))
    short = worded(found, "users")
    lost = f", {rounds - len(crossed)} more did not settle" if len(crossed) < rounds else ""
    return Cell(
        id=f"{MEASURE}/{evidence.target}",
        label=LABEL,
        target=evidence.target,
        value=found.value,
        unit="users",
        bracket=(found.low, found.high),
        worked_out=found.worked_out,
        between=found.between,
        verdict="bound" if found.high is None else "measured",
        short=short,
        text=f"{short} ({interval(found, 'users')}{lost}; {terms.session}; {terms.at(low, live)})",
        rests_on=paths(trials),
    )


def worded(found: Estimate, unit: str) -> str:
    """Return an estimate's number; its interval or a bound where the machine was the limit in a round."""
    if found.value is not None:
        return as_text(found.value, unit)
    if found.high is None:
        return f"≥ {as_text(found.low, unit)}"
    return span(found.low, found.high, unit, worked_out=found.worked_out)


def interval(found: Estimate, unit: str) -> str:
    """Name an estimate's interval and what it rests on."""
    if found.value is None or found.high is None:
        share = ", an end is worked out" if any(found.worked_out) else ""
        return f"{len(found.rounds)} rounds; in some the machine was the limit{share}"
    return f"95 % interval {span(found.low, found.high, unit)}, {len(found.rounds)} rounds"


def ratio_cell(modular: Evidence, monolithic: Evidence, terms: Conditions) -> Cell | None:
    """Return the ratio of two estimates, paired by round; a tie where its interval holds 1."""
    found = estimate.ratio(crossings(modular, terms.slo), crossings(monolithic, terms.slo))
    if found is None:
        return None
    tie = found.high is not None and found.low <= 1 <= found.high
    short = worded(found, "×")
    ends = f"{interval(found, '×')} paired"
    return Cell(
        id=f"{MEASURE}/{modular.target} / {monolithic.target}",
        label=LABEL,
        target=f"{modular.target} / {monolithic.target}",
        value=found.value,
        unit="×",
        bracket=(found.low, found.high),
        worked_out=found.worked_out,
        between=found.between,
        verdict="tie" if tie else "bound" if found.high is None else "measured",
        short=short,
        text=f"tie: {short} ({ends})" if tie else short if found.high is None else f"{short} ({ends})",
        rests_on=tuple(dict.fromkeys(paths(valid(_in_rounds(modular))) + paths(valid(_in_rounds(monolithic))))),
    )


def _think_cell(evidence: Evidence, terms: Conditions, think_s: int) -> Cell:
    """Return what the trials a step below and above the predicted capacity showed."""
    asked = figure(f"think_{think_s}_users")
    measure, label = asked.name, asked.label
    trials = [item for item in evidence.trials if (item.key.scenario, item.key.parameter) == ("think", think_s)]
    good = valid(trials)
    if not good:
        why = "the trials were invalid" if trials else "no estimate to predict from, or beyond the levels searched"
        return absent(measure, label, evidence.target, f"not measured: {why}")
    passed = [t.key.level for _, t in good if t.verdict.outcome == "pass"]
    failed = [t.key.level for _, t in good if t.verdict.outcome == "fail"]
    low = max((n for n in passed if all(n < f for f in failed)), default=None)
    high = min((n for n in failed if all(n > p for p in passed)), default=None)
    if all(t.verdict.contended for _, t in good if t.key.level == high):
        high = None
    seen = ", ".join(f"{as_text(t.key.level, 'users')}: {t.verdict.outcome}" for _, t in good)
    live = live_streams(item for item in good if item.key.level == low)
    at = Conditions(profile=terms.profile.thinking(think_s)).at(low, live)
    if low and high:
        short, verdict = span(low, high, "users"), "as predicted; "
    elif low:
        short, verdict = f"≥ {as_text(low, 'users')}", "at least as predicted; "
    else:
        short, verdict = f"< {as_text(high, 'users')}" if high else "", "fewer than predicted; " if high else ""
    if think_s not in terms.profile.search.further_think_s:
        verdict = ""  # tried at the users that a claim names, not beside the prediction
    return Cell(
        id=f"{measure}/{evidence.target}",
        label=label,
        target=evidence.target,
        value=low,
        unit="users",
        bracket=(low, high) if low or high else None,
        verdict="measured" if low and high else "bound" if low or high else "inconclusive",
        short=short,
        text=f"{short or _no_end(bool(passed))} ({verdict}{seen}; {at})",
        rests_on=paths(good),
    )


def _no_end(passed: bool) -> str:
    """Return why trials around a prediction leave both ends open."""
    return "its trials contradict each other" if passed else "the machine was the limit"
