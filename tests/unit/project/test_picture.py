"""The README's picture: what it writes beside each bar, from numbers."""

from dataclasses import replace

import pytest

from docs.generate import example, picture

TARGET = "django+angular"


def changed(**changes: object) -> example.Example:
    """Return the example run with another capacity of one target."""
    run = example.survey()
    key = (picture.CAPACITY, TARGET)
    return replace(run, cells={**run.cells, key: replace(run.cells[key], **changes)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bracket": (541, 684), "worked_out": (False, False)}, "541–684"),
        ({"bracket": (541, 1684), "worked_out": (False, True)}, "541–≤1,684"),
        ({"bracket": (1541, None), "worked_out": (False, False)}, "≥ 1,541"),
        ({"bracket": (0, 1), "verdict": "none"}, "none"),
    ],
)
def test_a_bar_names_its_ends_and_marks_one_that_was_worked_out(changes: dict[str, object], words: str) -> None:
    assert picture._users(changed(**changes).cells[picture.CAPACITY, TARGET]) == words


def test_a_worked_out_end_is_drawn_unlike_an_observed_one() -> None:
    observed, worked_out = (picture.capacity(changed(worked_out=(False, end))) for end in (False, True))
    assert b"stroke-dasharray" in worked_out
    assert b"stroke-dasharray" not in observed
