"""The plan of a trial for the load generator."""

from dataclasses import dataclass
from math import exp


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
    """The answers of the model: times in seconds, length in tokens.

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

    def mean_s(self) -> float:
        """Return the mean length of an answer in seconds, as the model sends it."""
        return self.ttft_s.mean() + self.tokens_mean() * self.itl_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikePlan:
    """Further users who come and leave together, while the users of the plan go on."""

    users: int  # on top of the plan's
    after_s: float  # from the start of *measure* to the first of them; the last comes a second later
    hold_s: float  # from the first of them until none of them sends any more


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The generator's settings for one trial; the harness writes them as ``plan.json``."""

    scenario: str
    protocol: str
    user_class: str | None = None  # "path/to/user.py:Name" for a part that brings its own
    instances: tuple[str, ...]  # base URLs; user u talks to instances[u % len(instances)] for good
    users: int
    seed: int
    repetition: int = 0  # its think times are its own; tags, messages and answers are those of every repetition
    turns_per_conversation: int
    message_chars: int
    think_s: Distribution
    answer: AnswerPlan
    ramp_up_s: float
    warm_up_s: float  # with ``settle_s``: the stretch over which the turns under way have to be flat
    measure_min_s: float
    measure_max_s: float
    measure_turns: int
    drain_s: float
    turn_timeout_s: float = 60.0
    climb_s: float = 0.0  # users come evenly over so much of *measure*, instead of over a ramp-up; 0: over the ramp-up
    settle_s: float = 0.0  # longest wait, after the warm-up, for the turns under way to be flat; 0: none
    arrivals_per_s: float | None = None  # open workload: turns arrive at this rate; ``users`` bounds the pool of users
    spike: SpikePlan | None = None
    steps: tuple[int, ...] = ()  # idle: open sessions at each step, ascending
    hold_s: float = 0.0  # idle: how long each step lasts once its sessions are open
    seeded_users: int = 1000
    output: str  # folder for turns.jsonl, live.jsonl, generator.json
    stop_file: str  # the generator ends the trial early once this file exists
    streamlit_site: str | None = None  # site-packages holding the target's own streamlit
    workers: int = 1  # generator processes; user u belongs to worker u mod workers
