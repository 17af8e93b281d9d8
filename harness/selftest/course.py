"""The self-test from its first server to its last."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from harness.analysis.capacity import Capacity, SearchPlan, search
from harness.host import machine
from harness.records import KnownQuantity, SelfTest
from harness.selftest import cases, comparing
from harness.selftest.bench import Case, Laboratory, Measured

TIMING_USERS, STALL_USERS, FAULT_USERS = 20, 30, 6
STALL_PER_MINUTE = 5400  # arrivals: of those in four stalls, one standard error of the p95 is 20 ms
SEARCH = SearchPlan(start=10, growth=2.0, precision=0.1, repetitions=1, highest=400, max_trials=12)
PROTOCOLS = ("rest", "openai")
Measure = Callable[..., Measured]


def timings(measure: Measure) -> list[KnownQuantity]:
    """Times of each turn, and the figures made of them."""
    rows: list[KnownQuantity] = []
    for protocol in PROTOCOLS:
        rows += comparing.timing(measure(cases.timing(protocol), TIMING_USERS), protocol)
    return rows


def rephrasings(measure: Measure) -> list[KnownQuantity]:
    """Several calls of the model for one message."""
    return comparing.rephrased(measure(cases.rephrasing(), TIMING_USERS))


def stalls(measure: Measure) -> list[KnownQuantity]:
    """The tail behind a server that stalls."""
    case, closed, opened = cases.stall()
    waiting = comparing.stalled(measure(case, STALL_USERS), closed, "closed")
    arriving = replace(case, name="stall open", scenario="open")
    return waiting + comparing.stalled(measure(arriving, STALL_PER_MINUTE), opened, "open")


def leaks(measure: Measure) -> list[KnownQuantity]:
    """Memory per session."""
    return comparing.leaked(measure(cases.leak(), 1))


def faults(measure: Measure) -> list[KnownQuantity]:
    """Spoilt servers, each to be caught for the right reason."""
    return [comparing.caught(fault, measure(fault.case, FAULT_USERS)) for fault in cases.faults()]


def knees(measure: Measure) -> list[KnownQuantity]:
    """Measure capacities, several searches at a time: servers that wait disturb each other little."""
    known = cases.knees()
    with ThreadPoolExecutor(max_workers=len(known)) as lanes:
        found = lanes.map(lambda one: _search(lambda users, number: measure(one.case, users, number)), known)
        return [comparing.knee(one, *each) for one, each in zip(known, found, strict=True)]


SECTIONS = (timings, rephrasings, stalls, leaks, faults, knees)


def run(lab: Laboratory) -> SelfTest:
    """Measure every server and return the comparison; about two and a half minutes.

    Raises:
        BenchError: a server or the generator does not come up.
    """
    started_s = time.monotonic()
    foreign: list[float] = []

    def measure(case: Case, users: int, number: int = 1) -> Measured:
        found = lab.measure(case, users, number)
        foreign.append(found.trial.figures.get("foreign_cpu_ratio") or 0.0)
        return found

    rows = [one for section in SECTIONS for one in section(measure)]
    return SelfTest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tool_version=version("chatbench"),
        machine=machine.fingerprint(),
        duration_s=time.monotonic() - started_s,
        foreign_cpu_ratio=max(foreign, default=None),
        quantities=tuple(rows),
    )


def _search(measure: Callable[[int, int], Measured]) -> tuple[Capacity, int]:
    """Run the harness's own search; return the capacity and how many trials it took."""
    looking, trials = search(SEARCH), 0
    try:
        level = next(looking)
        while True:
            trials += 1
            level = looking.send((measure(level, trials).trial.verdict, None))
    except StopIteration as end:
        return end.value, trials
