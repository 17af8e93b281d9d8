"""A profile: the scenarios of a campaign, its answers, think times and SLO."""

import dataclasses
from dataclasses import dataclass, field

from harness.records.plan import AnswerPlan, Distribution
from harness.records.slo import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The capacity search: its start, its bounds, its precision."""

    base_users: int = 10
    start_share: float = 0.7  # of the operational bound
    growth: float = 1.5
    precision: float = 0.25
    repetitions: int = 2
    highest: int = 3000
    max_trials: int = 12
    climb_s: float = 0.0  # of a slow climb that finds where to search; 0: search from the operational bound
    rounds: int = 0  # of the estimate with an interval, after the search; 0: the bracket alone
    further_think_s: tuple[int, ...] = ()  # median think times at which the capacity is predicted, then tested
    claims: bool = False  # what claims need: repeated starts, their numbers of users at other think times


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The lengths of a trial's phases, in seconds."""

    measure_min_s: float = 25.0
    measure_max_s: float = 45.0
    measure_turns: int = 100
    drain_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Memory per session: open sessions at each step, and the length of a step."""

    steps: tuple[int, ...] = (0, 50, 100, 150)
    hold_s: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open arrivals: a trial at the same rate for every target, and trials at shares of a target's own capacity.

    The rate at 100 percent is that of the capacity (the bracket's lower end) on a target without any delay:
    users / (answer + think time).
    """

    per_minute: int = 60
    percent: tuple[int, ...] = (70,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A share of the capacity, then several times as many users within a second, who leave again."""

    percent: int = 50
    times: int = 4
    before_s: float = 15.0
    hold_s: float = 20.0
    after_s: float = 45.0
    window_s: float = 10.0  # recovered: from then on every window of this length meets the SLO


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """A long hold at a share of the capacity; its slopes rest on means over blocks."""

    percent: int = 70
    minutes: float = 20.0
    block_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visiting:
    """Whole visits, from the page's first byte to leaving: this many users at a time, again and again."""

    users: int = 2
    measure_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings of a campaign besides its targets."""

    name: str
    purpose: str
    think_s: Distribution
    answer: AnswerPlan
    capacity: bool = True  # False: one trial at the base users says whether a target works, and no number is printed
    turns_per_conversation: int = 4
    message_chars: int = 80
    window: Window = field(default_factory=Window)
    search: Search = field(default_factory=Search)
    idle: Idle | None = field(default_factory=Idle)
    visit: Visiting | None = None
    open: Open | None = None
    spike: Spike | None = None
    soak: Soak | None = None
    audit: bool = False  # a trial without load: integration, security
    swap: bool = False  # after the trials: every API with every web part, in a browser
    slo: Slo = field(default_factory=Slo)
    seed: int = 42

    def think_mean_s(self) -> float:
        """Return the mean think time."""
        return self.think_s.mean()

    def answer_mean_s(self) -> float:
        """Return the mean length of an answer as the model sends it."""
        return self.answer.mean_s()

    def cycle_s(self) -> float:
        """Return the length of a turn and its think time on an unloaded target."""
        return self.answer_mean_s() + self.think_mean_s()

    def thinking(self, median_s: float) -> "Profile":
        """Return this profile with another median think time of the same spread."""
        return dataclasses.replace(self, think_s=dataclasses.replace(self.think_s, median=median_s))
