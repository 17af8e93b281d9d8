"""A figure: what a number is called, its unit and its definition, and how a value of it reads."""

from dataclasses import dataclass

TABLE, TRIALS, JSON = "comparison", "comparison, trials", "trial.json"
LISTED = "trials"  # only in the list of trials
POOLED = "several sessions"
_SCALES = {"s": (1000.0, " ms"), "ratio": (100.0, " %"), "count": (1.0, "")}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        name: Key in ``trial.json``, or the part of a cell's id that names its measure.
        unit: As :func:`reports.numbers.as_text` reads it; None for a pure number.
        printed: Where people read it.
        definition: One line, with the formula where there is one.
    """

    name: str
    label: str
    unit: str | None
    printed: str
    definition: str

    @property
    def phrase(self) -> str:
        """The label inside a sentence: without its unit, in lower case but for abbreviations."""
        text = self.label.removesuffix(f" ({self.unit})")
        return text if text[1:2].isupper() or text.startswith("Little") else text[:1].lower() + text[1:]

    @property
    def suffix(self) -> str | None:
        """The unit that stands behind a number; None where the label names it."""
        return None if self.label.endswith(f"({self.unit})") else self.unit

    def limit(self, limit: float) -> str:
        """Return a limit in words."""
        scale, unit = self._scale
        return f"{_number(limit * scale, 4)}{unit}"

    def against(self, value: float, limit: float, *, bound: str = "limit") -> str:
        """Return a value with its limit: ``CPU steal 5.3 % (limit 5 %)``; a value beyond it never reads like it."""
        scale, unit = self._scale
        texts = [f"{_number(value * scale, digits)}{unit}" for digits in (3, 5)]
        limit_text = self.limit(limit)
        return f"{self.phrase} {texts[texts[0] == limit_text]} ({bound} {limit_text})"

    @property
    def _scale(self) -> tuple[float, str]:
        return _SCALES.get(self.unit or "", (1.0, f" {self.unit}" if self.unit else ""))


def _number(value: float, digits: int) -> str:
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"
