"""What goes wrong on real machines: killed, interrupted, out of memory, out of disk, dead or silent targets."""

import os
import re
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness import profiles, targets
from harness.errors import EXIT_DONE, EXIT_ERROR, EXIT_INVALID, BenchError
from harness.host import cgroups
from harness.host.cgroups import Budget
from harness.records import Idle, Trial, TrialKey
from harness.runtimes import serving
from harness.runtimes.local import Launch, LocalPod, LocalRuntime, stack
from harness.runtimes.local.readiness import answers
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial
from tests.e2e.campaigns.bad_days_campaign import BRIEF, ENDED_S, PATIENCE_S, ROOT, TOY, Ended, Place, until

SEED = 42
SMALL_BYTES = 96 << 20
AROUND_BYTES = 448 << 20  # enough for model and generator, not for a greedy target beside them


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """A campaign killed in the middle of its second trial, with all that was seen around it."""

    place: Place
    run: Path
    pid: int
    second: Ended
    second_results: Path
    components: list[str]
    left: list[str]
    finished: dict[Path, bytes]


@pytest.fixture(scope="module")
def toy() -> Callable[[str], stack.LocalPrepared]:
    """Prepare the toy, as it is or in one of its variants."""
    catalogue = targets.discover(ROOT / "targets")

    def get(variant: str) -> stack.LocalPrepared:
        name = f"{ROOT / TOY}:{variant}" if variant else str(ROOT / TOY)
        prepared = stack.prepare(catalogue.target(name), catalogue, ROOT, SEED, print)
        return replace(prepared, target=replace(prepared.target, name=f"toy:{variant}"))

    return get


@pytest.fixture(scope="module", autouse=True)
def installed(toy: Callable[[str], stack.LocalPrepared]) -> None:
    """Have the toy's environment made before anything is limited or timed."""
    toy("")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """A campaign that a second one was started beside, then killed by kill -9."""
    place = Place(tmp_path_factory.mktemp("killed"))
    elsewhere = place.folder / "elsewhere"
    with place.command(*place.measuring(TOY)) as command:
        assert until(place.finished, PATIENCE_S), command.end(0.1)
        second = place.do("run", TOY, "--profile", str(place.profile), "--results", str(elsewhere))
        since = time.time()
        assert until(lambda: place.under_load(since), PATIENCE_S), command.end(0.1)
        pid, components = command.process.pid, place.processes()
        command.process.kill()
        command.process.wait()
        until(lambda: not place.left(pid), ENDED_S)
    return Killed(
        place=place,
        run=place.run_folder(),
        pid=pid,
        second=second,
        second_results=elsewhere,
        components=components,
        left=place.left(pid),
        finished=place.finished(),
    )


def test_a_second_campaign_is_refused_and_names_the_first(killed: Killed) -> None:
    assert killed.second.code == EXIT_ERROR
    assert f"process {killed.pid} is measuring on this machine" in killed.second.err
    assert f"kill -INT {killed.pid}" in killed.second.err
    assert not list(killed.second_results.glob("*"))


def test_nothing_outlives_a_killed_harness(killed: Killed) -> None:
    for word in ("server.py", "-m llm", "locustfile.py", "watchdog.py"):
        assert any(word in line for line in killed.components), word
    assert killed.left == []


def test_an_interrupted_campaign_goes_on_where_it_was(killed: Killed) -> None:
    place, before = killed.place, killed.finished
    assert before
    since = time.time()
    with place.command("run", "--resume", str(killed.run), "--results", str(place.results)) as command:
        assert until(lambda: place.under_load(since), PATIENCE_S), command.end(0.1)
        os.killpg(command.process.pid, signal.SIGINT)  # as a terminal does
        ended = command.end(ENDED_S)
        assert place.left(command.process.pid) == []
    assert ended.code == 130
    assert "Traceback" not in ended.err
    hint = re.search(r"chatbench (run --resume .*)", ended.out)
    assert hint, ended.out
    assert place.finished().items() >= before.items()

    before = place.finished()
    ended = place.do(*shlex.split(hint[1]))  # exactly what it said
    assert ended.code in (EXIT_DONE, EXIT_INVALID), ended.err  # a busy machine may leave the capacity unsettled
    after = place.finished()
    assert after.items() > before.items()
    assert all((path / "trial.json").exists() for path in killed.run.glob("trials/*/*/*"))
    assert (killed.run / "report" / "report.html").exists()
    assert place.run_folder() == killed.run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_campaign_in_the_background_and_nothing_is_left(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    place = Place(tmp_path)
    since = time.time()
    with place.command(*place.measuring(TOY), background=True) as command:
        assert until(lambda: place.under_load(since), PATIENCE_S), command.end(0.1)
        command.process.send_signal(number)
        ended = command.end(ENDED_S)
        assert place.left(command.process.pid) == []
    assert ended.code == code
    assert re.search(rf"Resume with: \S*chatbench run --resume {re.escape(str(place.run_folder()))}\b", ended.out)
    assert "everything that was started has been stopped" in ended.err
    assert "Traceback" not in ended.err


def test_a_full_disk_stops_the_campaign_and_says_how_to_go_on(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.command(*place.measuring(TOY), largest_file_bytes=4096) as command:
        ended = command.end()
        assert place.left(command.process.pid) == []
    assert ended.code == EXIT_ERROR
    message, hint = ended.err.splitlines()
    assert message.startswith(f"chatbench: the campaign in {place.run_folder()} stopped: ")
    assert "File too large" in message
    assert f"chatbench run --resume {place.run_folder()}" in hint


def test_a_target_that_ends_at_once_shows_its_last_lines(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.command(*place.measuring(f"{TOY}:broken")) as command:
        ended = command.end()
        assert place.left(command.process.pid) == []
    assert ended.code == EXIT_ERROR
    assert "toy ended with 1 before it was ready" in ended.err
    assert "no such table: conversations" in ended.err
    assert "start it by hand in" in ended.err
    assert "Traceback" not in ended.err


@pytest.fixture
def open_runtime() -> Iterator[Callable[[Budget], LocalRuntime]]:
    """Open local runtimes that end with the test."""
    opened: list[LocalRuntime] = []

    def get(budget: Budget) -> LocalRuntime:
        opened.append(LocalRuntime(budget))
        return opened[-1]

    yield get
    for runtime in opened:
        runtime.close()


@pytest.fixture
def measure(tmp_path: Path) -> Callable[..., Trial]:
    """Run one trial of the toy."""
    (tmp_path / "brief.toml").write_text(BRIEF)
    idle = Idle(steps=(0, 4), hold_s=0.2)
    profile = replace(profiles.load(str(tmp_path / "brief.toml")), idle=idle)

    def one(runtime: LocalRuntime, prepared: stack.LocalPrepared, scenario: str, level: int = 4) -> Trial:
        context = TrialContext(run=tmp_path / "run", runtime=runtime, profile=profile, tell=lambda *_: None)
        key = TrialKey(target=prepared.target.name, scenario=scenario, level=level, repetition=0, number=1)
        return run_trial(context, prepared, key)

    return one


@pytest.mark.cgroup
@pytest.mark.parametrize("scenario", ["check", "chat"])
def test_a_target_killed_by_its_memory_limit_fails_with_that_reason(
    scenario: str,
    toy: Callable[[str], stack.LocalPrepared],
    open_runtime: Callable[[Budget], LocalRuntime],
    measure: Callable[..., Trial],
) -> None:
    trial = measure(open_runtime(Budget(memory_bytes=SMALL_BYTES)), toy("greedy"), scenario)
    assert trial.limits.memory_bytes == SMALL_BYTES
    assert trial.verdict.outcome == "fail"
    assert trial.verdict.reasons[0].code == "target.oom"
    assert "at the memory limit" in trial.verdict.reasons[0].text


class Squeezed(LocalRuntime):
    """A runtime with less memory around target, model and generator than the target's budget alone."""

    def open_trial(self, name: str, folder: Path) -> LocalPod:
        """Limit the group above the target's own."""
        pod = super().open_trial(name, folder)
        assert pod._groups is not None
        assert pod._groups.memory is not None
        cgroups._limit_memory(pod._groups.memory, AROUND_BYTES, pod._groups.version)
        return pod


@pytest.mark.cgroup
@pytest.mark.parametrize("scenario", ["check", "chat"])
def test_a_target_killed_by_a_limit_around_everything_makes_the_trial_invalid(
    scenario: str, toy: Callable[[str], stack.LocalPrepared], measure: Callable[..., Trial]
) -> None:
    runtime = Squeezed(Budget())
    try:
        trial = measure(runtime, toy("greedy"), scenario)
    finally:
        runtime.close()
    assert trial.verdict.outcome == "invalid"
    assert [reason.code for reason in trial.verdict.reasons] == ["invalid.machine_memory"]


@pytest.mark.parametrize(("scenario", "level"), [("chat", 2), ("chat", 12), ("idle", 4)])
def test_a_target_that_dies_in_the_middle_fails_with_that_reason(
    scenario: str,
    level: int,
    toy: Callable[[str], stack.LocalPrepared],
    open_runtime: Callable[[Budget], LocalRuntime],
    measure: Callable[..., Trial],
) -> None:
    trial = measure(open_runtime(Budget()), toy("mortal"), scenario, level)
    assert trial.verdict.outcome == "fail"
    assert trial.verdict.reasons[0].code == "target.exit"
    assert trial.verdict.reasons[0].text == "toy ended by itself with 7"
    assert trial.summary is not None
    assert trial.summary.stopped_early


def test_a_target_that_never_listens_is_given_up(
    toy: Callable[[str], stack.LocalPrepared],
    open_runtime: Callable[[Budget], LocalRuntime],
    measure: Callable[..., Trial],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def impatient(**fields: object) -> Launch:
        launch = Launch(**fields)  # type: ignore[arg-type]
        return replace(launch, ready_timeout_s=1.5) if launch.role == "target" else launch

    monkeypatch.setattr(stack, "Launch", impatient)
    with pytest.raises(BenchError) as caught:
        measure(open_runtime(Budget()), toy("silent"), "check")
    assert "toy did not answer in 1.5 s" in caught.value.message
    assert "the toy is thinking about it" in caught.value.message
    assert "ready_within_s" in caught.value.hint
    assert "start it by hand in" in caught.value.hint


def test_two_stacks_run_side_by_side_on_ports_of_their_own(
    tmp_path: Path, toy: Callable[[str], stack.LocalPrepared], open_runtime: Callable[[Budget], LocalRuntime]
) -> None:
    runtime, prepared = open_runtime(Budget()), toy("")
    answer = profiles.load("smoke").answer
    with (
        serving.serving(runtime, prepared, answer, tmp_path / "a") as one,
        serving.serving(runtime, prepared, answer, tmp_path / "b") as other,
    ):
        urls = [one.stack.model_url, *one.stack.instances, other.stack.model_url, *other.stack.instances]
        assert len(set(urls)) == 4
        assert [answers(f"{url}/health", timeout_s=10) for url in urls] == [""] * 4
