"""What may explain the differences between sessions: a fixed work, and what load generator and model took."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from harness.analysis import sessions, speed
from harness.analysis.registry import figure
from harness.analysis.sessions import Power, Witness
from harness.records import Trial
from reports.compare.pooled_cell import AT_REFERENCE, CAPACITY, RATIO, PooledCell, Session, pooled_cell
from reports.evidence.trials import valid
from reports.numbers import significant, span

FIXED_WORK, CO_RUNNERS = "the fixed work", "CPU time per turn of load generator and model"
COST = "target_cpu_s_per_turn"


def witnesses_of(found: Sequence[Session], cells: Sequence[PooledCell]) -> Iterator[Witness]:
    """Yield for each target what the fixed work and the tools' own CPU time make of its capacities.

    A capacity with a worked-out end counts as observed.
    """
    for cell in _capacities(cells):
        speeds = [speed_there(one, cell.id) for one in found]
        factors = {
            FIXED_WORK: [1 / one if one else None for one in speeds],
            CO_RUNNERS: [_over_trials(one, cell.id, _beside_s) for one in found],
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


def _capacities(cells: Sequence[PooledCell]) -> list[PooledCell]:
    return [cell for cell in cells if cell.measure == CAPACITY and RATIO not in cell.target]


def speed_there(session: Session, cell_id: str) -> float | None:
    """Return the machine's speed over the trials that a figure rests on; None where none recorded it."""
    return _over_trials(session, cell_id, lambda trial: speed.around(trial.speed))


def _over_trials(session: Session, cell_id: str, read: Callable[[Trial], float | None]) -> float | None:
    """Return the median of a reading over the trials that a figure rests on, of both targets of a ratio."""
    cell = session.cell(cell_id)
    trials = dict(session.report.trials)
    readings = [read(trials[path]) for path in (cell.rests_on if cell else ())]
    known = [value for value in readings if value is not None]
    return median(known) if known else None


def _beside_s(trial: Trial) -> float | None:
    """Return the CPU seconds of load generator and model per turn."""
    both = [trial.figures.get(f"{name}_cpu_s_per_turn") for name in ("generator", "model")]
    known = [value for value in both if value is not None]
    return sum(known) if len(known) == len(both) else None


def powers_of(found: Sequence[Session], cells: Sequence[PooledCell]) -> Mapping[str, Power]:
    """Return by target how CPU time per turn goes with the machine's speed over single trials, where they tell.

    Repetitions of one level in one session are compared: a turn costs less the more of them run.
    """
    powers = {cell.target: sessions.power(_repetitions(found, cell.target)) for cell in _capacities(cells)}
    return {target: one for target, one in powers.items() if one}


def _repetitions(found: Sequence[Session], target: str) -> list[list[tuple[float, float]]]:
    groups: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for session in found:
        for _, trial in valid(session.report.evidence[target].chat):
            pace, cost_s = speed.around(trial.speed), trial.figures.get(COST)
            if pace and cost_s:
                groups.setdefault((session.run_id, trial.key.level), []).append((pace, cost_s))
    return list(groups.values())


def at_reference(found: Sequence[Session], cells: Sequence[PooledCell]) -> Iterator[PooledCell]:
    """Yield the capacities at the speed of the reference."""
    for cell in _capacities(cells):
        speeds = [speed_there(session, cell.id) for session in found]
        readings = tuple(
            value.times(1 / pace) if value and pace else None for value, pace in zip(cell.readings, speeds, strict=True)
        )
        texts = tuple("–" if one is None else span(*one.ends, cell.unit) for one in readings)
        label = figure(AT_REFERENCE).label
        yield pooled_cell(f"{AT_REFERENCE}/{cell.target}", label, cell.target, cell.unit, readings, texts)


def went(target: str, power: Power) -> str:
    """Say how CPU time per turn goes with the machine's speed from trial to trial."""
    value, low, high = (significant(round(one, 2)) for one in (power.value, power.low, power.high))
    return (
        f"CPU time per turn of {target} goes as speed to the power {value} over {power.trials} repeated trials "
        f"(95 % interval {low} to {high}). At −1 it follows the speed, at 0 it does not."
    )


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
