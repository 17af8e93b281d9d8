"""TTFT as the generator measures it, three ways to one model, in turns: about two minutes.

Inside the sealed pod (generator and model are containers of one network namespace), on this machine's plain loopback
(the local runtime), and through a published port of Docker (model in a container, generator on this machine). Each
way gets the same plan for the protocol ``openai``; in the first two a Streamlit stands idle beside: pods have a target.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness import profiles, results, targets
from harness.errors import BenchError
from harness.records import Distribution, LoadPlan, Turn
from harness.runtimes.docker import DockerRuntime, engine, topology
from harness.runtimes.local import LocalRuntime
from harness.runtimes.protocol import GENERATOR, UNLIMITED_PER_MINUTE, Pod, Prepared, Runtime
from harness.trials.plans import chat_plan, patience_s
from tests import ROOT

STREAMS = 50
WINDOW_S, ROUNDS = 8.0, 2
THINK_S = 0.1
RAMP_UP_S = WARM_UP_S = 1.5
GOAL_MS = 1.0
TARGET = "streamlit"
PROFILE = profiles.load("quick")
POD, LOOPBACK, PORT = "inside the sealed pod", "on plain loopback", "through a published port"

Way = Callable[[Path], None]  # leaves turns.jsonl in a folder


def measure() -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note; no value where no engine answers."""
    try:
        docker = DockerRuntime()
    except BenchError as absent:
        return [_figure(f"TTFT {POD} − {LOOPBACK}, medians", GOAL_MS, None, f"{absent.message}; {absent.hint}")]
    local = LocalRuntime()
    try:
        found = targets.discover(ROOT / "targets")
        target = found.target(TARGET)

        def prepared(runtime: Runtime) -> Prepared:
            return runtime.prepare(target, found, ROOT, PROFILE.seed, lambda text: print(text, file=sys.stderr))

        contained, plain = prepared(docker), prepared(local)
        ways: dict[str, Way] = {
            POD: lambda folder: _in_a_trial(docker, contained, folder),
            LOOPBACK: lambda folder: _in_a_trial(local, plain, folder),
            PORT: lambda folder: _through_a_port(local, folder),
        }
        return _figures(_in_turns(ways))
    finally:
        docker.close()
        local.close()


def _in_turns(ways: dict[str, Way]) -> dict[str, list[float]]:
    """Return the TTFT of every measured turn in ms, by way."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as place:
                way(Path(place))
                found[name] += _ttft_ms(Path(place))
    return found


def _figures(ttft_ms: dict[str, list[float]]) -> list[dict[str, object]]:
    middle = {name: statistics.median(values) for name, values in ttft_ms.items()}
    load_text = f"{STREAMS} streams × {1 / PROFILE.answer.itl_s:g} tokens/s, {ROUNDS} × {WINDOW_S:g} s each, in turns"
    busy = f"load {os.getloadavg()[0]:.1f}"
    rows = [
        _figure(
            f"TTFT {POD} − {LOOPBACK}, medians",
            GOAL_MS,
            abs(middle[POD] - middle[LOOPBACK]),
            f"{middle[POD]:.2f} and {middle[LOOPBACK]:.2f} ms; {load_text}; {busy}",
        ),
        _figure(f"TTFT {PORT} − {LOOPBACK}, medians", None, middle[PORT] - middle[LOOPBACK], "Docker's own proxy"),
    ]
    for name, values in ttft_ms.items():
        p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
        note = f"p50; p95 {p95:.2f} ms; {len(values)} turns; the model takes {_model_ms():g} ms of it"
        rows.append(_figure(f"TTFT {name}", None, middle[name], note))
    return rows


def _model_ms() -> float:
    return PROFILE.answer.ttft_s.median * 1000


def _figure(name: str, goal: float | None, value: float | None, note: str) -> dict[str, object]:
    met = None if goal is None or value is None else value <= goal
    shown = None if value is None else round(value, 4)
    return {"name": name, "goal": goal, "value": shown, "unit": "ms", "met": met, "note": note}


def _plan(model_url: str, folder: Path) -> LoadPlan:
    """Return a plan whose users are straight at the model, so many of them that STREAMS answers are under way."""
    answer_s = PROFILE.cycle_s() - PROFILE.think_mean_s()
    users = round(STREAMS * (1 + THINK_S / answer_s))
    plan = chat_plan(PROFILE, protocol="openai", instances=(model_url,), users=users, folder=folder, seed=PROFILE.seed)
    return replace(
        plan,
        think_s=Distribution(median=THINK_S),
        ramp_up_s=RAMP_UP_S,
        warm_up_s=WARM_UP_S,
        measure_min_s=WINDOW_S,
        measure_max_s=WINDOW_S,
        measure_turns=1,
        drain_s=5.0,
    )


def _in_a_trial(runtime: Runtime, prepared: Prepared, folder: Path) -> None:
    with runtime.open_trial("paths", folder) as pod:
        started = pod.launch(prepared, PROFILE.answer, UNLIMITED_PER_MINUTE)
        _generate(pod, _plan(started.model_url, folder))


def _through_a_port(local: LocalRuntime, folder: Path) -> None:
    with _published_model() as url, local.open_trial("paths", folder) as pod:
        _generate(pod, _plan(url, folder))


def _generate(pod: Pod, plan: LoadPlan) -> None:
    pod.generate(plan)
    code = pod.wait(GENERATOR, patience_s(plan))
    if code != 0:
        raise RuntimeError(f"the generator ended with {code}")


@contextmanager
def _published_model() -> Iterator[str]:
    """Run the model's image as a person would who publishes its port; yield its address on this machine."""
    answer, client = PROFILE.answer, engine.connect()
    words = ["python", "-m", "llm", "--host", "0.0.0.0", "--port", "8001", "--seed", str(PROFILE.seed)]
    words += ["--ttft-s", str(answer.ttft_s.median), "--itl-s", str(answer.itl_s)]
    words += ["--tokens", str(int(answer.tokens.median))]
    try:
        container = client.containers.create(
            f"chatbench/{topology.LLM}",
            words,
            labels={engine.HARNESS_LABEL: engine.harness_mark()},
            ports={"8001/tcp": ("127.0.0.1", 0)},  # 0: a free one
        )
        try:
            container.start()
            done = container.exec_run(["/opt/ready", "http://127.0.0.1:8001/health", "30"])
            if done.exit_code:
                raise RuntimeError(f"the model was not ready: {done.output!r}")
            container.reload()
            published = container.attrs["NetworkSettings"]["Ports"]["8001/tcp"][0]
            yield f"http://127.0.0.1:{published['HostPort']}"
        finally:
            engine.remove(container)
    finally:
        client.close()


def _ttft_ms(folder: Path) -> Sequence[float]:
    turns = [turn for turn in results.read_lines(Turn, folder / "turns.jsonl") if turn.phase == "measure"]
    answered = [(turn.first_s - turn.sent_s) * 1000 for turn in turns if turn.outcome == "ok" and turn.first_s]
    if len(answered) < 0.99 * len(turns) or not answered:
        raise RuntimeError(f"{len(answered)} of {len(turns)} turns were answered: {[t.error for t in turns][:3]}")
    return answered


if __name__ == "__main__":
    for figure in measure():
        print(figure)
