"""What is written down: plans for the generator, turns, samples, trials.

Standard library only: the generator imports this module and nothing else of the harness. Every numeric name carries its
unit; times are seconds on the machine's monotonic clock (``time.monotonic``, shared by all processes of a host) unless
they are durations; absent is ``None``.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from math import exp
from typing import Any, Literal, TypeVar

FORMAT_VERSION = 1

Phase = Literal["ramp_up", "warm_up", "measure", "drain"]
Outcome = Literal["ok", "failed", "incomplete"]
VerdictOutcome = Literal["pass", "fail", "invalid"]
Role = Literal["target", "upstream", "generator"]
Topic = Literal["flexibility", "integration", "security", "maintenance"]
FindingOutcome = Literal["held", "broken", "not measured"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A positive quantity: log-normal with this median and sigma (of the logarithm), constant where sigma is 0."""

    median: float
    sigma: float = 0.0

    def mean(self) -> float:
        """Return its mean, exp(μ + σ²/2) of a log-normal with median exp(μ)."""
        return self.median * exp(self.sigma**2 / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlan:
    """What the upstream answers: times in seconds, length in tokens.

    ``tokens_quantiles``: lengths at equal steps from 0 to 100 %, linear between them; where there are any they are what
    is drawn, and ``tokens`` names their middle.
    """

    ttft_s: Distribution
    itl_s: float
    tokens: Distribution
    tokens_quantiles: tuple[int, ...] = ()

    def tokens_mean(self) -> float:
        """Return the mean length; of quantiles joined by straight lines the mean of the pieces' middles."""
        if not self.tokens_quantiles:
            return self.tokens.mean()
        ends = self.tokens_quantiles[0] + self.tokens_quantiles[-1]
        return (sum(self.tokens_quantiles) - ends / 2) / (len(self.tokens_quantiles) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikePlan:
    """Further users who come together and leave together, while those of the plan go on."""

    users: int  # on top of the plan's
    after_s: float  # from the start of *measure* to the first of them; the last comes a second later
    hold_s: float  # from the first of them until none of them sends any more


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """All that the generator needs for one trial; the harness writes it as ``plan.json``."""

    scenario: str
    protocol: str
    user_class: str | None = None  # "path/to/user.py:Name" for a part that brings its own
    instances: tuple[str, ...]  # base URLs; user u talks to instances[u % len(instances)] for good
    users: int
    seed: int
    turns_per_conversation: int
    message_chars: int
    think_s: Distribution
    answer: AnswerPlan
    ramp_up_s: float
    warm_up_s: float
    measure_min_s: float
    measure_max_s: float
    measure_turns: int
    drain_s: float
    turn_timeout_s: float = 60.0
    arrivals_per_s: float | None = None  # open workload: turns arrive at this rate; ``users`` bounds the pool of users
    spike: SpikePlan | None = None
    steps: tuple[int, ...] = ()  # idle: open sessions at each step, ascending
    hold_s: float = 0.0  # idle: how long each step lasts once its sessions are open
    seeded_users: int = 1000
    output: str  # folder for turns.jsonl, live.jsonl, generator.json
    stop_file: str  # the generator ends the trial early once this file exists
    streamlit_site: str | None = None  # site-packages holding the target's own streamlit
    workers: int = 1  # generator processes; user u belongs to worker u mod workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message and its answer as the client saw it; a line of ``turns.jsonl``."""

    user: int
    conversation: int
    turn: int  # 0-based within the conversation
    tag: str
    phase: Phase  # of the intended send
    intended_s: float
    sent_s: float
    first_s: float | None = None  # first non-empty content of this answer
    last_s: float | None = None  # the end marker
    done_s: float | None = None  # the answer is over at protocol level
    ready_s: float | None = None  # the page would take the next message
    chunks: int = 0  # reads from the socket that brought content
    updates: int = 0  # protocol messages about this answer (SSE events, element updates)
    wire_bytes: int = 0  # received for this turn, headers and framing included
    text_bytes: int = 0  # of the answer, UTF-8
    outcome: Outcome
    error: str | None = None  # plain words, no secrets
    error_kind: str | None = None  # connection, http, timeout, truncated, foreign_nonce, application, unfinished
    arrival_s: tuple[float, ...] = ()  # after sent_s, one per read that brought content
    arrival_tokens: tuple[int, ...] = ()  # cumulative tokens of the answer after that read


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """One answer as the upstream sent it; a line of the upstream's log."""

    tag: str
    request_s: float  # the request was read completely
    ttft_s: float  # intended
    itl_s: float  # intended
    tokens: int
    emit_s: tuple[float, ...]  # actual, after request_s, one per token written
    finished: bool
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimes:
    """Start and end of a phase."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """Idle scenario: while this many sessions were open and nobody spoke."""

    sessions: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerShare:
    """One generator process among several: its part of what ``GeneratorSummary`` counts."""

    users: int
    turns_begun: int
    turns_ended: int
    turns_written: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Open workload: the rate, and how many arrivals of *measure* found no user free with an open page."""

    per_s: float
    without_page: int  # waited while a further user's page was being opened: part of their latency
    without_user: int  # waited because the pool was at its bound: fewer users than the load needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit: page and files, sign-in with password, two turns, leave; what it did not get to is ``None``."""

    user: int
    start_s: float  # before the connection is opened
    page_s: float | None = None  # the last file of the page was there
    page_requests: int | None = None
    page_bytes: int | None = None  # of the bodies, compressed where they were
    signed_in_s: float | None = None
    end_s: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSummary:
    """The generator's own account of a trial, kept apart from its turns so that the two can be reconciled."""

    users: int  # open workload: of the pool, as many as were let in
    phases: dict[str, PhaseTimes]
    steps: tuple[StepTimes, ...] = ()
    turns_begun: int  # measure phase: counted as they start, by the user loop
    turns_ended: int  # measure phase: counted as they end, whatever the outcome
    turns_written: int  # all phases: lines of turns.jsonl
    live_turn_seconds: float  # measure window: exact integral of the number of users inside a turn
    cpu_s: float  # of the generator process during the measure phase; of all workers together
    stopped_early: bool
    recorder_errors: int
    sign_in_failures: int
    locust_version: str
    note: str | None = None
    workers: tuple[WorkerShare, ...] = ()  # by number, where there are several
    arrivals: Arrivals | None = None  # None: closed workload
    visits: tuple[Visit, ...] = ()
    not_offered: str | None = None  # why the scenario cannot be played on this target's page
    spike: PhaseTimes | None = None  # while the further users were there


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budget as the kernel enforces it, read back from the strictest ancestor."""

    cpus: tuple[int, ...]
    memory_bytes: int | None
    swap_bytes: int | None
    cpu_enforced: bool  # False: affinity only, a process could leave it
    memory_enforced: bool
    how: str  # "cgroup v2", "cgroup v1", "affinity only"
    generator_cpus: tuple[int, ...]
    spare_cpus: bool  # generator and upstream sit on other CPUs than the target
    notes: tuple[str, ...] = ()
    shortfall: str | None = None  # why this is not the stated budget: trials under it are invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One launched piece of a trial."""

    name: str  # [a-z0-9-]
    role: Role
    version: str
    endpoint: str | None = None
    image: str | None = None  # digest of the container image it runs from


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSample:
    """One reading of one component; counters are cumulative since the component's start."""

    t_s: float
    component: str
    role: Role
    cpu_s: float
    throttled_s: float | None = None
    anon_bytes: int | None = None
    shared_bytes: int | None = None
    working_set_bytes: int | None = None
    peak_bytes: int | None = None
    oom_kills: int | None = None
    processes: int = 0
    process_cpu_s: dict[str, float] = field(default_factory=dict)  # pid -> cumulative CPU seconds
    host_busy_s: float | None = None  # whole machine, all CPUs, cumulative
    host_idle_s: float | None = None
    host_steal_s: float | None = None
    foreign_cpu_s: float | None = None  # busy time of the machine that is none of this trial's, cumulative


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a verdict is what it is."""

    code: str  # slo.added_ttft, slo.failures, target.oom, invalid.foreign_cpu, note.contended, …
    text: str  # a sentence for people
    value: float | None = None
    limit: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Pass, fail or invalid, with reasons; contended: without spare CPUs a fail is a bound, not a capacity."""

    outcome: VerdictOutcome
    reasons: tuple[Reason, ...] = ()
    contended: bool = False


CONTROL = "control: "  # begins the lines of a finding that describe no input


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What trying one property of a target showed; ``audit.json`` holds a list of them.

    Attributes:
        topic: The row of the table it belongs to.
        name: Stable id in [a-z0-9-], unique within a target's audit.
        title: What was tried, in plain words.
        outcome: ``held`` where every input did what it should, ``broken`` where one did not; ``not measured`` says why.
        exercised: Inputs or steps that were really tried.
        passed: How many of them did what they should.
        text: What was seen, a sentence for people.
        value: A number of its own, where it has one, in ``unit``.
        details: A line per input: what it was, what was expected, what was seen; and one per control that held,
            marked as such, which no count holds.
        table: The same as a table, in lines, where it is easier to read so.
    """

    topic: Topic
    name: str
    title: str
    outcome: FindingOutcome
    exercised: int
    passed: int
    text: str
    value: float | None = None
    unit: str | None = None
    details: tuple[str, ...] = ()
    table: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a verdict that its counts do not carry: nothing tried is never a pass."""
        if not 0 <= self.passed <= self.exercised:
            raise ValueError(f"finding {self.name}: {self.passed} of {self.exercised} inputs passed")
        carried = {
            "not measured": self.exercised == 0,
            "held": 0 < self.exercised == self.passed,
            "broken": self.passed < self.exercised,
        }
        if not carried[self.outcome]:
            raise ValueError(f"finding {self.name}: {self.outcome!r} with {self.passed} of {self.exercised} inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedPair:
    """One API with one web part, used by a person in a real browser from end to end."""

    api: str
    web: str
    parts: tuple[dict[str, str], ...]  # name, title, package, version; none where they could not be made ready
    duration_s: float  # start of the stack and all steps
    finding: Finding  # an input is a step
    screenshot: str | None = None  # file beside the evidence, where a step failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapMatrix:
    """Which APIs go with which web parts; ``swap.json``."""

    format_version: int = FORMAT_VERSION
    made_at: str  # ISO 8601, UTC
    browser: str | None  # name and version
    duration_s: float
    pairs: tuple[SwappedPair, ...]
    note: str | None = None  # why there is no pair


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """Which trial: target × scenario × level × repetition, numbered in the order of the target's trials."""

    target: str
    scenario: str
    level: int
    repetition: int
    number: int
    round: int = 0  # of the estimate; 0: the search and everything else


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measured point; ``trial.json``."""

    format_version: int = FORMAT_VERSION
    key: TrialKey
    started_at: str  # ISO 8601, UTC
    limits: Limits
    components: tuple[Component, ...]
    summary: GeneratorSummary | None
    verdict: Verdict
    figures: dict[str, float | None]  # names carry units; see harness/analysis/chat_figures.py
    files: dict[str, str]  # name -> SHA-256


def to_json(record: Any) -> dict[str, Any]:
    """Return a record as plain JSON-able data."""
    return asdict(record)


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """Build a record of type ``cls`` from plain data, strictly.

    Raises:
        ValueError: an unknown or missing key, named with the record's type.
    """
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # every caller passes a dataclass
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise ValueError(f"{cls.__name__}: unknown key {unknown[0]!r}")
    missing = [n for n, f in known.items() if n not in data and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise ValueError(f"{cls.__name__}: missing key {missing[0]!r}")
    return cls(**{name: _revive(hints[name], value) for name, value in data.items()})


def _revive(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        return _revive(next(a for a in args if a is not type(None)), value)
    if is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]  # a dataclass type, checked above
    if origin is tuple:
        return tuple(_revive(args[0], v) for v in value)
    if origin is dict:
        return {k: _revive(args[1], v) for k, v in value.items()}
    if hint is float:
        return float(value)
    return value
