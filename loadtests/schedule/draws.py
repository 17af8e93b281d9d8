"""All random draws, keyed so that every target gets identical work."""

import math
import random
from statistics import NormalDist

from harness.records import Distribution
from harness.records.recipe import sha256_hex

_WORDS: tuple[str, ...] = (
    "answer",
    "because",
    "before",
    "change",
    "compare",
    "different",
    "example",
    "explain",
    "first",
    "give",
    "how",
)
_WORDS += ("idea", "important", "make", "more", "number", "people", "question", "reason", "should", "show", "small")
_WORDS += ("step", "tell", "thing", "time", "under", "use", "want", "what", "when", "where", "which", "why", "write")
_NORMAL = NormalDist()


def tag_of(seed: int, user: int, conversation: int, turn: int) -> str:
    """Return the tag of one message, 16 hex digits."""
    return sha256_hex(f"{seed}:{user}:{conversation}:{turn}")[:16]


def arrival_tag(seed: int, arrival: int) -> str:
    """Return the tag of the message at an arrival (0-based) of an open workload."""
    return sha256_hex(f"{seed}:arrival:{arrival}")[:16]


def arrival_gap_s(seed: int, arrival: int, per_s: float) -> float:
    """Return the time since the previous arrival: exponential, so that arrivals are a Poisson process."""
    return -math.log(uniform(f"{seed}:arrival:{arrival}:gap")) / per_s


def uniform(key: str) -> float:
    """Return a number strictly between 0 and 1, always the same for the same key."""
    return (int(sha256_hex(key)[:13], 16) + 0.5) / 2**52


def draw(distribution: Distribution, key: str) -> float:
    """Return this key's value: log-normal with median and sigma, the median itself where sigma is 0."""
    if distribution.sigma == 0:
        return distribution.median
    return distribution.median * math.exp(distribution.sigma * _NORMAL.inv_cdf(uniform(key)))


def think_s(
    distribution: Distribution, seed: int, user: int, conversation: int, turn: int, repetition: int = 0
) -> float:
    """Return the pause before this turn, in seconds.

    Each repetition of a trial draws its own, so that what it shows of chance is not one and the same coincidence.
    """
    again = f":{repetition}" if repetition else ""
    return draw(distribution, f"{seed}:{user}:{conversation}:{turn}:think{again}")


def first_conversation_turns(seed: int, user: int, turns_per_conversation: int) -> int:
    """Return the turns left in a user's first conversation: users start at random positions of one."""
    return 1 + int(uniform(f"{seed}:{user}:position") * turns_per_conversation)


def message(chars: int, tag: str) -> str:
    """Return a message of ``chars`` characters (at least the tag's own length) that ends with the tag's word."""
    ending = f"tag-{tag}"
    rng = random.Random(tag)  # noqa: S311  # reproducible filler text, no secret
    words: list[str] = []
    length = len(ending)
    while length < chars:
        words.append(rng.choice(_WORDS))
        length += len(words[-1]) + 1
    filler = " ".join(words)[: max(0, chars - len(ending) - 1)]
    return f"{filler} {ending}" if filler else ending


def username(user: int, seeded_users: int) -> str:
    """Return the account name of a virtual user (0-based); more users than accounts share them."""
    return f"user{user % seeded_users + 1:04d}"
