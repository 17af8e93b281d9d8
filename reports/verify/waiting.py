"""The check that users only waited for answers while it was measured: numpy over the turns, on its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

WAITING_PERCENT = 80  # of all users' time
MEAN_ANSWERS, FURTHER_S = 2, 1.0  # a wait beyond this is not just met by a short trial


def _mean(what: Mapping[str, Any]) -> float:
    return float(what["median"] * np.exp(what.get("sigma", 0.0) ** 2 / 2))


def _answer_s(answer: Mapping[str, Any]) -> float:
    knots = answer.get("tokens_quantiles") or ()
    tokens = float(np.mean((np.array(knots[1:]) + np.array(knots[:-1])) / 2)) if knots else _mean(answer["tokens"])
    return _mean(answer["ttft_s"]) + tokens * float(answer["itl_s"])


def waited_s(turns: Mapping[str, Any], summary: Mapping[str, Any], answer: Mapping[str, Any]) -> float | None:
    """Return the median wait for answers that never came well (s), where hardly anybody did anything else.

    That may be said of the whole window, or of its rest once nothing was answered any more.
    """
    window = summary["phases"]["measure"]
    start_s, end_s = float(window["start_s"]), float(window["end_s"])
    over_s = max(float(phase["end_s"]) for phase in summary["phases"].values())
    sent, done = turns["sent_s"], np.where(np.isnan(turns["done_s"]), over_s, turns["done_s"])
    ok = turns["outcome"] == "ok"
    bound_s = MEAN_ANSWERS * _answer_s(answer) + FURTHER_S
    found = _wait(sent[~ok], done[~ok], (start_s, end_s), summary["users"])
    if found is None or found <= bound_s:
        last_s = float(np.nanmax(turns["done_s"][ok])) if np.isfinite(turns["done_s"][ok]).any() else start_s
        late = start_s < last_s and end_s - last_s > bound_s
        found = _wait(sent[~ok], done[~ok], (last_s, end_s), summary["users"]) if late else None
    return found if found is not None and found > bound_s else None


def _wait(sent: Any, done: Any, span: tuple[float, float], users: int) -> float | None:
    """Median length of waits that touch a span, if they fill enough of everybody's time in it."""
    touching = (sent < span[1]) & (done > span[0])
    inside_s = np.clip(np.minimum(done, span[1]) - np.maximum(sent, span[0]), 0, None).sum()
    everybody_s = users * (span[1] - span[0])
    if not everybody_s or 100 * inside_s < WAITING_PERCENT * everybody_s or not touching.any():
        return None
    return float(np.median((done - sent)[touching]))
