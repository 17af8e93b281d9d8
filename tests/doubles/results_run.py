"""Makes results folders of plausible numbers, through the same formulas as a real run; for the tests of ``reports``."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import results
from harness.analysis import chat_figures, speed, verdict, workload_figures
from harness.analysis.facts import Facts
from harness.analysis.resource_figures import idle_figures
from harness.records import (
    AnswerPlan,
    Arrivals,
    Component,
    Distribution,
    Emission,
    Finding,
    FixedWork,
    GeneratorSummary,
    Limits,
    MachineSpeed,
    PhaseTimes,
    Profile,
    ResourceSample,
    Run,
    Slo,
    StepTimes,
    TargetInfo,
    Trial,
    TrialKey,
    Turn,
    Verdict,
    Visit,
    Window,
    to_json,
)

THINK_S, TTFT_S, ITL_S, TOKENS = 3.0, 0.3, 0.02, 40
RAMP_S, WARM_S, MEASURE_S, DRAIN_S = 3.0, 2.0, 20.0, 10.0
START_S = 5000.0
SPIKE_TIMES = PhaseTimes(start_s=START_S + RAMP_S + WARM_S + 3, end_s=START_S + RAMP_S + WARM_S + 8)
SPIKE_WINDOW_S, SOAK_BLOCK_S = 4.0, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A pretended target: adds little until ``capacity`` users, then a lot."""

    name: str
    title: str
    kind: str
    capacity: int
    levels: Sequence[tuple[int, int]]  # (level, repetition) in the order of trials
    added_s: float = 0.02
    cpu_s_per_turn: float = 0.02
    idle_bytes: int = 120 << 20
    session_bytes: float = 1.5e6
    spare_cpus: bool = True
    packages: tuple[tuple[str, str], ...] = (("streamlit", "1.67.0"),)
    idle: bool = True
    rounds: Sequence[tuple[int, int]] = ()  # (round, level) in the order of trials
    thinking: Sequence[tuple[int, int]] = ()  # (median think time, level)
    others: Sequence[tuple[str, int]] = ()  # (scenario, level) of other workloads
    no_app: bool = False  # no application: no process of a target
    speed: float | None = None  # of the machine, around each trial under load


STREAMLIT = Measured(
    name="streamlit",
    title="Streamlit",
    kind="monolith",
    capacity=30,
    levels=((10, 0), (21, 0), (32, 0), (26, 0), (32, 1), (26, 1)),
    cpu_s_per_turn=0.14,
)
DJANGO = Measured(
    name="django+angular",
    title="Django + Django REST Framework + Redis + Angular",
    kind="modular",
    capacity=140,
    levels=((10, 0), (90, 0), (150, 0), (120, 0), (150, 1), (120, 1)),
    added_s=0.008,
    cpu_s_per_turn=0.05,
    idle_bytes=210 << 20,
    session_bytes=0.0,
    packages=(("django", "5.2.9"), ("@angular/core", "22.2.0")),
)
NO_APP = Measured(
    name="no-app",
    title="No application",
    kind="control",
    capacity=24,
    levels=((10, 0), (20, 0), (30, 0)),
    packages=(("uvloop", "0.23.0"),),
    idle=False,
    no_app=True,
)
# A run that is quick to write: one level of each kind.
SMALL = (
    replace(STREAMLIT, capacity=12, levels=((10, 0), (14, 0)), cpu_s_per_turn=0.3),
    replace(DJANGO, capacity=24, levels=((10, 0), (20, 0), (30, 0))),
)
PROFILE = Profile(
    name="quick",
    purpose="a first honest table on a laptop",
    think_s=Distribution(median=THINK_S),
    answer=AnswerPlan(ttft_s=Distribution(median=TTFT_S), itl_s=ITL_S, tokens=Distribution(median=TOKENS)),
    window=Window(measure_turns=20),
)
MACHINE = {
    "cpu_model": "Example CPU @ 2.50GHz",
    "cpus": 4,
    "memory_bytes": 8 << 30,
    "kernel": "6.1.0",
    "python": "3.11.7",
}


def target_info(system: Measured) -> TargetInfo:
    """Return what ``run.json`` says of a pretended target."""
    return TargetInfo(
        title=system.title,
        kind=system.kind,
        protocol="streamlit" if system.kind == "monolith" else "rest",
        instances=0 if system.no_app else 1,
        python_processes=1 if system.kind == "monolith" else 2,
        processes="1 process, a thread per session" if system.kind == "monolith" else "2 uvicorn processes",
        features=("sign-in", "streaming"),
        parts=tuple({"name": p, "title": p, "package": p, "version": v} for p, v in system.packages),
    )


def write_run(folder: Path, systems: Sequence[Measured], **changes: object) -> Path:
    """Write a whole run and return its folder."""
    run = Run(
        run_id="20261122-083000-quick",
        created_at="2026-11-22T08:30:00Z",
        command=("chatbench", "run"),
        tool_version="0.1.0",
        seed=42,
        runtime="local",
        profile=PROFILE,
        machine=MACHINE,
        common_level=10,
        targets={m.name: target_info(m) for m in systems},
    )
    results.write_run(folder, replace(run, **changes))  # type: ignore[arg-type]
    clock = 0
    for system in systems:
        chat_trial(folder, system, 1, 0, number=1, minute=clock, scenario="check")
        number, clock = 2, clock + 1
        for level, repetition in system.levels:
            chat_trial(folder, system, level, repetition, number=number, minute=clock)
            number, clock = number + 1, clock + 1
        for part, level in system.rounds:
            chat_trial(folder, system, level, number, number=number, minute=clock, part=part)
            number, clock = number + 1, clock + 1
        for think_s, level in system.thinking:
            chat_trial(folder, system, level, 0, number=number, minute=clock, scenario=f"think-{think_s}")
            number, clock = number + 1, clock + 1
        for scenario, level in system.others:
            chat_trial(folder, system, level, 0, number=number, minute=clock, scenario=scenario)
            number, clock = number + 1, clock + 1
        if system.idle:
            idle_trial(folder, system, number=number, minute=clock)
            clock += 1
    return folder


def limits(system: Measured) -> Limits:
    """Return the budget as read back."""
    return Limits(
        cpus=(0, 1),
        memory_bytes=4 << 30,
        swap_bytes=0,
        cpu_enforced=True,
        memory_enforced=True,
        how="cgroup v2",
        generator_cpus=(2, 3) if system.spare_cpus else (0, 1),
        spare_cpus=system.spare_cpus,
    )


def added_s(system: Measured, level: int, rng: random.Random) -> float:
    """Return what the pretended target adds to a first token."""
    over = max(0.0, level / system.capacity - 1)
    return system.added_s * rng.uniform(0.5, 1.5) + over * rng.uniform(3, 9)


def turns_of(system: Measured, level: int, rng: random.Random) -> tuple[list[Turn], list[Emission]]:
    """Play closed users with a constant think time."""
    turns: list[Turn] = []
    emissions: list[Emission] = []
    window = (START_S + RAMP_S + WARM_S, START_S + RAMP_S + WARM_S + MEASURE_S)
    for user in range(level):
        now, count = START_S + RAMP_S * user / level + rng.uniform(0, THINK_S), 0
        while now < window[1]:
            turn, emission = _turn(system, level, user, count, now, window, rng)
            turns.append(turn)
            emissions.append(emission)
            now, count = (turn.done_s or window[1]) + THINK_S, count + 1
    return turns, emissions


def _turn(
    system: Measured, level: int, user: int, count: int, now: float, window: tuple[float, float], rng: random.Random
) -> tuple[Turn, Emission]:
    tag = f"{rng.getrandbits(64):016x}"
    slow_s = added_s(system, level, rng)
    emit = tuple(TTFT_S + i * ITL_S + rng.uniform(0, 0.0005) for i in range(TOKENS))
    request_s = now + slow_s / 2
    due_s = math.ceil((request_s + TTFT_S) * 100) / 100 - request_s  # the model sends in steps of 10 ms
    emission = Emission(
        tag=tag, request_s=request_s, ttft_s=due_s, itl_s=ITL_S, tokens=TOKENS, emit_s=emit, finished=True
    )
    arrivals = tuple(slow_s + e + rng.uniform(0, 0.002) for e in emit[::2])
    phase = "ramp_up" if now < START_S + RAMP_S else "warm_up" if now < window[0] else "measure"
    end_s = now + slow_s + emit[-1]
    finished = end_s < window[1] + DRAIN_S
    turn = Turn(
        user=user,
        conversation=count // 4,
        turn=count % 4,
        tag=tag,
        phase=phase,  # type: ignore[arg-type]
        intended_s=now - 0.0004,
        sent_s=now,
        first_s=now + arrivals[0],
        last_s=end_s if finished else None,
        done_s=end_s + 0.001 if finished else None,
        ready_s=end_s + 0.001 if finished else None,
        chunks=len(arrivals),
        updates=len(arrivals),
        wire_bytes=9000,
        text_bytes=208,
        outcome="ok" if finished else "incomplete",
        error=None if finished else "the trial ended",
        error_kind=None if finished else "unfinished",
        arrival_s=arrivals,
        arrival_tokens=tuple(range(2, TOKENS + 1, 2)),
    )
    return turn, emission


def samples(system: Measured, turns_per_s: float, end_s: float, sessions: int = 0) -> list[ResourceSample]:
    """Return readings every half second; CPU grows with the turns, up to the two CPUs of the budget."""
    cores = min(1.95, 0.02 + turns_per_s * system.cpu_s_per_turn)
    busiest = min(0.99, cores)
    found: list[ResourceSample] = []
    for step in range(int((end_s - START_S) * 2) + 1):
        t = START_S + step / 2
        elapsed = t - START_S + 1
        memory = int(system.idle_bytes + system.session_bytes * sessions + 4096 * (step % 3))
        shares = {"101": busiest * elapsed, "102": (cores - busiest) * elapsed}
        for component, role, used in (("app", "target", cores), ("llm", "model", 0.1), ("load", "generator", 0.2)):
            if system.no_app and role == "target":
                continue
            found.append(
                ResourceSample(
                    t_s=t,
                    component=component,
                    role=role,  # type: ignore[arg-type]
                    cpu_s=used * elapsed,
                    throttled_s=0.0,
                    anon_bytes=memory if role == "target" else 50 << 20,
                    shared_bytes=2 << 20,
                    working_set_bytes=memory + (5 << 20),
                    peak_bytes=memory + (8 << 20),
                    oom_kills=0,
                    processes=2,
                    process_cpu_s=shares if role == "target" else {"200": used * elapsed},
                    host_busy_s=(cores + 0.3) * elapsed,
                    host_idle_s=(3.7 - cores if system.spare_cpus else 0.01) * elapsed,
                    host_steal_s=0.0,
                    foreign_cpu_s=0.01 * elapsed,
                )
            )
    return found


def _summary(level: int, turns: list[Turn]) -> GeneratorSummary:
    begin = START_S + RAMP_S + WARM_S
    end = begin + MEASURE_S
    measured = [t for t in turns if t.phase == "measure"]
    inside = sum(max(0.0, min(t.done_s or end, end) - max(t.sent_s, begin)) for t in turns)
    return GeneratorSummary(
        users=level,
        phases={
            "ramp_up": PhaseTimes(start_s=START_S, end_s=START_S + RAMP_S),
            "warm_up": PhaseTimes(start_s=START_S + RAMP_S, end_s=begin),
            "measure": PhaseTimes(start_s=begin, end_s=end),
            "drain": PhaseTimes(start_s=end, end_s=end + DRAIN_S),
        },
        turns_begun=len(measured),
        turns_ended=len(measured),
        turns_written=len(turns),
        live_turn_seconds=inside,
        cpu_s=0.2 * MEASURE_S,
        stopped_early=False,
        recorder_errors=0,
        sign_in_failures=0,
        locust_version="2.47.1",
    )


def visits() -> tuple[Visit, ...]:
    """Return four visits a second apart: one failed, one is still under way."""
    begin = START_S + RAMP_S + WARM_S
    found = []
    for n in range(4):
        start = begin + n
        done = Visit(user=0, start_s=start, page_s=start + 0.2 + n / 10, page_requests=7, page_bytes=90_000 + n)
        found.append(replace(done, signed_in_s=start + 0.9 + n / 10, end_s=start + 8))
    found[2] = replace(found[2], signed_in_s=None, error="HTTP 500")
    found[3] = replace(found[3], end_s=None)
    return tuple(found)


def overlap(turn: Turn, window: PhaseTimes) -> float:
    """Return how long a turn was under way inside a window, from its intended send on."""
    return max(0.0, min(turn.done_s or window.end_s, window.end_s) - max(turn.intended_s, window.start_s))


def chat_trial(
    folder: Path,
    system: Measured,
    level: int,
    repetition: int,
    *,
    number: int,
    minute: int,
    judged: Verdict | None = None,
    scenario: str = "chat",
    part: int = 0,
) -> Path:
    """Write one trial of scenario ``chat``; ``judged`` replaces the verdict that its figures would get."""
    scenario, _, parameter = scenario.partition("-")  # tests say open-70
    key = TrialKey(
        target=system.name,
        scenario=scenario,
        parameter=int(parameter) if parameter else None,
        level=level,
        repetition=repetition,
        number=number,
        round=part,
    )
    path = results.trial_folder(folder, key)
    path.mkdir(parents=True)
    turns, emissions = turns_of(system, level, random.Random(f"{system.name}:{level}:{repetition}"))
    summary = _summary(level, turns)
    is_open = scenario == "open"
    if scenario == "visit":
        summary = replace(summary, visits=visits())
    if scenario == "spike":
        summary = replace(summary, users=4 * level, spike=SPIKE_TIMES)
    if is_open:
        inside = sum(overlap(t, summary.phases["measure"]) for t in turns)
        arrivals = Arrivals(per_s=level / 60, without_page=1, without_user=0)
        summary = replace(summary, arrivals=arrivals, live_turn_seconds=inside)
    files = results.write_samples(
        path,
        turns,
        emissions,
        samples(system, summary.turns_begun / MEASURE_S, START_S + RAMP_S + WARM_S + MEASURE_S + DRAIN_S),
        from_intended=is_open,
    )
    slo = Slo()
    found = chat_figures.chat_figures(
        results.read_turns(path), results.read_resources(path), summary, slo, results.read_calls(path)
    )
    if scenario == "visit":
        found |= workload_figures.visit_figures(found, summary)
    if scenario == "spike":
        found |= workload_figures.spike_figures(results.read_turns(path), summary, slo, SPIKE_WINDOW_S)
    if scenario == "soak":
        found |= workload_figures.soak_figures(
            results.read_turns(path), results.read_resources(path), summary, SOAK_BLOCK_S
        )
    if scenario == "check":
        found["cold_start_s"] = None if system.no_app else 4.2
    facts = Facts(
        spare_cpus=system.spare_cpus,
        budget_cores=2,
        stopped_early=False,
        turns_needed=1 if scenario in ("check", "visit") else 20,
        no_app=system.no_app,
    )
    timed = _timed(system.speed) if system.speed and scenario != "check" else None
    if timed:
        found["machine_speed"] = speed.around(timed)
    _write(path, key, system, summary, judged or _judge(found, facts, slo), found, files, minute, timed)
    return path


def _timed(relative: float) -> MachineSpeed:
    """Return fixed work that was done at such a speed, a little faster before than after."""
    before, after = (
        FixedWork(seconds={kind: seconds / (relative * share) for kind, seconds in speed.REFERENCE_S.items()})
        for share in (1.01, 1 / 1.01)
    )
    return MachineSpeed(before=before, after=after)


def _judge(found: dict[str, float | None], facts: Facts, slo: Slo) -> Verdict:
    steady = found | {"turn_half_difference_ratio": 0.0, "live_half_difference_ratio": 0.0}
    return verdict.judge(steady, facts, slo)


def idle_trial(folder: Path, system: Measured, *, number: int, minute: int) -> Path:
    """Write one trial of scenario ``idle``: memory at 0, 50, 100 and 150 open sessions."""
    key = TrialKey(target=system.name, scenario="idle", level=150, repetition=0, number=number)
    path = results.trial_folder(folder, key)
    path.mkdir(parents=True)
    steps = tuple(
        StepTimes(sessions=n, start_s=START_S + 10 * i, end_s=START_S + 10 * i + 6)
        for i, n in enumerate((0, 50, 100, 150))
    )
    readings: list[ResourceSample] = []
    noise = random.Random(system.name)
    for step in steps:
        wobble = noise.uniform(-3e5, 3e5)
        for sample in samples(system, 0.0, START_S + 60, step.sessions):
            if step.start_s - 1 <= sample.t_s <= step.end_s + 1:
                grown = int((sample.anon_bytes or 0) + wobble) if sample.role == "target" else sample.anon_bytes
                readings.append(replace(sample, anon_bytes=grown))
    files = results.write_samples(path, [], [], readings)
    found = idle_figures(results.read_resources(path), steps)
    summary = replace(_summary(0, []), users=150, steps=steps)
    _write(path, key, system, summary, Verdict(outcome="pass"), found, files, minute)
    return path


def audit_trial(folder: Path, system: Measured, findings: Sequence[Finding], *, number: int, minute: int) -> Path:
    """Write one trial of scenario ``audit`` that found this."""
    key = TrialKey(target=system.name, scenario="audit", level=1, repetition=0, number=number)
    path = results.trial_folder(folder, key)
    path.mkdir(parents=True)
    _write(path, key, system, None, Verdict(outcome="pass"), {}, results.write_audit(path, findings), minute)
    return path


def _write(
    path: Path,
    key: TrialKey,
    system: Measured,
    summary: GeneratorSummary | None,
    judged: Verdict,
    found: dict[str, float | None],
    files: dict[str, str],
    minute: int,
    timed: MachineSpeed | None = None,
) -> None:
    trial = Trial(
        key=key,
        started_at=f"2026-11-22T{8 + minute // 60:02d}:{minute % 60:02d}:00Z",
        limits=limits(system),
        components=(
            *(() if system.no_app else (Component(name="app", role="target", version="1.0"),)),
            Component(name="llm", role="model", version="0.1.0"),
        ),
        summary=summary,
        verdict=judged,
        figures=found,
        files=files,
        speed=timed,
    )
    results.write_trial(path, trial)


def rewrite(path: Path, **changes: object) -> None:
    """Change fields of a trial that was written."""
    import json

    data = json.loads((path / "trial.json").read_text(encoding="utf-8"))
    data |= {name: to_json(v) if hasattr(v, "__dataclass_fields__") else v for name, v in changes.items()}
    results.write_json(path / "trial.json", data)


def cut_short(path: Path) -> None:
    """Make a trial of scenario ``chat`` that failed one that was stopped early, with figures and verdict of such."""
    run = results.read_run(path.parents[3])
    trial = next(trial for folder, trial in results.read_trials(path.parents[3]) if folder == path)
    assert trial.summary is not None
    summary, slo = replace(trial.summary, stopped_early=True), run.profile.slo
    possible = 1.2 * max(run.profile.window.measure_turns, 25 * trial.key.level / (THINK_S + TTFT_S + ITL_S * TOKENS))
    samples = results.read_turns(path), results.read_resources(path)
    found = chat_figures.chat_figures(*samples, summary, slo, results.read_calls(path), possible=possible)
    facts = Facts(spare_cpus=trial.limits.spare_cpus, budget_cores=2, stopped_early=True, turns_needed=20)
    rewrite(path, summary=summary, figures=found, verdict=verdict.judge(found, facts, slo))
