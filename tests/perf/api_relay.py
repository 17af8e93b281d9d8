"""CPU per relayed token of every API beside a bare Starlette relay of bytes, in turns, in one run of about 100 s.

Each part is started as a trial starts it, through the REST stream with all that belongs to a turn; the twin hands the
model's bytes on unread. Goal for APIs on one event loop per process: at most four times the twin.
"""

import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from harness import targets
from harness.records import AnswerPlan, Distribution
from harness.runtimes.local import LocalPod, LocalRuntime
from harness.runtimes.protocol import UNLIMITED_PER_MINUTE
from tests import ROOT
from tests.perf.relaying import ITL_S, LOAD, SEED, TTFT_S, Cost, Server, bare, cost, in_conversation

TWIN = "tests/perf/twins/starlette_relay"
ANSWER = AnswerPlan(ttft_s=Distribution(median=TTFT_S), itl_s=ITL_S, tokens=Distribution(median=10))
ROUNDS = 2
GOAL_RATIO = 4.0
EXPLAINED = ("flask",)  # no goal of its own: WSGI, one greenlet a stream; its README explains the figure


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note."""
    catalogue = targets.discover(ROOT / "targets")
    web = next(part for part in catalogue.of_kind("web") if part.protocol is None)
    names = {part.name: f"{part.name}+{web.name}" for part in catalogue.of_kind("api")}
    names["bare"] = str(ROOT / TWIN)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    with ExitStack() as running, tempfile.TemporaryDirectory() as scratch:
        runtime = LocalRuntime()
        running.callback(runtime.close)
        servers = {}
        for name, target in names.items():
            prepared = runtime.prepare(
                catalogue.target(target), catalogue, ROOT, SEED, lambda text: print(text, file=sys.stderr)
            )
            pod = running.enter_context(runtime.open_trial(f"relay-{name}", Path(scratch, name)))
            stack = pod.launch(prepared, ANSWER, UNLIMITED_PER_MINUTE)
            servers[name] = _server(name, pod, stack.instances[0])
        for _ in range(ROUNDS):
            for name, server in servers.items():
                costs[name].append(cost(server))
    return _figures(costs)


def _server(name: str, pod: LocalPod, url: str) -> Server:
    (component,) = [one.name for one in pod.components() if one.endpoint == url]
    port = urlsplit(url).port or 80

    def cpu_s() -> float:
        return next(sample.cpu_s for sample in pod.sample() if sample.component == component)

    if name == "bare":
        return Server(port=port, cpu_s=cpu_s, request=bare, token=b'"delta":{"content"', end=b"[DONE]")
    return Server(port=port, cpu_s=cpu_s, request=in_conversation)


def _figures(costs: Mapping[str, list[Cost]]) -> list[dict[str, object]]:
    how = f"{LOAD}, median of {ROUNDS}"
    found: list[dict[str, object]] = []
    for name, own in costs.items():
        if name != "bare":
            ratio = statistics.median(a.token_us / b.token_us for a, b in zip(own, costs["bare"], strict=True))
            goal = None if name in EXPLAINED else GOAL_RATIO
            found.append(_figure(f"{name}: CPU per relayed token / bare relay's", ratio, "ratio", how, goal))
        found.append(_figure(f"{name}: CPU per relayed token", statistics.median(c.token_us for c in own), "µs", how))
        found.append(_figure(f"{name}: CPU per turn besides", statistics.median(c.turn_us for c in own), "µs", how))
    return found


def _figure(name: str, value: float, unit: str, note: str, goal: float | None = None) -> dict[str, object]:
    met = None if goal is None else value <= goal
    return {"name": name, "goal": goal, "value": round(value, 4), "unit": unit, "met": met, "note": note}


if __name__ == "__main__":
    for row in measure():
        print(row)
