"""The format of printed numbers: the same in the terminal, the files and the page."""

from math import floor, log10

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")


def significant(value: float, digits: int = 3) -> str:
    """Return a number rounded to so many significant digits, with thousands separated, never in scientific notation."""
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    if places <= 0:
        return f"{rounded:,.0f}"
    text = f"{rounded:,.{places}f}"
    return text.rstrip("0").rstrip(".") or "0"


def as_text(value: float, unit: str | None) -> str:
    """Return a value with its unit for people: seconds below one as milliseconds, bytes in binary multiples."""
    amount, slash, per = (unit or "").partition("/")
    if slash and amount in ("s", "bytes"):
        return f"{as_text(value, amount)}/{per}"
    match unit:
        case "s":
            return _seconds(value)
        case "bytes":
            return _bytes(value)
        case "ratio":
            return f"{significant(value * 100)} %"
        case "×":
            return f"{significant(value)} ×"
        case "users":
            return f"{value:,.0f} users"
        case "count":
            return f"{value:,.0f}"
        case None | "":
            return significant(value)
        case _:
            return f"{significant(value)} {unit}"


def span(low: float, high: float, unit: str | None, *, worked_out: tuple[bool, bool] = (False, False)) -> str:
    """Return a range with its unit once where both ends share it.

    ``worked_out``: of each end, whether it was worked out and not observed, which ``≥`` or ``≤`` before it marks.
    """
    first, last = as_text(low, unit), as_text(high, unit)
    marks = ["≥" if worked_out[0] else "", "≤" if worked_out[1] else ""]
    if first == last and not any(marks):
        return first
    number, _, suffix = first.partition(" ")
    if " " not in first + last or (suffix and last.endswith(f" {suffix}")):
        return f"{marks[0]}{number}–{marks[1]}{last}"
    return f"{marks[0]}{first} – {marks[1]}{last}"


def _seconds(value: float) -> str:
    if abs(value) >= 0.9995:
        return f"{significant(value)} s"
    if abs(value) < 5e-5:
        return "0 ms"
    return f"{round(value * 1000, 1):.1f} ms" if abs(value) < 0.01 else f"{value * 1000:.0f} ms"


def _bytes(value: float) -> str:
    size, step = abs(value), 0
    while size >= 1024 and step < len(_BINARY) - 1:
        size /= 1024
        step += 1
    sign = "-" if value < 0 else ""
    return f"{sign}{significant(size)} {_BINARY[step]}"
