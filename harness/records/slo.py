"""The SLO: the thresholds for no significant slowdown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """ "No significant slowdown": all thresholds hold at once (measurement method, default SLO)."""

    added_ttft_p95_s: float = 0.5
    lateness_p95_s: float = 0.5
    added_stall_p95_s: float = 0.25
    failure_ratio: float = 0.01
