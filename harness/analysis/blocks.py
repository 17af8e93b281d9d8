"""The SLO over blocks of a few seconds: which turns are beyond it, which blocks met it, where a climb left it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING

from harness.records import PhaseTimes, Slo

if TYPE_CHECKING:
    import pandas as pd

BLOCK_S = 5.0
FEWEST_TURNS = 20  # of a block: one turn in twenty is the share that a 95th percentile leaves out
SHARE = 0.05  # of the turns that may lie beyond a 95th percentile's threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of a trial: its start, its turns, and the largest use of what the SLO allows (1: all of it)."""

    start_s: float
    turns: int
    use: float

    @property
    def met(self) -> bool:
        """Tell if its turns met the SLO."""
        return self.use <= 1


def beyond(turns: "pd.DataFrame", slo: Slo) -> "dict[str, pd.Series[bool]]":
    """Return for each threshold of the SLO which turns are beyond it; a turn without an answer is beyond them all."""
    lost = turns["outcome"] != "ok"
    columns = {name: name.replace("_p95_s", "_s") for name in asdict(slo) if name.endswith("_p95_s")}
    return {
        **{name: lost | (turns[column] > getattr(slo, name)) for name, column in columns.items()},
        "failure_ratio": lost,
    }


def allowed(slo: Slo) -> dict[str, float]:
    """Return for each threshold the share of turns that may be beyond it."""
    return {name: slo.failure_ratio if name == "failure_ratio" else SHARE for name in asdict(slo)}


def blocks(
    turns: "pd.DataFrame", window: PhaseTimes, slo: Slo, block_s: float = BLOCK_S, *, last_too: bool = False
) -> list[Block]:
    """Return the whole blocks of a window in order; a turn belongs to the block of its intended send.

    ``last_too``: and what is left of the window behind them.
    """
    span = (window.end_s - window.start_s) / block_s
    count = ceil(span - 1e-9) if last_too else int(span + 1e-9)
    place = ((turns["intended_s"] - window.start_s) // block_s).astype(int)
    over, shares = beyond(turns, slo), allowed(slo)
    found = []
    for k in range(count):
        mine = place == k
        total = int(mine.sum())
        use = max(int((over[name] & mine).sum()) / (shares[name] * total) for name in over) if total else 0.0
        found.append(Block(start_s=window.start_s + k * block_s, turns=total, use=use))
    return found


def block_length_s(turns: int, window_s: float) -> float:
    """Return a length at which blocks hold ``FEWEST_TURNS`` turns on average, ``BLOCK_S`` at least."""
    return max(BLOCK_S, FEWEST_TURNS * window_s / turns) if turns else BLOCK_S


def met_ratio(turns: "pd.DataFrame", window: PhaseTimes, slo: Slo) -> float | None:
    """Return the share of blocks that met the SLO; None for fewer than two, or without turns.

    A block in which nobody could send is a pause of its own length: it did not meet it.
    """
    length_s = block_length_s(len(turns), window.end_s - window.start_s)
    found = blocks(turns, window, slo, length_s)
    if turns.empty or len(found) < 2:
        return None
    return sum(block.met and block.turns > 0 for block in found) / len(found)


def climbed(
    turns: "pd.DataFrame", window: PhaseTimes, slo: Slo, users: int, climb_s: float, *, stopped: bool = False
) -> float | None:
    """Return how many users had come when a slow climb left the SLO; None where it never did.

    Two blocks in a row have to miss it: one alone may be a pause. Users come evenly over ``climb_s``.

    Args:
        turns: Those that had ended.
        window: From the first user's coming to the end of the climb.
        slo: The thresholds.
        users: All that were to come.
        climb_s: The time over which they were to come.
        stopped: The climb was stopped, since two blocks had missed the SLO for certain. Most turns of the second were
            still under way then and are not here, so that the last block may stand alone.
    """
    found = [one for one in blocks(turns, window, slo, last_too=stopped) if one.turns >= FEWEST_TURNS]
    for first, second in zip_longest(found, found[1:]):
        if not first.met and (stopped if second is None else not second.met):
            return users * min(1.0, (first.start_s + BLOCK_S / 2 - window.start_s) / climb_s)
    return None


def at_least_beyond(turns: "pd.DataFrame", slo: Slo, possible: float) -> Mapping[str, float]:
    """Return for each threshold the share of all turns a window can hold that is beyond it already.

    Args:
        turns: Those that had ended when the trial was cut.
        slo: The thresholds.
        possible: The most turns that the window can hold.
    """
    return {name: int(rows.sum()) / possible for name, rows in beyond(turns, slo).items()}
