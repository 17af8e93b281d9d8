"""The differences from the raw samples, and the agreement of two values."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    """Tell whether two numbers agree: to a millionth, or to 0.1 µs (rounding of clocks that count since boot)."""
    if printed is None or again is None:
        return printed is again
    if not isinstance(printed, int | float) or not isinstance(again, int | float):
        return False
    return abs(printed - again) <= max(1e-7, 1e-6 * abs(again))


def differences(fresh: Any, printed: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield (place, both values) wherever two JSON values differ; an object with an ``id`` is named by it."""
    if isinstance(fresh, dict) and isinstance(printed, dict):
        inside = fresh["id"] if isinstance(fresh.get("id"), str) else where
        for name in dict.fromkeys([*fresh, *printed]):
            yield from differences(fresh.get(name), printed.get(name), f"{inside}.{name}".lstrip("."))
    elif isinstance(fresh, list) and isinstance(printed, list):
        if len(fresh) != len(printed):
            yield where, f"printed {len(printed)} of them, the samples give {len(fresh)}"
        for n, (a, b) in enumerate(zip(fresh, printed, strict=False)):
            yield from differences(a, b, f"{where}[{n}]")
    elif not _equal(fresh, printed):
        yield where, f"printed {printed!r}, the samples give {fresh!r}"


def _equal(fresh: Any, printed: Any) -> bool:
    if isinstance(fresh, bool) or isinstance(printed, bool):
        return fresh is printed
    return same(printed, fresh) if isinstance(fresh, float) else bool(fresh == printed)


def read_json(path: Path) -> dict[str, Any] | str:
    """Return a JSON object, or what is wrong with the file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "is missing"
    except (ValueError, OSError) as error:
        return f"cannot be read: {error}"
    return data if isinstance(data, dict) else "holds no JSON object"
