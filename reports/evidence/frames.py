"""A run's raw samples as pandas frames, for notebooks and plots."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.records import Trial
from reports.evidence.trials import TrialRef

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Frames:
    """All trials of a run; every row says target, scenario, level, repetition and trial (folder).

    Attributes:
        turns: A row per turn, times in seconds on the machine's monotonic clock.
        resources: A row per sample and component.
        trials: A row per trial: verdict, reasons, and a column per figure.
    """

    folder: Path
    refs: tuple[TrialRef, ...]
    turns: "pd.DataFrame"
    resources: "pd.DataFrame"
    trials: "pd.DataFrame"

    @cached_property
    def tokens(self) -> "pd.DataFrame":
        """A row per turn: lists of arrival and emission offsets; read when asked for, since it is the largest."""
        return _stack(self.folder, self.refs, results.TOKENS, results.read_tokens)

    @cached_property
    def calls(self) -> "pd.DataFrame":
        """A row per call of the model, those without a turn included."""
        return _stack(self.folder, self.refs, results.CALLS, results.read_calls)


def load(run: str | Path) -> Frames:
    """Load all complete trials of a run.

    Raises:
        BenchError: a file is missing or damaged; it is named.
    """
    import pandas as pd

    folder = Path(run)
    results.read_run(folder)
    trials = trial_refs(folder)
    return Frames(
        folder=folder,
        refs=tuple(trials),
        turns=_stack(folder, trials, results.TURNS, results.read_turns),
        resources=_stack(folder, trials, results.RESOURCES, results.read_resources),
        trials=pd.DataFrame([_trial_row(path, trial) for path, trial in trials]),
    )


def trial_refs(folder: Path) -> list[TrialRef]:
    """Return a run's complete trials."""
    return [TrialRef(path.relative_to(folder).as_posix(), trial) for path, trial in results.read_trials(folder)]


def _stack(
    folder: Path, trials: Iterable[TrialRef], name: str, read: "Callable[[Path], pd.DataFrame]"
) -> "pd.DataFrame":
    import pandas as pd

    frames = [read(folder / path).assign(**_labels(path, trial)) for path, trial in trials if name in trial.files]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else next(iter(frames), pd.DataFrame())


def _labels(path: str, trial: Trial) -> dict[str, str | int | None]:
    key = trial.key
    return {
        "target": key.target,
        "scenario": key.scenario,
        "parameter": key.parameter,
        "level": key.level,
        "repetition": key.repetition,
        "trial": path,
    }


def _trial_row(path: str, trial: Trial) -> dict[str, object]:
    return {
        **_labels(path, trial),
        "started_at": trial.started_at,
        "outcome": trial.verdict.outcome,
        "contended": trial.verdict.contended,
        "reasons": "; ".join(reason.text for reason in trial.verdict.reasons),
        **trial.figures,
    }
