"""Under which conditions a run was measured: think time, answers, thresholds, budget, machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from statistics import fmean
from typing import Any

from harness.records import Limits, Run, TargetInfo, Trial
from reports.numbers import as_text, significant

SLO_LABELS = {
    "added_ttft_p95_s": "added TTFT p95",
    "lateness_p95_s": "lateness p95",
    "added_stall_p95_s": "added stall p95",
    "failure_ratio": "failed + unfinished",
    "ttft_p95_s": "TTFT p95",
    "stall_p95_s": "stall p95",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What every printed capacity depends on.

    Attributes:
        think_s: Median pause between an answer's end and the next message.
        think_sigma: Of its logarithm; 0 for a constant pause.
        slo: Thresholds by figure name.
        rounds: Of the estimate; 0 where only a bracket was asked for.
        further_think_s: Median think times at which a prediction was to be tested.
        open_per_minute: Arrivals a minute of the open workload for all targets alike; None where it was not asked for.
        open_percent: Shares of a target's own capacity at which turns were to arrive.
        visit_users: People who visit at a time; None where visits were not asked for.
        spike: What the profile says of a spike; empty where it was not asked for. So too ``soak``.
    """

    profile: str
    think_s: float | None
    think_sigma: float
    tokens: float | None
    tokens_sigma: float
    tokens_quantiles: tuple[float, ...]
    itl_s: float | None
    ttft_s: float | None
    ttft_sigma: float
    slo: dict[str, float]
    rounds: int
    further_think_s: tuple[int, ...]
    open_per_minute: int | None
    open_percent: tuple[int, ...]
    visit_users: int | None
    spike: Mapping[str, Any]
    soak: Mapping[str, Any]

    @property
    def think(self) -> str:
        """The think time in words."""
        if self.think_s is None:
            return "think time not recorded"
        if not self.think_sigma:
            return f"think time {as_text(self.think_s, 's')}"
        return f"think time {as_text(self.think_mean_s, 's')} (mean; median {as_text(self.think_s, 's')})"

    @property
    def think_mean_s(self) -> float:
        """Mean think time; exp(μ + σ²/2) of a log-normal with median exp(μ)."""
        return (self.think_s or 0.0) * exp(self.think_sigma**2 / 2)

    @property
    def answer_mean_s(self) -> float:
        """Mean time of an answer as the model sends it."""
        ttft_s = (self.ttft_s or 0.0) * exp(self.ttft_sigma**2 / 2)
        return ttft_s + self.tokens_mean * (self.itl_s or 0.0)

    @property
    def tokens_mean(self) -> float:
        """Mean length of an answer; of quantiles joined by straight lines the mean of the pieces' middles."""
        if not self.tokens_quantiles:
            return (self.tokens or 0.0) * exp(self.tokens_sigma**2 / 2)
        return fmean(sum(pair) / 2 for pair in pairwise(self.tokens_quantiles))

    @property
    def answers(self) -> str:
        """The answers' length in words."""
        if self.tokens is None:
            return "answer length not recorded"
        if not self.tokens_sigma and not self.tokens_quantiles:
            return f"answers of {significant(self.tokens)} tokens"
        return f"answers of {significant(self.tokens)} tokens (median; mean {self.tokens_mean:.0f})"

    def at(self, level: int | None, live: float | None) -> str:
        """Say in words what a printed number of users depends on; ``live``: mean live streams at the level named."""
        streams = "live streams unknown"
        if level and live is not None:
            streams = f"{significant(live)} live streams at {as_text(level, 'users')}"
        return f"{self.think}; {self.answers}; {streams}"

    @property
    def pace(self) -> str:
        """The model's timing in words."""
        if self.ttft_s is None or self.itl_s is None:
            return "model timing not recorded"
        spread = f" (median, sigma {significant(self.ttft_sigma)})" if self.ttft_sigma else ""
        return f"first token after {as_text(self.ttft_s, 's')}{spread}, then one every {as_text(self.itl_s, 's')}"

    @property
    def slo_text(self) -> str:
        """All thresholds in words."""
        return "; ".join(f"{SLO_LABELS.get(k, k)} ≤ {as_text(v, slo_unit(k))}" for k, v in self.slo.items())


def slo_unit(name: str) -> str:
    """Return the unit of a threshold from its name."""
    return "s" if name.endswith("_s") else "ratio"


def conditions(run: Run) -> Conditions:
    """Read the conditions out of a run's resolved profile; what it does not state is ``None``."""
    profile = run.profile
    answer = _table(profile.get("answer"))
    think_s, think_sigma = _distribution(profile.get("think_s"))
    tokens, tokens_sigma = _distribution(answer.get("tokens"))
    ttft_s, ttft_sigma = _distribution(answer.get("ttft_s"))
    itl_s = answer.get("itl_s")
    search = _table(profile.get("search"))
    slo = {k: float(v) for k, v in _table(profile.get("slo")).items() if isinstance(v, int | float)}
    return Conditions(
        profile=str(profile.get("name", "unnamed")),
        think_s=think_s,
        think_sigma=think_sigma,
        tokens=tokens,
        tokens_sigma=tokens_sigma,
        tokens_quantiles=tuple(answer.get("tokens_quantiles") or ()),
        itl_s=float(itl_s) if itl_s is not None else None,
        ttft_s=ttft_s,
        ttft_sigma=ttft_sigma,
        slo=slo,
        rounds=int(search.get("rounds") or 0),
        further_think_s=tuple(search.get("further_think_s") or ()),
        open_per_minute=_table(profile.get("open")).get("per_minute"),
        open_percent=tuple(_table(profile.get("open")).get("percent") or ()),
        visit_users=_table(profile.get("visit")).get("users"),
        spike=_table(profile.get("spike")),
        soak=_table(profile.get("soak")),
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _distribution(value: Any) -> tuple[float | None, float]:
    if isinstance(value, Mapping) and value.get("median") is not None:
        return float(value["median"]), float(value.get("sigma") or 0.0)
    if isinstance(value, int | float):
        return float(value), 0.0
    return None, 0.0


def limits_text(limits: Limits) -> str:
    """Say which budget the kernel enforced, and which it did not."""
    cpus = f"{len(limits.cpus)} CPUs ({_ranges(limits.cpus)})"
    memory = "no memory limit" if limits.memory_bytes is None else f"{as_text(limits.memory_bytes, 'bytes')} memory"
    enforced = {
        (True, True): f"enforced by {limits.how}",
        (True, False): f"CPUs enforced by {limits.how}, memory NOT enforced",
        (False, True): f"memory enforced by {limits.how}, CPUs NOT enforced (affinity only)",
        (False, False): f"NOT enforced ({limits.how})",
    }[limits.cpu_enforced, limits.memory_enforced]
    where = (
        f"generator and model on other CPUs ({_ranges(limits.generator_cpus)})"
        if limits.spare_cpus
        else "generator and model share these CPUs"
    )
    return f"{cpus}, {memory}, {enforced}; {where}"


def _ranges(numbers: tuple[int, ...]) -> str:
    return ", ".join(str(n) for n in sorted(numbers)) or "none"


def limits_by_text(trials: list[tuple[str, Trial]]) -> list[tuple[str, list[str]]]:
    """Group trials by the limits they ran under: (limits in words, paths of trials)."""
    groups: dict[str, list[str]] = {}
    for path, trial in trials:
        notes = f" — {'; '.join(trial.limits.notes)}" if trial.limits.notes else ""
        groups.setdefault(limits_text(trial.limits) + notes, []).append(path)
    return list(groups.items())


def fingerprint(machine: Mapping[str, Any]) -> str:
    """Name a machine in one line, from whatever its fingerprint holds."""
    flat = {k: v for k, v in machine.items() if isinstance(v, str | int | float) and not isinstance(v, bool)}
    return (
        ", ".join(f"{k.removesuffix('_bytes').replace('_', ' ')}: {_machine_value(k, v)}" for k, v in flat.items())
        or "not recorded"
    )


def _machine_value(key: str, value: Any) -> str:
    return as_text(float(value), "bytes") if key.endswith("_bytes") else str(value)


def versions(info: TargetInfo) -> str:
    """Name a target's parts with the versions that were installed."""
    return ", ".join(f"{part.get('package', part.get('name', '?'))} {part.get('version', '?')}" for part in info.parts)


def citation(run: Run) -> str:
    """One line to cite a run by: id, versions, conditions."""
    terms = conditions(run)
    targets = "; ".join(f"{name} ({versions(info)})" for name, info in run.targets.items())
    return (
        f"chatbench {run.tool_version}, run {run.run_id} of {run.created_at[:10]}, profile {terms.profile}, "
        f"{terms.think}, {terms.answers}, {run.runtime} runtime, seed {run.seed}: {targets}. "
        f"Machine: {fingerprint(run.machine)}."
    )
