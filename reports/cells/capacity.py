"""Capacity, and what was measured at it."""

from harness.analysis.capacity import Capacity
from harness.analysis.registry import figure
from reports.cells.cell import NOT_MEASURED, Cell, absent
from reports.cells.figure import cell_id, figure_cell, invalid_cell
from reports.evidence.conditions import Conditions
from reports.evidence.trials import (
    Evidence,
    TrialRef,
    live_streams,
    paths,
    reasons,
    valid,
)
from reports.numbers import as_text, span

CAPACITY = figure("capacity_users").label
AT_CAPACITY = {
    "live_streams_at_capacity": "live_streams_mean",
    "failure_ratio_at_capacity": "failure_ratio",
    "blocks_met_ratio_at_capacity": "blocks_met_ratio",
}


def capacity_cell(evidence: Evidence, terms: Conditions) -> Cell:
    """Return a target's capacity, with think time, answers and live streams."""
    trials = evidence.chat
    if not trials:
        return absent("capacity_users", CAPACITY, evidence.target)
    if not valid(trials):
        return invalid_cell("capacity_users", CAPACITY, evidence, trials)
    ends = evidence.capacity
    live = live_streams(valid(evidence.at(ends.low or 0)))
    short = _capacity_short(ends)
    known = (ends.low, ends.upper) != (None, None)
    verdict = ends.status if ends.status in ("none", "inconclusive") else ("measured" if ends.upper else "bound")
    return Cell(
        id=cell_id("capacity_users", evidence),
        label=CAPACITY,
        target=evidence.target,
        value=ends.low,
        unit="users",
        bracket=(ends.low, ends.upper) if known else None,
        worked_out=(False, ends.worked_out),
        between=ends.middles if ends.worked_out else None,
        verdict=verdict,
        short=short,
        text=f"{short}{_capacity_note(evidence, ends)} ({terms.session}; {terms.at(ends.low, live)})",
        rests_on=paths(_edges(evidence, ends)),
    )


def _capacity_short(ends: Capacity) -> str:
    if ends.status == "none":
        return "none"
    if ends.low is None or ends.status == "inconclusive":
        return "inconclusive"
    if not ends.upper:
        return f"≥ {as_text(ends.low, 'users')}"
    return span(ends.low, ends.upper, "users", worked_out=(False, ends.worked_out))


def _capacity_note(evidence: Evidence, ends: Capacity) -> str:
    if ends.status == "none":
        return f": one user misses the SLO, {reasons(valid(evidence.at(1))) or 'no reason recorded'}"
    if ends.low is None:
        below = f"; {as_text(ends.high, 'users')} fail" if ends.high else ""
        return f": no level passed throughout{below}"
    if ends.status == "inconclusive":
        return f": {as_text(ends.low, 'users')} passed"
    return _once_tried(evidence, ends) if ends.high else _open_above(evidence, ends)


def _open_above(evidence: Evidence, ends: Capacity) -> str:
    """Return why no level above the one that passed is the upper end: which failed there, and what passed beyond."""
    if ends.failed:
        share = "; the upper end is worked out, as if it had their CPU time, too" if ends.most else ""
        return f"; at {as_text(ends.failed, 'users')} the machine was the limit{share}"
    trials = valid(evidence.chat)
    passed = {t.key.level for _, t in trials if t.verdict.outcome == "pass"}
    failed = {t.key.level for _, t in trials} - passed
    if failed:
        return f"; {as_text(min(failed), 'users')} failed, {as_text(max(passed), 'users')} above it passed"
    return "; no level tried failed throughout"


def _once_tried(evidence: Evidence, ends: Capacity) -> str:
    once = [str(end) for end in (ends.low, ends.high) if end and len(valid(evidence.at(end))) == 1]
    return f"; {' and '.join(once)} tried once" if once else ""


def _edges(evidence: Evidence, ends: Capacity) -> list[TrialRef]:
    """The trials at and between both ends of the bracket; all valid ones where an end is open."""
    low, high = ends.low or 0, ends.upper
    return [i for i in valid(evidence.chat) if i.key.level >= low and (not high or i.key.level <= high)]


def at_capacity(evidence: Evidence) -> list[Cell]:
    """Return live streams, failures and the share of blocks within the SLO at the highest level that passed."""
    ends = evidence.capacity
    if not ends.low:
        text = "no level passed" if valid(evidence.chat) else "no valid trial" if evidence.chat else NOT_MEASURED
        return [absent(name, figure(name).label, evidence.target, text) for name in AT_CAPACITY]
    trials = valid(evidence.at(ends.low))
    return [figure_cell(name, figure(name).label, evidence, trials, figure(read)) for name, read in AT_CAPACITY.items()]
