"""Rules of validity provoked in real trials: starved, late, disturbed and deceived tools are named as the reason."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import results
from harness.analysis.validity import Validity
from harness.cli import lookup
from harness.records import Limits, LoadPlan
from harness.runtimes.local import LocalPod, LocalRuntime, generator
from harness.runtimes.local import pod as local_pod
from harness.runtimes.protocol import GENERATOR
from harness.selftest import bench, cases
from harness.selftest.bench import Laboratory, Measured
from harness.trials import observe
from harness.trials.plans import workers_for

HERE = Path(__file__).parent
pytestmark = pytest.mark.spread
SPIN = "while True: pass"
SHARE = 0.07  # of the machine's CPU time, which a program beside a trial takes
SPIN_A_LITTLE = """
import os, time
begin_s, cores = time.monotonic(), float(os.environ["SHARE"]) * os.cpu_count()
while True:
    if time.process_time() > cores * (time.monotonic() - begin_s):
        time.sleep(0.005)
"""


@pytest.fixture
def lab(tmp_path: Path) -> Laboratory:
    """A laboratory whose model runs in the tests' own environment."""
    return Laboratory(
        folder=tmp_path,
        runtime=LocalRuntime(),
        model=lookup.catalogue().model,
        model_python=Path(sys.executable),
        tell=print,
    )


@pytest.fixture
def spare_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge as on a machine with CPUs to spare, where late tools are no excuse."""
    right: Callable[[LocalPod], Limits] = LocalPod.limits
    monkeypatch.setattr(LocalPod, "limits", lambda pod: replace(right(pod), spare_cpus=True))


def with_generator(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    right, wrong = generator.command(), str(HERE / name)
    monkeypatch.setattr(
        generator, "command", lambda: tuple(wrong if word.endswith("locustfile.py") else word for word in right)
    )


def short(lab: Laboratory, users: int = 6) -> Measured:
    """A trial of a good server, two seconds long."""
    case = cases.timing("rest")
    window = replace(case.profile.window, measure_min_s=2.0, measure_max_s=4.0)
    return lab.measure(replace(case, profile=replace(case.profile, window=window)), users)


def codes(found: Measured) -> set[str]:
    return {one.code for one in found.trial.verdict.reasons}


@pytest.mark.usefixtures("spare_cpus")
def test_a_starved_generator(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_generator(monkeypatch, "validity_starved.py")
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert "invalid.schedule_delay" in codes(found)


def test_a_starved_generator_without_spare_cpus_offers_too_little(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_generator(monkeypatch, "validity_starved.py")
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert codes(found) & {"invalid.offered", "invalid.little"}


def test_a_generator_with_too_few_open_files(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    right = generator.command()
    narrowed = ("sh", "-c", 'ulimit -n 100 && exec "$@"', "sh", *right)
    monkeypatch.setattr(generator, "command", lambda: narrowed)
    found = short(lab, users=140)
    assert found.trial.verdict.outcome == "invalid"
    assert "invalid.generator_limits" in codes(found)
    assert any("Too many open files (`ulimit -n` is 100)" in one.text for one in found.trial.verdict.reasons)
    assert "target.exit" not in codes(found)


@pytest.mark.usefixtures("spare_cpus")
def test_a_late_model(lab: Laboratory) -> None:
    start = ("{python}", str(HERE / "validity_late_model.py"), *lab.model.local.start[3:])
    late = replace(lab.model, local=replace(lab.model.local, start=start))
    found = short(replace(lab, model=late))
    assert found.trial.verdict.outcome == "invalid"
    assert "invalid.model_lag" in codes(found)


@pytest.fixture
def spinning() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("spinning")
def test_foreign_load(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "RULES", Validity())
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert "invalid.foreign_cpu" in codes(found)
    assert (found.trial.figures["foreign_cpu_ratio"] or 0.0) > 0.05


@pytest.fixture
def spinning_a_little() -> Iterator[None]:
    environment = {**os.environ, "SHARE": str(SHARE)}
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", SPIN_A_LITTLE], env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.alone
@pytest.mark.usefixtures("spinning_a_little")
def test_a_little_foreign_load_beside_much_of_the_trials_own(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network traffic of the trial's own hides nothing: it once made 7 % read as 2 to 5 %, within the limit."""
    monkeypatch.setattr(bench, "RULES", Validity())
    found = short(lab, users=100)
    assert "invalid.foreign_cpu" in codes(found)
    assert (found.trial.figures["foreign_cpu_ratio"] or 0.0) > SHARE - 0.01  # others can only add to it


def test_a_deleted_line(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    right = LocalPod.wait

    def wait(pod: LocalPod, name: str, timeout_s: float) -> int | None:
        code = right(pod, name, timeout_s)
        path = lab.folder.glob("trials/*/*/*/turns.jsonl")
        if name == GENERATOR and code is not None:
            for file in path:
                lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
                lines.remove(next(line for line in lines if '"phase":"measure"' in line))
                file.write_text("".join(lines), encoding="utf-8")
        return code

    monkeypatch.setattr(LocalPod, "wait", wait)
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert "invalid.lost_turns" in codes(found)
    assert found.trial.figures["lost_turns"] == 1


def test_answers_before_the_model_sent_them(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the model's log it sent every answer a second later than it did."""
    right = LocalPod.wait

    def later(line: str) -> str:
        call = json.loads(line)
        return json.dumps(call | {"request_s": call["request_s"] + 1.0}) + "\n"

    def wait(pod: LocalPod, name: str, timeout_s: float) -> int | None:
        code = right(pod, name, timeout_s)
        if name == GENERATOR and code is not None:
            for file in lab.folder.glob("trials/*/*/*/emissions.jsonl"):
                file.write_text("".join(map(later, file.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
        return code

    monkeypatch.setattr(LocalPod, "wait", wait)
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert "invalid.early" in codes(found)
    assert (found.trial.figures["early_turns"] or 0) > 1


def test_a_model_that_dies(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    right = LocalPod.generate

    def generate(pod: LocalPod, plan: LoadPlan) -> None:
        right(pod, plan)
        pod._running["llm"].process.kill()

    monkeypatch.setattr(LocalPod, "generate", generate)
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert [(one.code, one.text) for one in found.trial.verdict.reasons] == [
        ("invalid.model", "llm ended by itself with -9")
    ]


def hung(lab: Laboratory, monkeypatch: pytest.MonkeyPatch, role: str, after: int, turns_needed: int) -> Measured:
    """A trial one side of which goes on accepting connections, but answers nothing after so many measured turns."""
    right = LocalPod.wait
    stopped: list[str] = []

    def wait(pod: LocalPod, name: str, timeout_s: float) -> int | None:
        code = right(pod, name, min(timeout_s, 0.02))
        live = "".join(file.read_text(encoding="utf-8") for file in lab.folder.glob("trials/*/*/*/live.jsonl"))
        if not stopped and live.count('"phase":"measure"') >= after:
            stopped.extend(one.name for one in pod.components() if one.role == role)
            for component in stopped:
                pod.signal(component, signal.SIGSTOP)
        return code

    monkeypatch.setattr(LocalPod, "wait", wait)
    case = cases.timing("rest")
    window = replace(case.profile.window, measure_min_s=5.0, measure_max_s=5.0, measure_turns=turns_needed, drain_s=0.5)
    found = lab.measure(replace(case, profile=replace(case.profile, window=window)), 12)
    assert stopped
    return found


@pytest.mark.alone
@pytest.mark.parametrize(
    ("turns_needed", "reasons"),
    [(40, {"target.unanswered", "slo.failure_ratio"}), (20, {"slo.failure_ratio"})],
    ids=["few turns", "enough turns"],
)
def test_a_target_that_hangs(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch, turns_needed: int, reasons: set[str]
) -> None:
    found = hung(lab, monkeypatch, "target", 10, turns_needed)
    assert found.trial.verdict.outcome == "fail", found.trial.verdict.reasons
    assert reasons <= codes(found)
    assert (found.trial.figures["ok"] or 0) >= 10
    assert found.trial.figures["incomplete"] == 12  # everybody's last turn


@pytest.mark.alone
def test_a_model_that_hangs_is_no_fault_of_the_target(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_pod, "MODEL_PATIENCE_S", 1)
    found = hung(lab, monkeypatch, "model", 10, 20)
    assert found.trial.verdict.outcome == "invalid"
    assert [(one.code, one.text) for one in found.trial.verdict.reasons] == [
        ("invalid.model", "the model did not answer either: timed out")
    ]


def test_a_generator_that_is_killed(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    right = LocalPod.generate

    def generate(pod: LocalPod, plan: LoadPlan) -> None:
        right(pod, plan)
        pod._running[GENERATOR].process.kill()

    monkeypatch.setattr(LocalPod, "generate", generate)
    found = short(lab)
    assert found.trial.verdict.outcome == "invalid"
    assert [one.text for one in found.trial.verdict.reasons] == [
        "the load generator exited before writing generator.json; see logs/generator.log"
    ]


def test_a_wall_clock_set_by_an_hour_changes_no_figure(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    with_generator(monkeypatch, "validity_clock_step.py")
    found = short(lab)
    turns = results.read_turns(found.folder)
    assert len(turns) >= 20
    for name in ("ttft_s", "turn_s", "lateness_s", "stall_s", "schedule_delay_s"):
        assert turns[name].dropna().between(-1.0, 60.0).all(), name
    assert (turns.loc[turns["outcome"] == "ok", "ttft_s"] >= 0.2).all()


def in_two(lab: Laboratory, monkeypatch: pytest.MonkeyPatch, then: Callable[[LocalPod], None]) -> Measured:
    """A trial by two generator processes; ``then`` disturbs it once both speak."""
    right_plan, right_wait = workers_for, LocalPod.wait
    monkeypatch.setattr(observe, "workers_for", lambda key, _: right_plan(key, 2))
    done: list[LocalPod] = []

    def wait(pod: LocalPod, name: str, timeout_s: float) -> int | None:
        code = right_wait(pod, name, timeout_s)
        live = list(lab.folder.glob("trials/*/*/*/live-*.jsonl"))
        if name == GENERATOR and not done and len(live) == 2 and all(file.stat().st_size for file in live):
            done.append(pod)
            then(pod)
        return code

    monkeypatch.setattr(LocalPod, "wait", wait)
    found = short(lab)
    assert done
    return found


@pytest.mark.alone
def test_two_generators_pass_and_are_accounted_for_apart(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    found = in_two(lab, monkeypatch, lambda _: None)
    assert found.trial.verdict.outcome == "pass", found.trial.verdict.reasons
    summary = found.trial.summary
    assert summary is not None
    assert [share.users for share in summary.workers] == [3, 3]
    assert summary.turns_written == len(results.read_turns(found.folder))
    assert (found.trial.figures["generator_0_cores"] or 0) > 0
    assert not list(found.folder.glob("*.jsonl"))


def test_a_generator_of_two_that_is_killed(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill_one(pod: LocalPod) -> None:
        leader = pod._running[GENERATOR].process.pid
        os.kill(int(Path(f"/proc/{leader}/task/{leader}/children").read_text().split()[0]), signal.SIGKILL)

    found = in_two(lab, monkeypatch, kill_one)
    assert found.trial.verdict.outcome == "invalid"
    assert [one.code for one in found.trial.verdict.reasons] == ["invalid.generator"]
    assert "of 2: it exited before writing generator-" in found.trial.verdict.reasons[0].text
    assert found.trial.figures == {}
    assert len(results.read_turns(found.folder)) > 0
