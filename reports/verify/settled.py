"""Looks at the turns under way before *measure*: had they settled, or not where the generator gave up waiting for it.

The generator reads their number at moments. Here it is integrated over the turns' own times.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from harness.results import TURNS
from reports.verify import slo_blocks

Array = npt.NDArray[np.float64]
CLOSED = ("chat", "think", "soak")  # scenarios in which *measure* waits for it
TENTH, ERRORS = 0.10, 3.0
# Between two readings turns begin and end; and what several processes count is heard up to a second after it was so.
ONE_TURN, READ_SHARE = 1.0, 0.02
HEARD_S, READ_EVERY_S = 1.0, 0.05


def check(folder: Path, trial: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[str]:
    """Yield where *measure* began on a load that still changed, or where one that did not change was given up.

    Says nothing of a run whose generator did not wait, and of a trial without the samples.
    """
    summary, key = trial["summary"], trial["key"]
    if not summary or "unsettled" not in summary or key["scenario"] not in CLOSED or not (folder / TURNS).is_file():
        return
    given_up, phases = summary["unsettled"], summary["phases"]
    end_s = phases["warm_up"]["end_s"] if given_up else phases.get("measure", {}).get("start_s")
    if end_s is None:
        return
    answer_s, think_s = slo_blocks.pace(key, run["profile"])
    cycle_s = answer_s + think_s
    stretch_s = min(cycle_s, (end_s - phases["ramp_up"]["end_s"]) / 2)
    if stretch_s <= 0 or (given_up and stretch_s < cycle_s):
        return
    moments = end_s - np.arange(0.0, HEARD_S, READ_EVERY_S)
    earlier, later = _live(folder / TURNS, moments, stretch_s)
    mean = (earlier + later) / 2
    chance = ERRORS * np.sqrt(2 * mean * answer_s / stretch_s)
    beyond = np.abs(later - earlier) - np.maximum(TENTH * mean, chance)
    slack = ONE_TURN + READ_SHARE * mean
    seen = f"turns under way from {earlier[0]:.4g} to {later[0]:.4g} in two stretches of {stretch_s:.3g} s"
    if given_up:
        grew = given_up["later_live"] > given_up["earlier_live"]
        if not np.any((beyond > -slack) & ((later > earlier) == grew)):
            yield f"given up as not settled, turns under way still {'grew' if grew else 'fell'}, but: {seen}"
    elif trial["verdict"]["outcome"] != "invalid" and np.all(beyond > slack):
        yield f"measure began before the load had settled: {seen}"


def _live(file: Path, moments: Array, stretch_s: float) -> tuple[Array, Array]:
    """Return the mean turns under way over two stretches, one after the other, that end at each of these moments."""
    table = pq.read_table(file, columns=["sent_s", "done_s", "ready_s", "outcome"])
    sent, done, ready = (table.column(name).to_numpy().astype(float) for name in ("sent_s", "done_s", "ready_s"))
    cut = table.column("outcome").to_numpy(zero_copy_only=False) == "incomplete"
    over = np.where(np.isnan(ready), np.where(cut, np.nan, done), ready)
    edges = moments - moments[0] - stretch_s * np.array([[2.0], [1.0], [0.0]])
    lived = _since(sent - moments[0], edges) - _since(over - moments[0], edges)
    earlier, later = np.diff(lived, axis=0) / stretch_s
    return earlier, later


def _since(times: Array, edges: Array) -> Array:
    """Return for each edge the seconds from all earlier times to it, added up; absent times never come."""
    known = np.sort(times[~np.isnan(times)])
    count = np.searchsorted(known, edges)
    found: Array = count * edges - np.concatenate([[0.0], np.cumsum(known)])[count]
    return found
