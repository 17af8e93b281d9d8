"""What claims ask of one target: its verdicts by think time, its prediction, its readings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis.capacity import response_s
from harness.analysis.claims import COST_RATIOS
from harness.analysis.plausible import Interval, Tried
from reports.cells.cell import Cell
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, TrialRef, valid


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a run knows of one target.

    Attributes:
        tried: Valid trials under closed load by mean think time in seconds, without failures of a contended machine.
        own_s: Mean think time of the search.
        answer_s: Mean time of a turn at the capacity's level; the model's own where no trial recorded it.
        bracket: Capacity at ``own_s`` (users).
        session: Memory per open session (bytes); its trials are starts of the target.
        common: Figures at the common load, a value per valid trial.
    """

    tried: Mapping[float, Sequence[Tried]]
    own_s: float
    answer_s: float
    bracket: tuple[float | None, float | None] = (None, None)
    session: Interval | None = None
    common: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def here(self) -> Sequence[Tried]:
        """The trials at the think time of the search."""
        return self.tried.get(self.own_s, ())


def known(evidence: Evidence, terms: Conditions, slope: Cell | None) -> Known:
    """Return what a target's trials and the cell of its memory per session tell."""
    own_s = terms.profile.think_mean_s()
    tried = {own_s: _tried(evidence.chat)} if evidence.chat else {}
    thinking = [item for item in evidence.trials if item.key.scenario == "think"]
    for median in sorted({item.key.parameter for item in thinking if item.key.parameter}):
        there = [item for item in thinking if item.key.parameter == median]
        tried[terms.profile.thinking(median).think_mean_s()] = _tried(there)
    ends = evidence.capacity
    turns = [response_s(t.figures) for _, t in valid(evidence.at(ends.low or 0)) if t.verdict.outcome == "pass"]
    seen = [turn_s for turn_s in turns if turn_s is not None]
    common = [trial.figures for _, trial in valid(evidence.at(evidence.common_level))]
    return Known(
        tried=tried,
        own_s=own_s,
        answer_s=sum(seen) / len(seen) if seen else terms.profile.answer_mean_s(),
        bracket=(ends.low, ends.upper),
        session=session(slope.bracket, len(slope.rests_on)) if slope else None,
        common={
            name: [value for figures in common if (value := figures.get(name)) is not None]
            for name in COST_RATIOS.values()
        },
    )


def _tried(trials: Iterable[TrialRef]) -> list[Tried]:
    """Return valid verdicts; what a contended machine failed at is no failure of the target."""
    return [
        Tried(level=trial.key.level, passed=trial.verdict.outcome == "pass")
        for _, trial in valid(trials)
        if not trial.verdict.contended
    ]


def session(bracket: tuple[float | None, float | None] | None, starts: int) -> Interval | None:
    """Return the memory per open session from its printed interval; None where there is none.

    Sessions of one start are one trial, however many steps it has.
    """
    if bracket is None:
        return None
    return Interval(low=bracket[0], high=bracket[1], low_trials=starts, high_trials=starts)
