"""A second way to the columns of the turns: do they follow from the tokens and from the model's log?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.results import TOKENS, TURNS
from reports.verify import model_calls, model_pace
from reports.verify.resources import Array

Columns = dict[str, Any]
Damage = list[tuple[str, str, str]]  # file, figure, what differs
CLOCK_S = 1e-7  # rounding of clocks that count from the machine's start
ROUNDED_S = {"model_lag_s": 2e-6}  # the model's log gives a first token's due time to the microsecond


def row_counts(turns: Columns, folder: Path, summary: Mapping[str, Any]) -> Damage:
    """Return which of a trial's files hold other turns than its generator wrote."""
    rows = len(turns["tag"])
    damage: Damage = []
    if rows != summary["turns_written"]:
        damage.append((TURNS, "rows", f"{rows} turns, the generator wrote {summary['turns_written']}"))
    tags = pq.read_table(folder / TOKENS, columns=["tag"]).column("tag").to_numpy()
    if len(tags) != rows:
        damage.append((TOKENS, "rows", f"{len(tags)} rows for {rows} turns"))
    elif not np.array_equal(tags.astype(object), turns["tag"]):
        damage.append((TOKENS, "tag", "its rows are not those of the turns"))
    return damage


def derived(
    turns: Columns, folder: Path, begins: Array, pace: model_pace.Pace, calls: model_calls.Calls | None
) -> Damage:
    """Work out every column that follows from others, and name the first turn where it does not.

    ``calls`` is None in a trial of an older chatbench, which knew one call a turn.
    """
    tokens = pq.read_table(folder / TOKENS)
    arrival, reads = _flat(tokens, "arrival_s")
    cumulative, _ = _flat(tokens, "arrival_tokens")
    emitted, emissions = _flat(tokens, "emit_s")
    ttft_s = turns["first_s"] - begins
    stall_s, model_stall_s = _longest_gaps(arrival, reads), _longest_gaps(emitted, emissions)
    has = emissions > 0
    first = np.full(len(has), np.nan)
    last = np.full(len(has), np.nan)
    ends = np.cumsum(emissions)
    first[has], last[has] = emitted[(ends - emissions)[has]], emitted[ends[has] - 1]
    expected = {
        "model_ttft_s": first,
        "model_last_s": turns["model_request_s"] + last,
        "model_stall_s": model_stall_s,
        "model_lag_s": _by_row(*pace.late(turns["tag"], turns["model_request_s"], emitted, emissions), len(has)),
        "ttft_s": ttft_s,
        "added_ttft_s": ttft_s - (first if calls is None else turns["model_wait_s"]),
        "stall_s": stall_s,
        "added_stall_s": stall_s - model_stall_s,
        "lateness_s": _lateness(turns, (arrival, cumulative, reads), (emitted, emissions)),
        "turn_s": turns["done_s"] - begins,
        "ready_delay_s": turns["ready_s"] - turns["done_s"],
        "schedule_delay_s": turns["sent_s"] - turns["intended_s"],
    }
    if calls is not None:
        expected |= calls.of_turns(turns)
    damage: Damage = []
    for name, values in expected.items():
        wrong = ~np.isclose(turns[name], values, rtol=1e-9, atol=ROUNDED_S.get(name, CLOCK_S), equal_nan=True)
        if wrong.any():
            i = int(np.argmax(wrong))
            text = f"turn tag-{turns['tag'][i]} says {turns[name][i]}, its times give {values[i]}"
            damage.append((TURNS, name, text))
    return damage


def _flat(table: Any, name: str) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a list column as one flat array and the length of each row's list."""
    column = table.column(name).combine_chunks()
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return column.flatten().to_numpy(zero_copy_only=False).astype(float), lengths


def _by_row(values: Array, rows: npt.NDArray[np.int64], count: int) -> Array:
    """Return the largest value of each row; NaN for rows without values."""
    found = np.full(count, -np.inf)
    with np.errstate(invalid="ignore"):  # a time that was taken out is no number
        np.maximum.at(found, rows, values)
    return np.where(np.isneginf(found), np.nan, found)


def _longest_gaps(times: Array, lengths: npt.NDArray[np.int64]) -> Array:
    rows = np.repeat(np.arange(len(lengths)), lengths)
    within = rows[1:] == rows[:-1]
    return _by_row(np.diff(times)[within], rows[1:][within], len(lengths))


def _lateness(
    turns: Columns,
    arrivals: tuple[Array, Array, npt.NDArray[np.int64]],
    emissions: tuple[Array, npt.NDArray[np.int64]],
) -> Array:
    """Largest (arrival − emission) per turn: the k-th token comes with the first read that counts more than k."""
    offsets, cumulative, reads = arrivals
    emitted, lengths = emissions
    rows = np.repeat(np.arange(len(reads)), reads)
    span = float(max(lengths.max(initial=0), cumulative.max(initial=0.0))) + 1
    counted = np.maximum.accumulate(cumulative + rows * span) - rows * span
    counted = np.minimum(counted, lengths[rows])
    opens = np.r_[True, rows[1:] != rows[:-1]] if len(rows) else np.empty(0, bool)
    before = np.where(opens, 0.0, np.r_[0.0, counted[:-1]] if len(rows) else counted)
    fresh = np.maximum(counted - before, 0).astype(np.int64)
    owner, arrived = np.repeat(rows, fresh), np.repeat(offsets, fresh)
    per_row = np.bincount(owner, minlength=len(reads)) if len(owner) else np.zeros(len(reads), np.int64)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    sent = emitted[(np.cumsum(lengths) - lengths)[owner] + place]
    late = turns["sent_s"][owner] + arrived - (turns["model_request_s"][owner] + sent)
    return _by_row(late, owner, len(reads))
