"""The answers of a running trial as its generator notes them, and when its verdict is certain; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp
from typing import Any

from harness.analysis.blocks import BLOCK_S, FEWEST_TURNS, SHARE
from harness.analysis.slo import certainly_failing
from harness.records import LoadPlan, Profile

NINETY_NINE_POINT_NINE = 3.09  # standard normal quantile
COUNTED = "measure"
#: how much later than planned a token may leave the model: its step of 10 ms, and its lag on a busy machine
MODEL_LATE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The longest times that may still be within the SLO, as the client sees them."""

    ttft_s: float
    stall_s: float

    @classmethod
    def of(cls, profile: Profile) -> "Worst":
        """Return the thresholds on top of what the model itself takes in 99.9 % of its draws, and its own lateness."""
        ttft = profile.answer.ttft_s
        model_s = ttft.median * exp(NINETY_NINE_POINT_NINE * ttft.sigma)
        slo = profile.slo
        return cls(
            ttft_s=model_s + MODEL_LATE_S + slo.added_ttft_p95_s,
            stall_s=2 * profile.answer.itl_s + MODEL_LATE_S + slo.added_stall_p95_s,
        )


@dataclass(slots=True, kw_only=True)
class Live:
    """The answers so far; for people's eyes and the early stop, never for a printed number."""

    worst: Worst
    turns: int = 0
    measured: int = 0
    beyond: dict[str, int] = field(default_factory=dict)  # turns of *measure* by what is wrong with them
    ttft_s: list[float] = field(default_factory=list)
    phase: str = "ramp_up"
    drains: bool = False  # *measure* is over: its window is whole
    blocks: dict[int, dict[str, int]] = field(default_factory=dict)  # the same by block since the first message
    first_sent_s: float | None = None
    calls: int = 0  # that the model has ended
    in_one_piece: bool = False  # one of them was not streamed

    def add(self, row: dict[str, Any]) -> None:
        """Count one ended turn."""
        self.turns += 1
        self.phase = str(row["phase"])
        self.drains = self.drains or self.phase == "drain"
        ttft_s, stall_s = row["ttft_s"], row["stall_s"]
        if ttft_s is not None:
            self.ttft_s = [*self.ttft_s[-199:], float(ttft_s)]
        if row["phase"] != COUNTED:
            return
        self.measured += 1
        sent_s = float(row["sent_s"])
        self.first_sent_s = sent_s if self.first_sent_s is None else self.first_sent_s
        block = self.blocks.setdefault(int((sent_s - self.first_sent_s) / BLOCK_S), {})
        lost = not row["ok"]
        wrong = {
            "ttft": lost or ttft_s is None or ttft_s > self.worst.ttft_s,
            "stall": lost or (stall_s is not None and stall_s > self.worst.stall_s),
        }
        for name in (name for name, is_so in wrong.items() if is_so):
            self.beyond[name] = self.beyond.get(name, 0) + 1
            block[name] = block.get(name, 0) + 1

    def most(self, beyond: Mapping[str, int], users: int) -> int:
        """Return how many turns miss the threshold missed by most.

        Where turns make several calls of the model, the client cannot tell what the target adds to a TTFT. That is so
        once more calls have ended than turns, those under way included: a user has one at a time. Nor can it where an
        answer was asked for in one piece, whose first token comes with its last.
        """
        unknown = self.in_one_piece or self.calls > self.turns + users
        return max((count for name, count in beyond.items() if not (unknown and name == "ttft")), default=0)


def verdict_is_certain(live: Live, plan: LoadPlan, possible: float, *, may_fail: bool) -> bool:
    """Return whether a trial need not go on: it is certain to fail, or its climb has left the SLO behind.

    ``may_fail``: its scenario is one that ends with its verdict. In *drain* the window is whole, and kept.
    """
    if plan.climb_s:
        return climb_is_over(live, plan)
    return may_fail and not live.drains and certainly_failing(live.most(live.beyond, plan.users), possible)


def climb_is_over(live: Live, plan: LoadPlan) -> bool:
    """Return whether two blocks in a row have more turns beyond the SLO than it allows to all they can hold.

    The first blocks hold too few turns to tell a pause at the start from an edge.
    """
    cycle_s = plan.answer.mean_s() + plan.think_s.mean()

    def missed(k: int) -> bool:
        users = plan.users * min(1.0, (k + 1) * BLOCK_S / plan.climb_s)
        most, possible = live.most(live.blocks.get(k, {}), plan.users), users * BLOCK_S / cycle_s
        return possible >= FEWEST_TURNS and certainly_failing(most, possible, SHARE)

    last = max(live.blocks, default=0)
    return any(missed(k) and missed(k + 1) for k in range(last))
