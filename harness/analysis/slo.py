"""The verdict on a trial's SLO."""

from dataclasses import asdict

from harness.analysis.blocks import SHARE, allowed
from harness.analysis.facts import Figures
from harness.analysis.registry import figure
from harness.records import LoadPlan, Reason
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


def cut_misses(figures: Figures, slo: Slo, commonest_failure: str | None = None) -> list[Reason]:
    """Return a reason for every threshold that a trial was certain to miss when it was cut, with the share beyond it.

    The share is of all turns that the window could hold, so that nothing still to come can change the verdict.
    """
    reasons = []
    for name, share in allowed(slo).items():
        known = figure(f"{at_least_name(name)}")
        value = figures.get(known.name)
        if value is not None and value > share:
            mostly = f", mostly {commonest_failure}" if name == "failure_ratio" and commonest_failure else ""
            text = f"{known.against(value, share)}; cut before its end{mostly}"
            reasons.append(Reason(code=f"slo.{name}", text=text, value=value, limit=share, unit=known.unit))
    return reasons


def at_least_name(threshold: str) -> str:
    """Return the name of the figure that counts, in a cut trial, the turns beyond a threshold of the SLO."""
    return f"{threshold.removesuffix('_p95_s').removesuffix('_ratio')}_missed_at_least_ratio"


def turns_possible(plan: LoadPlan) -> float:
    """Return how many turns the measured window holds at most, by the unloaded cycle and a fifth more."""
    per_s = plan.arrivals_per_s or plan.users / (plan.answer.mean_s() + plan.think_s.mean())
    return 1.2 * max(plan.measure_turns, plan.measure_min_s * per_s)


def certainly_failing(violations: int, possible: float, share: float = SHARE) -> bool:
    """Return whether an overloaded trial's verdict can no longer change.

    A 95th percentile is above its threshold once more than 5 % of all turns the window can hold violate it.
    """
    return violations > share * possible + 1
