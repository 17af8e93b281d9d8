"""Whether a trial met its SLO."""

from harness.analysis.facts import Figures
from harness.records import Reason
from harness.records.slo import Slo

LABELS: dict[str, tuple[str, float, str]] = {
    "added_ttft_p95_s": ("p95 of the time added before the first token", 1000, "ms"),
    "lateness_p95_s": ("p95 of the tokens' lateness", 1000, "ms"),
    "added_stall_p95_s": ("p95 of the added stall", 1000, "ms"),
    "failure_ratio": ("failed or unfinished turns", 100, "%"),
}


def slo_misses(figures: Figures, slo: Slo, commonest_failure: str | None = None) -> list[Reason]:
    reasons = []
    for name, (label, scale, unit) in LABELS.items():
        value, limit = figures.get(name), getattr(slo, name)
        if value is None and figures.get("incomplete"):
            text = f"{label}: unfinished turns leave it beyond any bound, allowed {limit * scale:g} {unit}"
            reasons.append(Reason(code=f"slo.{name}", text=text, value=None, limit=limit, unit="s"))
        elif value is not None and value > limit:
            mostly = f", mostly {commonest_failure}" if name == "failure_ratio" and commonest_failure else ""
            text = f"{label} {value * scale:.4g} {unit}{mostly}, allowed {limit * scale:g} {unit}"
            reasons.append(
                Reason(code=f"slo.{name}", text=text, value=value, limit=limit, unit="s" if unit == "ms" else "ratio")
            )
    return reasons


def certainly_failing(violations: int, turns_possible: float, share: float = 0.05) -> bool:
    """Return whether an overloaded trial's verdict can no longer change.

    A 95th percentile is above its threshold once more than 5 % of all turns the window can hold violate it.
    """
    return violations > share * turns_possible + 1
