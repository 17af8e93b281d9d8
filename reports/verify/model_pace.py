"""The times at which the model meant to send each token: its draws repeated from seed and tag, sharing nothing."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LONGEST_STEP_MS = 10
LONGEST_WAIT_S = 3600.0  # the model sends its first token then at the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The pace that a run asked its model for."""

    seed: int
    ttft_s: float
    sigma: float
    itl_s: float

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> "Pace":
        """Read it from ``run.json``."""
        answer = run["profile"]["answer"]
        ttft = answer["ttft_s"]
        return cls(
            seed=int(run["seed"]), ttft_s=ttft["median"], sigma=ttft.get("sigma", 0.0), itl_s=float(answer["itl_s"])
        )

    def first_s(self, tag: str) -> float:
        """Return when the first token was due: log-normal, by a normal of Box & Muller from SHA-256 of seed and tag."""
        if not self.sigma:
            return self.ttft_s
        drawn = hashlib.sha256(f"{self.seed}:{tag}".encode()).digest()[16:]
        a, b = ((int.from_bytes(part, "big") + 0.5) * 2.0**-64 for part in (drawn[:8], drawn[8:]))
        normal = math.cos(2 * math.pi * b) * math.sqrt(-2 * math.log(a))
        return min(LONGEST_WAIT_S, self.ttft_s * math.exp(self.sigma * normal))

    def step_ms(self) -> int:
        """Return the longest step of at most 10 ms that divides the time between tokens: the model sends in steps."""
        between_ms = round(1000 * self.itl_s, 6)
        return max((n for n in range(2, LONGEST_STEP_MS + 1) if between_ms % n == 0), default=1)

    def late(
        self, tags: Sequence[str], requests_s: Array, emitted: Array, lengths: npt.NDArray[np.int64]
    ) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return how late each token was sent, and the row of its answer; each answer begins with its next step.

        An answer whose tokens were all sent at once was asked for in one piece: it is due with its last token.
        """
        rows = np.repeat(np.arange(len(lengths)), lengths)
        drawn = np.array([self.first_s(tag) if count else 0.0 for tag, count in zip(tags, lengths, strict=True)])
        step_ms = self.step_ms()
        first = np.ceil((requests_s + drawn) * 1000 / step_ms) * step_ms / 1000 - requests_s
        begins = np.cumsum(lengths) - lengths
        told = np.flatnonzero(lengths)
        at_once = np.zeros(len(lengths), bool)
        at_once[told] = emitted[begins[told]] == emitted[begins[told] + lengths[told] - 1]
        place = np.where(at_once[rows], lengths[rows] - 1, np.arange(len(rows)) - begins[rows])
        due = np.maximum(first, drawn)[rows] + self.itl_s * place
        return emitted - due, rows
