"""Probes of an audit: small functions that try one property, and how what they saw becomes a finding."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from harness.probes.subject import Subject
from harness.records import CONTROL, Finding, FindingOutcome, Topic

BUDGET_S = 600.0  # of an audit: on a machine that is idle it takes one to two minutes


class NotMeasuredError(Exception):
    """A property cannot be tried on this target; the text says why."""


class NothingToTryError(NotMeasuredError):
    """The target has no such thing, so that none of it can be wrong."""


def expect_offered(subject: Subject, *features: str) -> None:
    """Raise NothingToTryError unless the target states that it offers all of these."""
    lacking = [one for one in features if one not in subject.features]
    if lacking:
        raise NothingToTryError(f"the target does not state that it offers {', '.join(lacking)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One input that was really tried: whether the target did what it should, and what was seen, in a line.

    Attributes:
        control: No input but a check beside them: that the way there works, that nothing changed. It is not counted
            unless it fails, which breaks the finding.
    """

    passed: bool
    line: str
    control: bool = False

    @property
    def counted(self) -> bool:
        """Tell if it is one of the finding's inputs."""
        return not (self.control and self.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The observations of a probe; without a single try nothing was measured, and ``text`` has to give the reason.

    Attributes:
        text: A sentence for people; by default the first try that went wrong.
        brief: What differs, in a few words for the table; by default the first try that went wrong.
        value: A number of its own, in ``unit``.
        table: The same as a table, in lines.
    """

    tries: tuple[Try, ...]
    text: str = ""
    brief: str = ""
    value: float | None = None
    unit: str | None = None
    table: tuple[str, ...] = ()


class Run(Protocol):
    """Tries one property of a target; raises NotMeasuredError where it cannot be tried."""

    def __call__(self, subject: Subject, /) -> Seen: ...


@dataclass(frozen=True, slots=True)
class Probe:
    """A property and the function that tries it; a ``concurrent`` probe and the others do not disturb each other."""

    topic: Topic
    name: str
    title: str
    run: Run
    concurrent: bool = False


class Probes(list[Probe]):
    """The probes of one topic, in the order they run."""

    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic: Topic = topic

    def finds(self, name: str, title: str, *, concurrent: bool = False) -> Callable[[Run], Run]:
        """Add the decorated function as the probe of a property; ``name`` is [a-z0-9-] and unique in an audit."""

        def add(run: Run) -> Run:
            self.append(Probe(self.topic, name, title, run, concurrent))
            return run

        return add


def run(probes: Iterable[Probe], subject: Subject) -> list[Finding]:
    """Run every probe; a failed probe does not stop the others, and a slow one leaves what was found before.

    Those ``concurrent`` with the others begin in their turn, one after the other, while those after them go on.
    None begins after ``BUDGET_S``.
    """
    until_s = time.monotonic() + BUDGET_S
    with ThreadPoolExecutor(max_workers=1) as aside:
        begun = [
            aside.submit(_finding, probe, subject, until_s) if probe.concurrent else _finding(probe, subject, until_s)
            for probe in probes
        ]
        return [one if isinstance(one, Finding) else one.result() for one in begun]


def _finding(probe: Probe, subject: Subject, until_s: float) -> Finding:
    if time.monotonic() >= until_s:
        return _unmeasured(probe, f"the probes before it took more than {BUDGET_S:.0f} s")
    try:
        seen = probe.run(subject)
    except NotMeasuredError as reason:
        return _unmeasured(probe, str(reason))
    except Exception as error:  # noqa: BLE001  # whatever a probe stumbles over, the others still have their say
        return _unmeasured(probe, f"the probe failed: {type(error).__name__}: {error}")
    if all(one.control for one in seen.tries):
        return _unmeasured(probe, seen.text or "nothing was tried")
    tries = [one for one in seen.tries if one.counted]
    wrong = [one for one in tries if not one.passed]
    outcome: FindingOutcome = "failed" if wrong else "passed"
    return Finding(
        topic=probe.topic,
        name=probe.name,
        title=probe.title,
        outcome=outcome,
        exercised=len(tries),
        passed=len(tries) - len(wrong),
        text=seen.text or (wrong[0].line if wrong else "all did what they should"),
        brief=seen.brief if wrong else "",
        value=seen.value,
        unit=seen.unit,
        details=tuple(one.line if one.counted else f"{CONTROL}{one.line}" for one in seen.tries),
        table=seen.table,
    )


def _unmeasured(probe: Probe, reason: str) -> Finding:
    return Finding(
        topic=probe.topic,
        name=probe.name,
        title=probe.title,
        outcome="not measured",
        exercised=0,
        passed=0,
        text=reason,
    )
