"""A campaign: the trials of several targets, interleaved, each target's next trial chosen by what is known of it."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis import speed
from harness.analysis.capacity import (
    Capacity,
)
from harness.records import Trial, TrialKey
from harness.trials.course import Course, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a campaign, for people."""

    target: str
    request: Request
    done: int
    number: int


def run_campaign(
    courses: Mapping[str, Course],
    measure: Callable[[TrialKey], Trial],
    known: Iterable[Trial],
    seed: int,
    tell: Callable[[Progress], None],
    set_aside: Callable[[Trial], None] = lambda trial: None,
) -> dict[str, Capacity]:
    """Run all courses to their ends, interleaved in seeded random order; trials that exist already are skipped.

    A trial made in an odd minute of the machine is set aside and made once more (:mod:`harness.analysis.speed`); its
    course never sees it. The rule looks at earlier trials alone, so that a resumed campaign decides the same again.

    Args:
        courses: A course by target name.
        measure: Runs one trial.
        known: Trials of an earlier part of this campaign (``--resume``).
        seed: Of the order.
        tell: Called before each trial.
        set_aside: Called with each trial that is set aside, its verdict changed.
    """
    have = {(t.key.target, t.key.number): t for t in known}
    order = random.Random(seed)  # noqa: S311  # an order of trials, not a secret
    waiting: dict[str, Request] = {name: next(one) for name, one in courses.items()}
    numbers = dict.fromkeys(courses, 0)
    levels: dict[tuple[str, str, int | None, int], int] = {}
    finished: dict[str, Capacity] = {}
    speeds: list[float] = []
    again: set[str] = set()  # targets whose trial was set aside: the next one counts whatever its minute
    repeats = 0
    while waiting:
        for name in order.sample(sorted(waiting), len(waiting)):
            request = waiting[name]
            numbers[name] += 1
            spot = (name, request.scenario, request.parameter, request.level)
            key = TrialKey(
                target=name,
                scenario=request.scenario,
                parameter=request.parameter,
                level=request.level,
                repetition=levels.get(spot, 0),
                number=numbers[name],
                round=request.round,
            )
            levels[spot] = key.repetition + 1
            trial = have.get((name, key.number))
            if trial is None or trial.key != key:
                done = sum(numbers.values()) - 1
                tell(Progress(target=name, request=request, done=done, number=key.number))
                trial = measure(key)
            odd = _odd(trial, speeds, allowed=name not in again and repeats < speed.MOST_REPEATS)
            if (found := speed.around(trial.speed)) is not None:
                speeds.append(found)
            if odd:
                if odd != trial:
                    set_aside(odd)
                again.add(name)
                repeats += 1
                continue
            again.discard(name)
            try:
                waiting[name] = courses[name].send(trial)
            except StopIteration as end:
                finished[name] = end.value
                del waiting[name]
    return finished


def _odd(trial: Trial, earlier: Sequence[float], *, allowed: bool) -> Trial | None:
    """Return a trial as set aside, by its own record or by the rule; None where it counts."""
    if speed.is_aside(trial):
        return trial
    return speed.aside(trial, earlier) if allowed else None
