"""The verdict on a trial's SLO."""

from dataclasses import asdict

from harness.analysis.facts import Figures
from harness.analysis.figure import figure
from harness.records import Reason
from harness.records.slo import Slo


def slo_misses(figures: Figures, slo: Slo, commonest_failure: str | None = None) -> list[Reason]:
    """Return a reason for every threshold that was missed, with value and limit."""
    reasons = []
    for name, limit in asdict(slo).items():
        missed, value = figure(name), figures.get(name)
        if value is None and figures.get("incomplete"):
            text = f"{missed.phrase} beyond any bound: turns were unfinished (limit {missed.limit(limit)})"
        elif value is not None and value > limit:
            mostly = f", mostly {commonest_failure}" if name == "failure_ratio" and commonest_failure else ""
            text = missed.against(value, limit) + mostly
        else:
            continue
        reasons.append(Reason(code=f"slo.{name}", text=text, value=value, limit=limit, unit=missed.unit))
    return reasons


def certainly_failing(violations: int, turns_possible: float, share: float = 0.05) -> bool:
    """Return whether an overloaded trial's verdict can no longer change.

    A 95th percentile is above its threshold once more than 5 % of all turns the window can hold violate it.
    """
    return violations > share * turns_possible + 1
