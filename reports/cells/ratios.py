"""Modular over monolithic: quotients of two cells, as brackets that hold every value inside both."""

from dataclasses import replace

from harness.analysis.capacity import Capacity
from reports.cells.cell import Bracket, Cell, CellVerdict
from reports.numbers import significant, span

UNIT = "×"
COMPARED = ("users_per_core_at_capacity", "cpu_s_per_turn_at_capacity", "memory_slope_bytes_per_session")


def capacity_bracket(modular: Capacity, monolithic: Capacity) -> Bracket:
    """Return [low A / upper B, upper A / low B]; ``None`` at an end that the trials leave open.

    A numerator without an upper end leaves the upper end open, such a denominator the lower one.
    """
    low = modular.low / monolithic.upper if modular.low is not None and monolithic.upper else None
    high = modular.upper / monolithic.low if modular.upper and monolithic.low else None
    return low, high


def capacity_between(modular: Capacity, monolithic: Capacity) -> tuple[float, float] | None:
    """Return the least and the most that a ratio counts by; None without a worked-out end or where one is open."""
    over, under = modular.middles, monolithic.middles
    if over is None or under is None or not (modular.worked_out or monolithic.worked_out):
        return None
    return over[0] / under[1], over[1] / under[0]


def capacity_ratio(label: str, modular: Cell, monolithic: Cell, a: Capacity, b: Capacity) -> Cell:
    """Return the ratio of two capacities as a bracket; its value is the ratio of the highest levels that passed."""
    bracket = capacity_bracket(a, b)
    value = a.low / b.low if a.low is not None and b.low and None not in bracket else None
    if modular.verdict == "invalid" or monolithic.verdict == "invalid":
        return _cell("capacity_users", label, modular, monolithic, None, None, "invalid", "invalid: see the columns")
    why = "the monolithic capacity is itself only a lower bound" if b.low else "no monolithic level passed"
    worked_out = (bracket[0] is not None and b.worked_out, bracket[1] is not None and a.worked_out)
    verdict, text = _worded(bracket, why if b.upper is None else None, worked_out)
    cell = _cell("capacity_users", label, modular, monolithic, value, bracket, verdict, text)
    return replace(cell, worked_out=worked_out, between=capacity_between(a, b))


def _worded(
    bracket: Bracket, open_denominator: str | None, worked_out: tuple[bool, bool] = (False, False)
) -> tuple[CellVerdict, str]:
    low, high = bracket
    if low is not None and high is not None:
        text = span(low, high, UNIT, worked_out=worked_out)
        return ("tie", f"tie: {text}") if low <= 1 <= high else ("measured", text)
    end = ", worked out" if any(worked_out) else ""
    if low is not None:
        return "bound", f"≥ {significant(low)} {UNIT}{end}"
    if high is not None:
        why = f"unbounded below: {open_denominator}; " if open_denominator else ""
        return "bound", f"{why}≤ {significant(high)} {UNIT}{end}"
    return "inconclusive", f"unbounded: {open_denominator}" if open_denominator else "inconclusive"


def quotient(measure: str, label: str, modular: Cell, monolithic: Cell) -> Cell | None:
    """Return the quotient of two measured cells; ``None`` where one of them has no number."""
    if modular.verdict == "invalid" or monolithic.verdict == "invalid":
        return _cell(measure, label, modular, monolithic, None, None, "invalid", "invalid: see the columns")
    a, b = _interval(modular), _interval(monolithic)
    if a is None or b is None:
        return None
    value = modular.value / monolithic.value if modular.value is not None and monolithic.value else None
    low = a[0] / b[1] if a[0] is not None and a[0] > 0 and b[1] else None
    high = a[1] / b[0] if a[1] is not None and b[0] is not None and b[0] > 0 else None
    if value is not None and not modular.bracket and not monolithic.bracket:
        return _cell(measure, label, modular, monolithic, value, None, "measured", f"{significant(value)} {UNIT}")
    verdict, text = _worded((low, high), None)
    bracket = (low, high) if (low, high) != (None, None) else None
    return _cell(measure, label, modular, monolithic, value, bracket, verdict, text)


def _interval(cell: Cell) -> Bracket | None:
    if cell.bracket:
        return cell.bracket
    return (cell.value, cell.value) if cell.value is not None else None


def _cell(
    measure: str,
    label: str,
    modular: Cell,
    monolithic: Cell,
    value: float | None,
    bracket: Bracket | None,
    verdict: CellVerdict,
    text: str,
) -> Cell:
    target = f"{modular.target} / {monolithic.target}"
    return Cell(
        id=f"{measure}/{target}",
        label=label,
        target=target,
        value=value,
        unit=UNIT,
        bracket=bracket if bracket != (None, None) else None,
        verdict=verdict,
        text=text,
        short=text if bracket or value is not None else "",
        rests_on=tuple(dict.fromkeys(modular.rests_on + monolithic.rests_on)),
    )
