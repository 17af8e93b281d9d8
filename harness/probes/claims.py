"""Checks, the probes that make them, and the error by which a probe reports a contradiction of the contract."""

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

W = TypeVar("W")
TIMED_TRIES = 3  # a busy machine is late now and then; a build that waits, waits each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One statement about a running target, and whether it held."""

    operation: str  # operationId of the contract, or "errors", "headers", "page"
    passed: bool
    text: str  # what was claimed; where it failed, what was seen instead


class RefutedError(Exception):
    """An observation contradicts the contract."""


@dataclass(frozen=True, slots=True)
class Probe(Generic[W]):
    """A claim about one operation and the exchange that proves or refutes it.

    Attributes:
        timed: The claim is about times: a refutation counts if every one of ``TIMED_TRIES`` exchanges refutes it.
    """

    operation: str
    claim: str
    run: Callable[[W], None]
    timed: bool = False


class Probes(list[Probe[W]]):
    """The probes of one subject, in the order they run."""

    def proves(
        self, operation: str, claim: str, *, timed: bool = False
    ) -> Callable[[Callable[[W], None]], Callable[[W], None]]:
        """Add the decorated function as a probe."""

        def add(run: Callable[[W], None]) -> Callable[[W], None]:
            self.append(Probe(operation, claim, run, timed))
            return run

        return add


def expect(condition: bool, seen: str) -> None:
    """Raise RefutedError with what was seen unless the condition holds."""
    if not condition:
        raise RefutedError(seen)


def run(probes: Iterable[Probe[W]], world: W) -> list[Check]:
    """Run every probe; a failed probe does not stop the others."""
    return [_run_one(probe, world) for probe in probes]


def _run_one(probe: Probe[W], world: W) -> Check:
    tries = TIMED_TRIES if probe.timed else 1
    made = _try(probe, world)
    while not made.passed and (tries := tries - 1):
        made = _try(probe, world)
    return made


def _try(probe: Probe[W], world: W) -> Check:
    try:
        probe.run(world)
    except RefutedError as refutation:
        failure = str(refutation)
    except (OSError, http.client.HTTPException) as error:
        failure = f"the connection failed: {error or type(error).__name__}"
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        # an answer of another form than the contract's: reading it is what fails
        failure = f"the answer has an unexpected form: {type(error).__name__} {error}"
    else:
        return Check(operation=probe.operation, passed=True, text=probe.claim)
    return Check(operation=probe.operation, passed=False, text=f"{probe.claim}: {failure}")


def complete(checks: list[Check], operations: Iterable[str]) -> list[Check]:
    """Add a failed check for every operation that none of the checks exercised."""
    exercised = {check.operation for check in checks}
    missing = [name for name in operations if name not in exercised]
    return checks + [Check(operation=name, passed=False, text="not exercised") for name in missing]
