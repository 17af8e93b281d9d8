"""The article's claims as data, and the judgement that intervals add up to. Decides only; touches nothing.

A claim asks for quantities and compares each with a threshold; docs/method/claims.md states the rules in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.plausible import Interval

Judgement = Literal["supported", "refuted", "depends", "not settled", "not measured"]
Direction = Literal["at least", "below"]
Subject = Literal["modular", "django", "streamlit", "modular and streamlit", "with and without redis"]

NEEDED = 2  # trials that have to agree on the side that decides; so many starts that only open sessions, too
BASE_TRIALS = 3  # at the common load, where a claim compares what a turn costs there
#: mean think times at which a number of users is judged: quick's; the mean where the median is 7 s and the 90th
#: percentile 15 s (log-normal); that of a median of 15 s; a slow reader
THINK_TIMES_S = (3.0, 8.4, 18.0, 100.0)
SAME_THINK = 1.05  # think times as near as this count as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A quantity and the threshold that a claim sets it: of one target, or a ratio or difference of two."""

    quantity: str
    direction: Direction
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of the article, in other words.

    Attributes:
        section: Where the article says it.
        subject: The targets of a run that it speaks of; see :func:`subjects`.
        asks: What has to hold; one is enough where there are several, if none speaks against it.
    """

    id: str
    section: str
    says: str
    subject: Subject
    asks: tuple[Ask, ...]


USERS, USERS_RATIO, SESSION = "capacity_users", "capacity_ratio", "session_bytes_difference"
CPU_RATIO = "cpu_ratio"
COST_RATIOS = {CPU_RATIO: "target_cpu_s_per_turn", "added_ttft_ratio": "added_ttft_p95_s"}  # at the common load

CLAIMS = (
    Claim(
        id="large-loads",
        section="2.2",
        says="A modular build carries large loads",
        subject="modular",
        asks=(Ask(quantity=USERS, direction="at least", threshold=1000),),
    ),
    Claim(
        id="several-thousand",
        section="2.2",
        says="Django with Redis carries several thousand simultaneous users without slowing down",
        subject="django",
        asks=(Ask(quantity=USERS, direction="at least", threshold=2000),),
    ),
    Claim(
        id="redis-helps",
        section="2.2",
        says="Redis helps Django to carry them",
        subject="with and without redis",
        asks=(
            Ask(quantity=USERS_RATIO, direction="at least", threshold=1),
            *(Ask(quantity=name, direction="below", threshold=1) for name in COST_RATIOS),
        ),
    ),
    Claim(
        id="streamlit-early",
        section="2.2",
        says="Streamlit slows down early",
        subject="modular and streamlit",
        asks=(Ask(quantity=USERS_RATIO, direction="at least", threshold=2),),
    ),
    Claim(
        id="streamlit-own-resources",
        section="2.2",
        says="Each Streamlit user costs resources of its own",
        subject="modular and streamlit",
        asks=(Ask(quantity=SESSION, direction="at least", threshold=0),),
    ),
    Claim(
        id="few-streamlit-users",
        section="2.2",
        says="A server of 2 vCPU and 4 GB carries only few Streamlit users before it slows down",
        subject="streamlit",
        asks=(Ask(quantity=USERS, direction="below", threshold=100),),
    ),
)


# The targets that a claim speaks of


def base(target: str) -> str:
    """Return a target's name without variants: ``django+angular`` of ``django:plain+angular``."""
    return "+".join(part.partition(":")[0] for part in target.split("+"))


def variant(target: str) -> str:
    """Return the variant of a target's first part, such as ``plain``; empty for the part as tuned."""
    return target.partition("+")[0].partition(":")[2]


def with_variant(target: str, wanted: str) -> str:
    """Return the name of a target whose first part has this variant."""
    first, plus, rest = target.partition("+")
    return f"{first.partition(':')[0]}:{wanted}{plus}{rest}"


def subjects(subject: Subject, targets: Sequence[str], modular: str | None) -> list[tuple[str, ...]]:
    """Return the targets, or pairs of them, that a claim is judged on; one that the run lacks may be named.

    Tuned is compared with tuned, plain with plain. ``modular`` is the target of the article's modular column.
    """
    streamlits = sorted((name for name in targets if base(name) == "streamlit"), key=lambda name: name != "streamlit")
    if subject == "streamlit":
        return [(name,) for name in streamlits]
    if modular is None:
        return []
    plain = with_variant(modular, "plain")
    if subject == "modular and streamlit":
        return [(plain if variant(name) == "plain" else modular, name) for name in streamlits]
    if subject != "modular" and not is_django(modular):
        return []
    if subject == "with and without redis":
        return [(modular, with_variant(modular, "no-redis"))]
    return [(name,) for name in (modular, plain) if name in targets]


def is_django(target: str) -> bool:
    """Return whether a target is a Django API behind a web part in the browser."""
    api, _, web = base(target).partition("+")
    return api == "django" and web not in ("", "streamlit")


def claimed_users(target: str) -> tuple[int, ...]:
    """Return the numbers of users at once that claims are judged by on a target of this name, ascending."""
    named = "streamlit" if base(target) == "streamlit" else "django" if is_django(target) else ""
    if not named or variant(target) == "no-redis":
        return ()
    about = ("modular", "django") if named == "django" else ("streamlit",)
    asked = (ask for claim in CLAIMS if claim.subject in about for ask in claim.asks if ask.quantity == USERS)
    return tuple(sorted({int(ask.threshold) for ask in asked}))


def base_trials(target: str) -> int:
    """Return how many trials at the common load claims ask for on a target of this name."""
    return BASE_TRIALS if is_django(target) and variant(target) != "plain" else 1


# Judgement


def tells(level: int, most: float | None, answer_s: float, own_s: float, think_s: float) -> bool:
    """Return whether a failure of a contended machine tells that a target does not carry so many users there.

    Only above the most that there can be: not even all CPUs of the budget would carry them (utilisation law). Below
    that it may be the load generator that the machine lacked CPU time for. Carried over by N = X · (R + Z).

    Args:
        level: Users of the trial that failed.
        most: Upper end of the capacity at ``own_s`` (users); None where there is none.
        answer_s: Mean length of an answer as the model sends it.
        own_s: Mean think time of the search.
        think_s: Mean think time of the trial.
    """
    return most is not None and level * (answer_s + own_s) > most * (answer_s + think_s)


def reached(ask: Ask, seen: Interval) -> bool | None:
    """Return whether a quantity lies at or above a threshold; None where the trials do not tell."""
    if seen.low is not None and seen.low >= ask.threshold and seen.low_trials >= NEEDED:
        return True
    if seen.high is not None and seen.high < ask.threshold and seen.high_trials >= NEEDED:
        return False
    return None


def holds(ask: Ask, seen: Interval) -> bool | None:
    """Return whether what is asked holds; None where the trials do not tell."""
    found = reached(ask, seen)
    return found if found is None or ask.direction == "at least" else not found


def together(answers: Iterable[bool | None]) -> Judgement:
    """Return the judgement of several quantities: each may support, each may refute, both at once is *depends*."""
    given = set(answers)
    if {True, False} <= given:
        return "depends"
    return "supported" if True in given else "refuted" if False in given else "not settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The longest mean think time at which a number of users was missed, the shortest at which it was reached."""

    missed_s: float | None
    reached_s: float | None

    @property
    def settled(self) -> bool:
        """Tell if trials on both sides agree that longer think times allow more users."""
        return self.missed_s is not None and self.reached_s is not None and self.missed_s < self.reached_s


def turn(answers: Mapping[float, bool | None]) -> Turn:
    """Return where the answer turns, of whether a number of users was reached, by mean think time in seconds.

    The same users load a target less the longer they think. So a miss holds for shorter think times too, and what was
    reached is reached at longer ones.
    """
    return Turn(
        missed_s=max((think_s for think_s, found in answers.items() if found is False), default=None),
        reached_s=min((think_s for think_s, found in answers.items() if found), default=None),
    )


def over_think_times(direction: Direction, found: Turn) -> Judgement:
    """Return the judgement of a number of users over all of ``THINK_TIMES_S``."""
    whole: bool | None = None
    if found.missed_s is None and found.reached_s is not None and found.reached_s <= THINK_TIMES_S[0] * SAME_THINK:
        whole = True
    if found.reached_s is None and found.missed_s is not None and found.missed_s >= THINK_TIMES_S[-1] / SAME_THINK:
        whole = False
    if whole is None:
        return "depends" if found.settled else "not settled"
    return "supported" if whole == (direction == "at least") else "refuted"


def turning_think_s(users: float, capacity: float, answer_s: float, think_s: float) -> float:
    """Return the mean think time from which a number of users is predicted to fit, by N = X · (R + Z).

    Args:
        users: The number asked for.
        capacity: Users at the edge, at ``think_s``; their throughput is X = capacity / (answer_s + think_s).
        answer_s: Mean time of a turn, R.
        think_s: Mean think time at which the capacity was measured.
    """
    return users * (answer_s + think_s) / capacity - answer_s
