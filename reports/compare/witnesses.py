"""What may explain the differences between sessions: a fixed work, and what load generator and model took."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from harness.analysis import sessions
from harness.analysis.figure import figure
from harness.analysis.sessions import Witness
from harness.records import Trial
from reports.compare.pooled_cell import AT_REFERENCE, CAPACITY, RATIO, PooledCell, Session, pooled_cell
from reports.numbers import as_text, significant

FIXED_WORK, CO_RUNNERS = "the fixed work", "CPU time per turn of load generator and model"


def witnesses_of(found: Sequence[Session], cells: Sequence[PooledCell]) -> Iterator[Witness]:
    """Yield for each target what the fixed work and the tools' own CPU time make of its capacities."""
    for cell in cells:
        if cell.measure != CAPACITY or RATIO in cell.target:
            continue
        factors = {
            FIXED_WORK: [1 / one.speed.median if one.speed else None for one in found],
            CO_RUNNERS: [co_runners_s(one, cell.id) for one in found],
        }
        for name, values in factors.items():
            both = [
                (value, factor)
                for value, factor in zip(cell.readings, values, strict=True)
                if value and not value.at_least and factor is not None
            ]
            if both:
                users, known = zip(*((value.value, factor) for value, factor in both), strict=True)
                yield Witness(name=name, target=cell.target, raw=users, factors=known)


def co_runners_s(session: Session, cell_id: str) -> float | None:
    """Return the CPU seconds of load generator and model per turn, the median over the trials a capacity rests on."""
    cell = session.cell(cell_id)
    trials = dict(session.report.trials)
    costs = [_beside_s(trials[path]) for path in (cell.rests_on if cell else ())]
    known = [cost for cost in costs if cost is not None]
    return median(known) if known else None


def _beside_s(trial: Trial) -> float | None:
    both = [trial.figures.get(f"{name}_cpu_s_per_turn") for name in ("generator", "model")]
    known = [value for value in both if value is not None]
    return sum(known) if len(known) == len(both) else None


def at_reference(found: Sequence[Session], cells: Sequence[PooledCell]) -> Iterator[PooledCell]:
    """Yield the capacities at the speed of the reference."""
    for cell in cells:
        if cell.measure != CAPACITY or RATIO in cell.target:
            continue
        readings = tuple(
            replace(value, value=value.value / session.speed.median) if value and session.speed else None
            for value, session in zip(cell.readings, found, strict=True)
        )
        texts = tuple("–" if one is None else as_text(one.value, cell.unit) for one in readings)
        label = figure(AT_REFERENCE).label
        yield pooled_cell(f"{AT_REFERENCE}/{cell.target}", label, cell.target, cell.unit, readings, texts)


def verdict(name: str, helps: bool | None, witnesses: Sequence[Witness]) -> str:
    """Say what a witness explains."""
    mine = [one for one in witnesses if one.name == name]
    if helps is None:
        there = min(len(one.raw) for one in mine)
        return (
            f"Whether {name} explains the differences between sessions is not settled: "
            f"{there} sessions have it, {sessions.SETTLED_SESSIONS} are needed."
        )
    spreads = "; ".join(f"{one.target} from {_percent(one.spreads[0])} to {_percent(one.spreads[1])}" for one in mine)
    does = "explains" if helps else "does not explain"
    return f"{name[0].upper()}{name[1:]} {does} the differences between sessions. Spread with it taken out: {spreads}."


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{significant(100 * value)} %"
