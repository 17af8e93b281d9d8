"""Under which conditions a run was measured: think time, answers, thresholds, budget, machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.analysis.registry import figure
from harness.analysis.speed import SessionSpeed
from harness.records import Limits, Profile, Run, TargetInfo
from reports.evidence.trials import TrialRef
from reports.numbers import as_text, significant, span


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions of every printed capacity: a run's profile, and in how many sittings it was measured, in words."""

    profile: Profile
    sittings: int = 1

    @property
    def session(self) -> str:
        """The session that a capacity was measured in, or the sittings, in words."""
        where = "one session" if self.sittings < 2 else f"{self.sittings} sittings"
        return f"{where} on one machine"

    @property
    def slo(self) -> dict[str, float]:
        """Thresholds by figure name."""
        return asdict(self.profile.slo)

    @property
    def think(self) -> str:
        """The think time in words."""
        median_s = as_text(self.profile.think_s.median, "s")
        if not self.profile.think_s.sigma:
            return f"think time {median_s}"
        return f"think time {as_text(self.profile.think_mean_s(), 's')} (mean; median {median_s})"

    @property
    def answers(self) -> str:
        """The answers' length in words."""
        answer = self.profile.answer
        length = f"answers of {significant(answer.tokens.median)} tokens"
        if not answer.tokens.sigma and not answer.tokens_quantiles:
            return length
        return f"{length} (median; mean {answer.tokens_mean():.0f})"

    def at(self, level: int | None, live: float | None) -> str:
        """Say in words what a printed number of users depends on; ``live``: mean live streams at the level named."""
        streams = "live streams unknown"
        if level and live is not None:
            streams = f"{significant(live)} live streams at {as_text(level, 'users')}"
        return f"{self.think}; {self.answers}; {streams}"

    @property
    def pace(self) -> str:
        """The model's timing in words."""
        ttft_s = self.profile.answer.ttft_s
        spread = f" (median, sigma {significant(ttft_s.sigma)})" if ttft_s.sigma else ""
        every = as_text(self.profile.answer.itl_s, "s")
        return f"first token after {as_text(ttft_s.median, 's')}{spread}, then one every {every}"

    @property
    def slo_text(self) -> str:
        """All thresholds in words."""
        return "; ".join(
            f"{figure(name).phrase} ≤ {as_text(limit, figure(name).unit)}" for name, limit in self.slo.items()
        )


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


def limits_by_text(trials: Sequence[TrialRef]) -> list[tuple[str, list[str]]]:
    """Group trials by the limits they ran under: (limits in words, paths of trials)."""
    groups: dict[str, list[str]] = {}
    for path, trial in trials:
        notes = f" — {'; '.join(trial.limits.notes)}" if trial.limits.notes else ""
        groups.setdefault(limits_text(trial.limits) + notes, []).append(path)
    return list(groups.items())


def fingerprint(machine: Mapping[str, Any]) -> str:
    """Name a machine in one line, from the fields that its fingerprint holds."""
    flat = {k: v for k, v in machine.items() if isinstance(v, str | int | float) and not isinstance(v, bool)}
    return (
        ", ".join(f"{k.removesuffix('_bytes').replace('_', ' ')}: {_machine_value(k, v)}" for k, v in flat.items())
        or "not recorded"
    )


def speed(found: SessionSpeed) -> str:
    """Name a session's machine speed, its median with the range over trials."""
    trials = "1 trial" if found.trials == 1 else f"median of {found.trials} trials"
    return f"{significant(found.median)} × ({span(found.low, found.high, None)}, {trials})"


def _machine_value(key: str, value: Any) -> str:
    return as_text(float(value), "bytes") if key.endswith("_bytes") else str(value)


def versions(info: TargetInfo) -> str:
    """Name a target's parts with the versions that were installed, and say where their packages are not locked."""
    return ", ".join(map(_version, info.parts))


def _version(part: Mapping[str, str]) -> str:
    named = f"{part.get('package', part.get('name', '?'))} {part.get('version', '?')}"
    return f"{named} ({part['packages']})" if part.get("packages") else named


def files(info: TargetInfo) -> str:
    """Name the files of a target's own parts by their digests, shortened; empty for a run that recorded none."""
    return ", ".join(f"{part.get('name', '?')} {part['sources'][:12]}" for part in info.parts if part.get("sources"))


def citation(run: Run, terms: Conditions) -> str:
    """Return a line to cite a run by: id, versions, conditions; one without a capacity is not to be cited."""
    if not run.profile.capacity:
        return f"Not to be cited: profile {run.profile.name} only asks whether everything works (run {run.run_id})."
    targets = "; ".join(f"{name} ({versions(info)})" for name, info in run.targets.items())
    return (
        f"chatbench {run.tool_version}, run {run.run_id} of {run.created_at[:10]}, profile {run.profile.name}, "
        f"{terms.think}, {terms.answers}, {run.runtime} runtime, seed {run.seed}: {targets}. "
        f"Machine: {fingerprint(run.machine)}."
    )
