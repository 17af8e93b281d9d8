"""One thing that does not agree with the raw samples."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that does not agree with the raw samples.

    Attributes:
        place: File, relative to the run's folder.
        figure: Name of the figure, cell or file property that differs.
    """

    place: str
    figure: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.figure}: {self.text}"


def same(printed: object, again: object) -> bool:
    """Whether two numbers agree: to a millionth, or to 0.1 µs (rounding of clocks that count since boot)."""
    if printed is None or again is None:
        return printed is None and again is None
    if not isinstance(printed, int | float) or not isinstance(again, int | float):
        return False
    return abs(printed - again) <= max(1e-7, 1e-6 * abs(again))
