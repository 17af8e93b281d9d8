"""A runtime that needs no time: it stands in for trials so that whole campaigns run in milliseconds."""

from collections.abc import Callable

from harness.records import Limits, Trial, TrialKey, Verdict

LIMITS = Limits(
    cpus=(0, 1),
    memory_bytes=4 * 1024**3,
    swap_bytes=0,
    cpu_enforced=True,
    memory_enforced=True,
    how="fake",
    generator_cpus=(2, 3),
    spare_cpus=True,
)
FIGURES: dict[str, float | None] = {
    "turn_mean_s": 1.1,
    "target_cpu_s_per_turn": 0.02,
    "busiest_cpu_s_per_turn": 0.02,
    "target_cores": 0.1,
    "memory_bytes_0": 1e8,
    "memory_slope_bytes_per_session": 1e6,
}


def trial(key: TrialKey, verdict: Verdict, figures: dict[str, float | None] | None = None) -> Trial:
    """A trial as it would have been measured."""
    return Trial(
        key=key,
        started_at=f"2026-01-01T00:00:00.{key.number:03d}",
        limits=LIMITS,
        components=(),
        summary=None,
        verdict=verdict,
        figures=FIGURES if figures is None else figures,
        files={},
    )


def carrying(capacities: dict[str, int]) -> Callable[[TrialKey], Trial]:
    """Targets that carry so many users each."""

    def measure(key: TrialKey) -> Trial:
        carried = capacities[key.target]
        if key.scenario == "climb":
            edge = float(carried) if carried < key.level else None
            return trial(key, Verdict(outcome="pass"), FIGURES | {"climb_users": edge})
        good = key.scenario != "chat" or key.level <= carried
        return trial(key, Verdict(outcome="pass" if good else "fail"))

    return measure
