"""A second way to the model's calls of each turn: which one was passed on, and how long the turn waited for any."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

Array = npt.NDArray[np.float64]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """All calls that the model had in a trial, as plain rows."""

    rows: tuple[Row, ...]

    @classmethod
    def read(cls, path: Path) -> "Calls | None":
        """Read them from ``calls.parquet``; None where an older trial has no such file."""
        return cls(tuple(pq.read_table(path).to_pylist())) if path.exists() else None

    def unmatched(self, tags: Sequence[str], start_s: float, end_s: float) -> float:
        """Return how many calls of a span belong to no turn."""
        inside = Counter(row["tag"] for row in self.rows if start_s <= row["request_s"] < end_s)
        return float(inside.total() - sum(inside[tag] for tag in set(tags)))

    def counts(self, tags: Sequence[str]) -> Array:
        """Return how many calls each of these turns had."""
        made = Counter(row["tag"] for row in self.rows)
        return np.array([made[tag] for tag in tags], float)

    def of_turns(self, turns: Mapping[str, Any]) -> dict[str, Array]:
        """Return per turn the number of calls, the request of the one passed on, and the time waited for any."""
        mine: dict[str, list[Row]] = {}
        for row in self.rows:
            mine.setdefault(row["tag"], []).append(row)
        each = zip(turns["tag"], turns["word"], turns["first_s"], strict=True)
        found = [_passed_on(mine.get(tag, []), word, first_s) for tag, word, first_s in each]
        requests, waits = np.array(found, float).reshape(-1, 2).T
        return {"model_calls": self.counts(turns["tag"]), "model_request_s": requests, "model_wait_s": waits}


def _passed_on(calls: Sequence[Row], word: str | None, first_s: float) -> tuple[float, float]:
    """Return when the call passed on was requested, and how long the model had calls up to the first content."""

    def rank(row: Row) -> tuple[bool, bool, float]:
        """Its own word first, then a first token that was in time, then the latest request."""
        in_time = row["tokens"] > 0 and row["request_s"] + row["first_s"] <= first_s
        return bool(row["word"]) and row["word"] == word, in_time, row["request_s"]

    answer = max(calls, key=rank, default=None)
    if answer is None:
        return np.nan, np.nan
    # As in a log without its tokens: what the model sent nothing of has no times.
    if not answer["tokens"] or np.isnan(first_s):
        return (answer["request_s"] if answer["tokens"] else np.nan), np.nan
    ends = [row["first_s"] if row is answer else min(row["end_s"], first_s - row["request_s"]) for row in calls]
    begins = np.array([row["request_s"] for row in calls])
    return answer["request_s"], _covered(begins, begins + np.array(ends, float))


def _covered(begins: Array, ends: Array) -> float:
    """Return the length of a union of spans: of every piece between two edges that some span covers."""
    edges = np.unique(np.r_[begins, ends])
    middles = (edges[:-1] + edges[1:]) / 2
    inside = (begins[:, None] < middles) & (middles < ends[:, None])
    return float(np.diff(edges)[inside.any(axis=0)].sum())
