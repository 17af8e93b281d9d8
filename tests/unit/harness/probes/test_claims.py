"""A claim about times is refuted only by one refutation after the other; any other by the first."""

from collections.abc import Callable

import pytest

from harness.probes.claims import TIMED_TRIES, Probes, expect, run


def late(times: int) -> Callable[[list[int]], None]:
    """Return a probe that is refuted this many times, then holds; each try is noted in the world."""

    def tried(world: list[int]) -> None:
        world.append(1)
        expect(len(world) > times, "it was late")

    return tried


@pytest.mark.parametrize(
    ("timed", "times", "passed", "tries"),
    [
        (True, 0, True, 1),
        (True, TIMED_TRIES - 1, True, TIMED_TRIES),
        (True, TIMED_TRIES, False, TIMED_TRIES),
        (False, 1, False, 1),
    ],
)
def test_what_is_about_times_is_tried_again(*, timed: bool, times: int, passed: bool, tries: int) -> None:
    probes: Probes[list[int]] = Probes()
    probes.proves("answer", "comes in time", timed=timed)(late(times))
    world: list[int] = []
    (check,) = run(probes, world)
    assert (check.passed, len(world)) == (passed, tries)
    assert check.text == ("comes in time" if passed else "comes in time: it was late")
