"""The trials of one target in a run, sorted by scenario."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import NamedTuple

from harness.analysis import capacity
from harness.records import Run, SwapMatrix, TargetInfo, Trial, TrialKey

PREFERRED = {"modular": "django+angular", "monolith": "streamlit"}


class TrialRef(NamedTuple):
    """A trial, and its folder relative to the run's."""

    folder: str
    trial: Trial

    @property
    def key(self) -> TrialKey:
        """The words that name the trial."""
        return self.trial.key


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One target's trials, with paths relative to the run's folder."""

    target: str
    info: TargetInfo
    common_level: int
    trials: tuple[TrialRef, ...]
    swap: SwapMatrix | None = None  # the run's

    @property
    def no_app(self) -> bool:
        """Tell if there was no application, so that its resources are unknown."""
        return self.info.instances == 0

    @property
    def chat(self) -> list[TrialRef]:
        """Trials of the closed chat workload, invalid ones included."""
        return [item for item in self.trials if item.key.scenario == "chat"]

    @property
    def idle(self) -> list[TrialRef]:
        """Trials that only held sessions open."""
        return [item for item in self.trials if item.key.scenario == "idle"]

    @property
    def checks(self) -> list[TrialRef]:
        """Trials that only saw whether the target answers, and how soon after its start."""
        return [item for item in self.trials if item.key.scenario == "check"]

    @property
    def audits(self) -> list[TrialRef]:
        """The trials that audited the target."""
        return [item for item in self.trials if item.key.scenario == "audit"]

    def at(self, level: int) -> list[TrialRef]:
        """Chat trials at a load level, invalid ones included."""
        return [item for item in self.chat if item.key.level == level]

    @cached_property
    def capacity(self) -> capacity.Capacity:
        """The bracket that the verdicts of all chat trials add up to."""
        return capacity.assess(
            [
                capacity.Outcome(
                    level=t.key.level,
                    repetition=t.key.repetition,
                    verdict=t.verdict,
                    cores=t.figures.get("target_cores"),
                    cut=t.summary is not None and t.summary.stopped_early,
                )
                for _, t in sorted(self.chat, key=lambda item: item.key.number)
            ]
        )


def gather(run: Run, trials: Iterable[TrialRef], swap: SwapMatrix | None = None) -> dict[str, Evidence]:
    """Sort a run's trials by target, in the run's order of targets."""
    refs = list(trials)
    return {
        name: Evidence(
            target=name,
            info=info,
            common_level=run.common_level,
            trials=tuple(item for item in refs if item.key.target == name),
            swap=swap,
        )
        for name, info in run.targets.items()
    }


def columns(run: Run) -> tuple[str | None, str | None]:
    """Choose the targets of the article's two columns: (modular, monolithic); ``None`` where the run has none."""
    return _column(run, "modular"), _column(run, "monolith")


def _column(run: Run, kind: str) -> str | None:
    names = [name for name, info in run.targets.items() if info.kind == kind]
    plain = [name for name in names if ":" not in name]
    if PREFERRED[kind] in names:
        return PREFERRED[kind]
    return next(iter(plain or names), None)


def valid(trials: Iterable[TrialRef]) -> list[TrialRef]:
    """Leave out invalid trials."""
    return [item for item in trials if item.trial.verdict.outcome != "invalid"]


def cut(trial: Trial) -> bool:
    """Tell if a trial has a verdict and no whole window: it was stopped early, or its load never settled."""
    seen = trial.summary
    return not trial.figures or bool(seen and (seen.stopped_early or seen.unsettled))


def whole(trials: Iterable[TrialRef]) -> list[TrialRef]:
    """Leave out trials that were cut."""
    return [item for item in trials if not cut(item.trial)]


def live_streams(trials: Iterable[TrialRef]) -> float | None:
    """Return the mean number of answers in flight during trials; None where none has recorded it."""
    numbers = [v for _, t in trials if (v := t.figures.get("live_streams_mean")) is not None]
    return fmean(numbers) if numbers else None


def paths(trials: Iterable[TrialRef]) -> tuple[str, ...]:
    """Return the folders of trials."""
    return tuple(path for path, _ in trials)


def reasons(trials: Iterable[TrialRef]) -> str:
    """Join the distinct reasons of trials."""
    return "; ".join(dict.fromkeys(r.text for _, trial in trials for r in trial.verdict.reasons))


def first_reasons(trials: Iterable[TrialRef]) -> str:
    """Join the reasons of trials, the first of each kind: the same one with other numbers adds nothing."""
    kinds: dict[str, str] = {}
    for _, trial in trials:
        for reason in trial.verdict.reasons:
            kinds.setdefault(reason.code, reason.text)
    return "; ".join(kinds.values())


def unfinished(trials: Iterable[TrialRef]) -> float:
    """Return how many turns of these trials did not end well: they leave percentiles without a bound."""
    return sum((t.figures.get("incomplete") or 0) + (t.figures.get("failed") or 0) for _, t in trials)
