"""Whether users only waited for answers while it was measured: numpy over the turns, on its own."""

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
    """Return the median wait for answers that never came well (s), where hardly anybody did anything else."""
    window = summary["phases"]["measure"]
    start_s, end_s = float(window["start_s"]), float(window["end_s"])
    over_s = max(float(phase["end_s"]) for phase in summary["phases"].values())
    sent, done = turns["sent_s"], np.where(np.isnan(turns["done_s"]), over_s, turns["done_s"])
    began = (turns["outcome"] != "ok") & (sent < end_s)
    lost = began & (np.isnan(turns["done_s"]) | (done > start_s))
    inside_s = float((np.minimum(done, end_s) - np.maximum(sent, start_s))[lost].sum())
    everybody_s = summary["users"] * (end_s - start_s)
    if not everybody_s or 100 * inside_s < WAITING_PERCENT * everybody_s:
        return None
    wait_s = float(np.median((done - sent)[lost]))
    return wait_s if wait_s > MEAN_ANSWERS * _answer_s(answer) + FURTHER_S else None
