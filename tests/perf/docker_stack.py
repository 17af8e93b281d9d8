"""What containers cost: building images, coming up, and CPU per turn beside the local runtime's; about six minutes.

CHATBENCH_PERF_COLD_BUILD=1 also builds every image from nothing, some minutes more: on a copy of the base image that no
cache knows. What uv and npm have downloaded before stays in the engine's cache; only an engine that is new has none.
"""

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import docker

from harness import profiles, results, targets
from harness.errors import BenchError
from harness.records import Profile, TrialKey, Turn, Verdict
from harness.runtimes.docker import DockerRuntime, engine, images
from harness.runtimes.docker.runtime import SERVICE_TITLES, SERVICE_VERSIONS, _dockerfiles
from harness.runtimes.local import LocalRuntime
from harness.runtimes.protocol import GENERATOR, UNLIMITED_PER_MINUTE, Prepared, Runtime
from harness.targets import Catalogue, Target
from harness.trials.context import TrialContext
from harness.trials.plans import patience_s, plan_for
from harness.trials.trial import run_trial
from reports.evidence.components import cpu_s_per_turn
from tests import ROOT

COLD_VARIABLE = "CHATBENCH_PERF_COLD_BUILD"
COLD_BASE = "chatbench-cold/base"
COLD_GOAL_S, WARM_GOAL_S = 480.0, 15.0
UP_GOALS_S = {"django+angular": 15.0, "streamlit": 10.0}
TRIES = 3
USERS = 10
OURS = {"api", "app"}  # the services that run the program which the local runtime starts under its own name


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds per turn by component, and how the trial ended."""

    by_component: Mapping[str, float]
    verdict: str

    @property
    def total_ms(self) -> float:
        """All components together."""
        return sum(self.by_component.values()) * 1000


def measure(profile_name: str = "quick") -> list[dict[str, object]]:
    """Return the figures: name, goal, value, unit, met, note; no values where no engine answers."""
    profile, catalogue = profiles.load(profile_name), targets.discover(ROOT / "targets")
    chosen = {name: catalogue.target(name) for name in UP_GOALS_S}
    try:
        contained = DockerRuntime()
    except BenchError as absent:
        return _nothing(f"{absent.message}; {absent.hint}")
    local = LocalRuntime()
    try:
        rows = _cold(chosen.values(), catalogue)
        prepared = {name: _prepared(contained, one, catalogue, profile.seed) for name, one in chosen.items()}
        rows.append(_warm(contained, chosen.values(), catalogue, profile.seed))
        rows.append(_sizes(chosen.values(), catalogue))
        rows += [_up(contained, one, profile) for one in prepared.values()]
        for name, one in prepared.items():
            plain = _prepared(local, chosen[name], catalogue, profile.seed)
            rows += _side_by_side(name, _cost(local, plain, profile), _cost(contained, one, profile), profile)
        return rows
    finally:
        contained.close()
        local.close()


def _nothing(why: str) -> list[dict[str, object]]:
    rows = [_figure("images, all cached", WARM_GOAL_S, None, "s", why)]
    rows += [_figure(f"{name} up to its first answer", goal, None, "s", why) for name, goal in UP_GOALS_S.items()]
    return rows + [_figure(f"{name}: CPU in containers / locally", None, None, "ratio", why) for name in UP_GOALS_S]


def _figure(name: str, goal: float | None, value: float | None, unit: str, note: str) -> dict[str, object]:
    met = None if goal is None or value is None else value <= goal
    shown = None if value is None else round(value, 4)
    return {"name": name, "goal": goal, "value": shown, "unit": unit, "met": met, "note": note}


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _prepared(runtime: Runtime, target: Target, catalogue: Catalogue, seed: int) -> Prepared:
    return runtime.prepare(target, catalogue, ROOT, seed, _say)


def _warm(runtime: Runtime, chosen: Iterable[Target], catalogue: Catalogue, seed: int) -> dict[str, object]:
    begun_s = time.monotonic()
    for target in chosen:
        _prepared(runtime, target, catalogue, seed)
    note = (
        f"`chatbench setup --runtime docker` of {', '.join(UP_GOALS_S)}, nothing changed; load {os.getloadavg()[0]:.1f}"
    )
    return _figure("images, all cached", WARM_GOAL_S, time.monotonic() - begun_s, "s", note)


def _cold(chosen: Iterable[Target], catalogue: Catalogue) -> list[dict[str, object]]:
    """Build all images on a base of a layer that is new, under names that are removed again."""
    if os.environ.get(COLD_VARIABLE) != "1":
        return [_figure("images from nothing", COLD_GOAL_S, None, "s", f"takes minutes: set {COLD_VARIABLE}=1")]
    client = engine.connect()
    wanted = {tag: file for target in chosen for tag, file in _dockerfiles(target, catalogue, ROOT).items()}
    tags = {tag: f"chatbench-cold/{results.slug(tag)}" for tag in wanted}
    try:
        _new_base(client)
        with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as logs:
            begun_s = time.monotonic()
            for tag, (dockerfile, arguments) in wanted.items():
                _say(f"{tag} from nothing")
                images.build(tags[tag], dockerfile, ROOT, COLD_BASE, arguments, Path(logs) / "build.log")
            took_s = time.monotonic() - begun_s
    finally:
        for tag in (*tags.values(), COLD_BASE):
            if client.images.list(tag):
                client.images.remove(tag, force=True)
        client.close()
    note = f"{len(tags)} images one after another; what uv and npm had downloaded before is kept"
    return [_figure("images from nothing", COLD_GOAL_S, took_s, "s", note)]


def _sizes(chosen: Iterable[Target], catalogue: Catalogue) -> dict[str, object]:
    """Return what all images hold besides the base that they share."""
    client = engine.connect()
    try:
        base = int(client.images.get(images.wanted_base(ROOT)).attrs["Size"])
        tags = {tag for target in chosen for tag in _dockerfiles(target, catalogue, ROOT)}
        mib = {tag: (int(client.images.get(tag).attrs["Size"]) - base) / 2**20 for tag in sorted(tags)}
    finally:
        client.close()
    note = ", ".join(f"{tag.partition('/')[2]} {size:.0f}" for tag, size in mib.items())
    return _figure("images besides their base", None, sum(mib.values()), "MiB", f"base {base / 2**20:.0f}; {note}")


def _new_base(client: docker.DockerClient) -> None:
    base = images.base_image(ROOT, client, _say)
    text = f"FROM {base}\nRUN echo {time.time_ns()} > /etc/chatbench-cold\n"
    client.images.build(fileobj=io.BytesIO(text.encode()), tag=COLD_BASE, rm=True, network_mode="none")


def _up(runtime: Runtime, prepared: Prepared, profile: Profile) -> dict[str, object]:
    """Time from putting a stack up to the end of its first answer, without what the generator takes to start."""
    name = prepared.target.name
    tried = [_first_answer_s(runtime, prepared, profile) for _ in range(TRIES)]
    middle_s = statistics.median(whole_s for whole_s, _ in tried)
    own_s = statistics.median(own_s for _, own_s in tried)
    note = f"median of {TRIES}, data copied and model started too; the target's own part {own_s:.1f} s (cold_start_s)"
    return _figure(f"{name} up to its first answer", UP_GOALS_S[name], middle_s, "s", note)


def _first_answer_s(runtime: Runtime, prepared: Prepared, profile: Profile) -> tuple[float, float]:
    key = TrialKey(target=prepared.target.name, scenario="check", level=1, repetition=1, number=1)
    with (
        tempfile.TemporaryDirectory(prefix="chatbench-perf-") as place,
        runtime.open_trial("up", Path(place)) as pod,
    ):
        begun_s = time.monotonic()
        launched = pod.launch(prepared, profile.answer, UNLIMITED_PER_MINUTE)
        up_s = time.monotonic() - begun_s
        plan = plan_for(key, profile, prepared, launched.instances, Path(place))
        pod.generate(plan)
        if pod.wait(GENERATOR, patience_s(plan)) != 0:
            raise RuntimeError(f"{key.target}: the generator failed")
        turns = results.read_lines(Turn, Path(place) / "turns.jsonl")
    first = next((turn for turn in turns if turn.outcome == "ok" and turn.done_s is not None), None)
    if first is None or first.done_s is None:
        raise RuntimeError(f"{key.target}: no turn was answered: {turns[:1]}")
    answer_s = first.done_s - first.sent_s
    return up_s + answer_s, launched.ready_after_s + answer_s


def _cost(runtime: Runtime, prepared: Prepared, profile: Profile) -> Cost:
    """Run the trial that every campaign begins with and return what a turn cost."""
    key = TrialKey(target=prepared.target.name, scenario="chat", level=USERS, repetition=1, number=1)
    with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as place:
        context = TrialContext(run=Path(place), runtime=runtime, profile=profile, tell=lambda *_: None)
        trial = run_trial(context, prepared, key)
        # other programs make a latency worthless, not the target's own CPU time: such a trial counts here too
        counted = replace(trial, verdict=Verdict(outcome="pass"))
        folder = results.trial_folder(Path(place), key)
        by_component = cpu_s_per_turn(folder, [("", counted)], key.target, USERS)
    if not by_component:
        raise RuntimeError(f"{key.target}: nothing was measured: {trial.verdict}")
    codes = ", ".join(reason.code for reason in trial.verdict.reasons)
    return Cost(by_component=by_component, verdict=f"{trial.verdict.outcome} {codes}".strip())


def _side_by_side(name: str, local: Cost, contained: Cost, profile: Profile) -> list[dict[str, object]]:
    ended = f"locally {local.verdict}, in containers {contained.verdict}"
    same = f"{USERS} users, profile {profile.name}, one trial each; {ended}"
    rows = [
        _figure(f"{name}: CPU in containers / locally", None, contained.total_ms / local.total_ms, "ratio", same),
        _figure(f"{name}: CPU per turn in containers", None, contained.total_ms, "ms", _listed(contained)),
        _figure(f"{name}: CPU per turn locally", None, local.total_ms, "ms", _listed(local)),
    ]
    for service in contained.by_component.keys() - local.by_component.keys() - OURS:
        value_ms = contained.by_component[service] * 1000
        title = SERVICE_TITLES.get(SERVICE_VERSIONS.get(service, service), service)
        note = f"not there locally; {value_ms / contained.total_ms:.0%} of the turn"
        rows.append(_figure(f"{name}: {title}", None, value_ms, "ms", note))
    return rows


def _listed(cost: Cost) -> str:
    ordered = sorted(cost.by_component.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {cpu_s * 1000:.2f}" for name, cpu_s in ordered)


if __name__ == "__main__":
    for row in measure(*sys.argv[1:]):
        print(row)
