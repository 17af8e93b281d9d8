"""What claims ask of one target: its verdicts by think time, its prediction, its readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis.capacity import response_s
from harness.analysis.claims import COST_RATIOS, CPU_RATIO, tells
from harness.analysis.plausible import Interval, Tried
from reports.cells import cost
from reports.cells.cell import Cell
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, valid, whole


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a run knows of one target.

    Attributes:
        tried: Valid trials under closed load by mean think time in seconds, without those that tell nothing of the
            target.
        own_s: Mean think time of the search.
        answer_s: Mean time of a turn at the capacity's level; the model's own where no trial recorded it.
        bracket: Capacity at ``own_s`` (users).
        worked_out: Its upper end was worked out, not observed.
        session: Memory per open session (bytes); its trials are starts of the target.
        common: Figures at the common load, a value per valid trial; CPU time per turn without idle CPU.
    """

    tried: Mapping[float, Sequence[Tried]]
    own_s: float
    answer_s: float
    bracket: tuple[float | None, float | None] = (None, None)
    worked_out: bool = False
    session: Interval | None = None
    common: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def here(self) -> Sequence[Tried]:
        """The trials at the think time of the search."""
        return self.tried.get(self.own_s, ())


def known(evidence: Evidence, terms: Conditions, slope: Cell | None) -> Known:
    """Return what a target's trials and the cell of its memory per session tell."""
    own_s = terms.profile.think_mean_s()
    ends = evidence.capacity
    found: dict[float, list[Tried]] = {}
    for _, trial in valid(item for item in evidence.trials if item.key.scenario in ("chat", "think")):
        key = trial.key
        think_s = terms.profile.thinking(key.parameter).think_mean_s() if key.parameter else own_s
        there = found.setdefault(think_s, [])
        beyond = tells(key.level, ends.upper, terms.profile.answer_mean_s(), own_s, think_s)
        if beyond or not trial.verdict.contended:
            passed = trial.verdict.outcome == "pass"
            there.append(Tried(level=key.level, passed=passed, contended=trial.verdict.contended))
    turns = [response_s(t.figures) for _, t in valid(evidence.at(ends.low or 0)) if t.verdict.outcome == "pass"]
    seen = [turn_s for turn_s in turns if turn_s is not None]
    return Known(
        tried=found,
        own_s=own_s,
        answer_s=sum(seen) / len(seen) if seen else terms.profile.answer_mean_s(),
        bracket=(ends.low, ends.upper),
        worked_out=ends.worked_out,
        session=session(slope.bracket, len(slope.rests_on)) if slope else None,
        common=_common(evidence),
    )


def _common(evidence: Evidence) -> dict[str, list[float]]:
    """Return figures at the common load; no CPU time where idle CPU is not known or most of it."""
    trials = [trial for _, trial in whole(valid(evidence.at(evidence.common_level)))]
    idle = cost.idle_cores(evidence)
    used = min((trial.figures.get("target_cores") or 0.0 for trial in trials), default=0.0)
    told = idle is not None and idle <= cost.IDLE_SHARE * used
    readings = {name: [trial.figures.get(name) for trial in trials] for name in COST_RATIOS.values()}
    readings[COST_RATIOS[CPU_RATIO]] = [cost.without_idle(trial, idle or 0.0) for trial in trials if told]
    return {name: [value for value in values if value is not None] for name, values in readings.items()}


def session(bracket: tuple[float | None, float | None] | None, starts: int) -> Interval | None:
    """Return the memory per open session from its printed interval; None where there is none.

    Sessions of one start are one trial, however many steps it has.
    """
    if bracket is None:
        return None
    return Interval(low=bracket[0], high=bracket[1], low_trials=starts, high_trials=starts)
