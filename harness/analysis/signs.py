"""The sign test: which of two sides wins more often than chance would have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb

LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTest:
    """Pairs in which one side was better; ties count for neither (Dixon & Mood, 1946)."""

    first: int
    second: int
    ties: int
    p: float

    @property
    def settled(self) -> bool:
        """Tell if chance alone would rarely do that."""
        return self.p < LEVEL


def sign_test(pairs: Iterable[tuple[float, float]]) -> SignTest:
    """Return the two-sided sign test over pairs of ranks, of which the lower is better."""
    ranks = list(pairs)
    first = sum(a < b for a, b in ranks)
    second = sum(b < a for a, b in ranks)
    n, fewer = first + second, min(first, second)
    tail = sum(comb(n, k) for k in range(fewer + 1)) / 2**n
    return SignTest(first=first, second=second, ties=len(ranks) - n, p=min(1.0, 2 * tail))
