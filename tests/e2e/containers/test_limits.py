"""The budget of a stack of containers: enforced, read back, and said where it does not hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from harness import profiles
from harness.host import cpus
from harness.host.cgroups import Budget
from harness.records import Trial, TrialKey
from harness.runtimes.docker import DockerRuntime
from harness.runtimes.docker.pod import DockerPod
from harness.runtimes.docker.prepared import DockerPrepared
from harness.trials import watching
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial
from tests.e2e.campaigns.bad_days_campaign import BRIEF
from tests.e2e.containers.engine import connected, inside, of_service, prepared

pytestmark = pytest.mark.docker

TARGET_CPUS = cpus.split(cpus.physical_cores(cpus.usable()), Budget().cpus).target
SMALL_BYTES = 160 << 20
HOG = "hoard = []\nwhile len(hoard) < 512: hoard.append(b'x' * (1 << 20))"  # an end to it, should nothing stop it

Misdeed = Callable[[DockerPod], object]


@dataclass(slots=True)
class Mischief:
    """A runtime and an onlooker that do something to a trial, once, as soon as it answers turns."""

    runtime: DockerRuntime
    during: Misdeed
    pods: list[DockerPod] = field(default_factory=list)

    def prepare(self, *words: object) -> DockerPrepared:
        """Not called: the target is prepared."""
        raise AssertionError("the target is prepared already")

    def open_trial(self, name: str, folder: Path) -> DockerPod:
        """Open a trial as the runtime does."""
        self.pods = [self.runtime.open_trial(name, folder)]
        return self.pods[0]

    def tell(self, phase: str, live: watching.Live | None) -> None:
        """Act when the first turn was answered."""
        if live and live.turns and self.pods:
            self.during(self.pods.pop())


def nothing(pod: DockerPod) -> None:
    """Leave it alone."""


def hog_memory(_: DockerPod) -> None:
    """Have a program take more memory than there is, inside the target's container."""
    with connected() as client:
        code, said = inside(of_service(client, "app"), "python", "-c", HOG)
    assert code == 137, said


def change_limits(pod: DockerPod) -> None:
    """Take one CPU and half of the memory from a target that runs, as its owner might."""
    group = pod._parents.target
    with connected() as client:
        app = of_service(client, "app")
        app.update(cpuset_cpus=str(TARGET_CPUS[0]))
        if group is None:  # no common parent: the limit is the container's own
            app.update(mem_limit=2 << 30, memswap_limit=2 << 30)
            return
    for name in ("memory.max", "memory.limit_in_bytes"):
        if (group / name).exists():
            (group / name).write_text(str(2 << 30))


@pytest.fixture
def measure(tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    """Run one trial of the toy with misdeeds."""
    (tmp_path / "brief.toml").write_text(BRIEF)
    profile = profiles.load(str(tmp_path / "brief.toml"))
    runtimes: list[DockerRuntime] = []

    def one(budget: Budget, mishap: str = "none", during: Misdeed = nothing) -> Trial:
        ready = prepared("toy")
        shape = replace(ready.shape, share_mib={"app": budget.memory_bytes >> 20})
        ready = replace(ready, shape=shape, settings={**ready.settings, "LLM_MODEL": mishap})
        runtimes.append(DockerRuntime(budget))
        mischief = Mischief(runtimes[-1], during)
        context = TrialContext(run=tmp_path / "run", runtime=mischief, profile=profile, tell=mischief.tell)
        return run_trial(context, ready, TrialKey(target="toy", scenario="chat", level=2, repetition=0, number=1))

    yield one
    for runtime in runtimes:
        runtime.close()


def test_a_hog_in_a_container_is_killed_by_the_budget_and_the_trial_fails(measure: Callable[..., Trial]) -> None:
    trial = measure(Budget(memory_bytes=SMALL_BYTES), during=hog_memory)
    assert trial.limits.memory_bytes == SMALL_BYTES
    assert trial.limits.shortfall is None
    assert trial.verdict.outcome == "fail"
    assert trial.verdict.reasons[0].code == "target.oom"
    assert "processes killed at the memory limit 1 (limit 0)" in trial.verdict.reasons[0].text


def test_a_target_that_is_itself_killed_by_the_budget_fails_with_that_reason(measure: Callable[..., Trial]) -> None:
    trial = measure(Budget(memory_bytes=SMALL_BYTES), mishap="greedy")
    assert trial.verdict.outcome == "fail"
    assert [reason.code for reason in trial.verdict.reasons[:2]] == ["target.oom", "target.exit"]
    assert trial.verdict.reasons[1].text == "app ended by itself with 137"


def test_a_target_that_ends_by_itself_fails_with_its_exit_code(measure: Callable[..., Trial]) -> None:
    trial = measure(Budget(), mishap="mortal")
    assert trial.verdict.outcome == "fail"
    assert trial.verdict.reasons[0].text == "app ended by itself with 7"


def test_a_trial_whose_limits_were_changed_by_hand_is_invalid(measure: Callable[..., Trial]) -> None:
    trial = measure(Budget(), during=change_limits)
    both = cpus.format_list(TARGET_CPUS)
    wrong = f"its containers may use CPUs {TARGET_CPUS[0]}, not {both}; memory is held to 2.00 GiB, not 4.00"
    assert trial.limits.shortfall == wrong
    assert trial.verdict.outcome == "invalid"
    assert [reason.code for reason in trial.verdict.reasons] == ["invalid.budget"]
    assert wrong in trial.verdict.reasons[0].text
