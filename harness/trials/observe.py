"""A trial from the start of its pod to its end: what is seen of it, judged by nobody yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import results
from harness.analysis import unanswered
from harness.probes import contract
from harness.records import Component, GeneratorSummary, Limits, LoadPlan, ResourceSample, Role, TrialKey, Turn
from harness.runtimes.protocol import GENERATOR, UNLIMITED_PER_MINUTE, Pod, Stack
from harness.runtimes.sampler import Sampler
from harness.trials import accounts, generator, logs
from harness.trials.accounts import Gathered
from harness.trials.context import Begun
from harness.trials.plans import plan_for, workers_for
from harness.trials.refusals import refused_calls, unasked
from harness.trials.subject import subject

CUT = ("chat", "think")  # scenarios that are cut once they are certain to fail
Exit = tuple[Role, str]  # of a component that ended by itself: its role, and how it ended in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The observations of a trial under load; its samples are in ``folder``, and ``files`` holds their hashes.

    Attributes:
        in_time: The generator ended by itself.
        exits: Components of target and model that ended by themselves, in words.
        oom_kills: Processes of the target that the kernel killed for lack of memory.
        limit_reached: Whether the target reached its own memory limit; None where the kernel does not tell.
        waited_s: How long users waited for answers that never came, where that is what they did; see ``unanswered``.
        checks: Of the contract, in the trial that is for it.
        logged_limit: Words in a log of the target that name a limit of its own process.
    """

    key: TrialKey
    folder: Path
    started_at: str
    plan: LoadPlan
    protocol: str
    no_app: bool
    limits: Limits
    components: tuple[Component, ...]
    ready_after_s: float
    in_time: bool
    exits: tuple[Exit, ...]
    oom_kills: int
    gathered: Gathered
    waited_s: float | None
    checks: tuple[contract.Check, ...]
    files: dict[str, str]
    limit_reached: bool | None = None
    logged_limit: str | None = None

    @property
    def summary(self) -> GeneratorSummary | None:
        """The generator's account."""
        return self.gathered.summary

    @property
    def turns(self) -> list[Turn]:
        """The turns as the generator wrote them."""
        return self.gathered.turns

    def exits_of(self, role: Role) -> tuple[str, ...]:
        """Return how components of a role ended by themselves, in words."""
        return tuple(text for of, text in self.exits if of == role)


def observe(begun: Begun) -> Observation:
    """Start a trial's target and load, watch both to the end, stop them and put the samples on disk.

    Raises:
        BenchError: the target does not come up, or the generator cannot be run at all.
    """
    context, key, folder = begun.context, begun.key, begun.folder
    with begun.open_pod() as pod:
        stack = pod.launch(begun.prepared, context.profile.answer, UNLIMITED_PER_MINUTE)
        plan = plan_for(key, context.profile, begun.prepared, stack.instances, folder)
        plan = replace(plan, workers=workers_for(key, context.workers))
        samples, in_time = _under_load(pod, plan, begun, stack)
        checks = _checks(pod, stack, begun)
        limits, components, exits = pod.limits(), pod.components(), _exits(pod)
        oom_kills, limit_reached = killed(pod, limits, lost=any(role == "target" for role, _ in exits))
        gathered = accounts.gather(folder, plan)
        if key.scenario == "check" and not begun.prepared.target.no_app:
            whole = bool(gathered.turns) and all(turn.outcome == "ok" for turn in gathered.turns)
            checks += (*refused_calls(stack.model_log, answered=whole), *unasked(stack.model_log, gathered.turns))
        waited_s = unanswered.waited_s(gathered.turns, gathered.summary, plan.answer) if gathered.summary else None
        if waited_s is not None and (silent := pod.model_silent(stack)):  # then it is what all waited for
            exits.append(("model", f"the model did not answer either: {silent}"))
    return Observation(
        key=key,
        folder=folder,
        started_at=begun.started_at,
        plan=plan,
        protocol=begun.prepared.target.protocol,
        no_app=begun.prepared.target.no_app,
        limits=limits,
        components=components,
        ready_after_s=stack.ready_after_s,
        in_time=in_time,
        exits=tuple(exits),
        oom_kills=oom_kills,
        limit_reached=limit_reached,
        gathered=gathered,
        waited_s=waited_s,
        checks=checks,
        files=_written(folder, plan, stack, gathered.turns, samples),
        logged_limit=logs.named_limit(folder, [one.name for one in components if one.role == "target"]),
    )


def killed(pod: Pod, limits: Limits, *, lost: bool) -> tuple[int, bool | None]:
    """Return how many processes were killed for lack of memory, and whether the target reached its own limit.

    Without groups of our own the count is the whole machine's: it means something only where a process was ``lost``.
    """
    kills = pod.oom_kills() if limits.memory_enforced or lost else 0
    return kills, pod.memory_limit_reached() if kills else None


def _under_load(pod: Pod, plan: LoadPlan, begun: Begun, stack: Stack) -> tuple[list[ResourceSample], bool]:
    """Run the generator; return the samples taken meanwhile, and whether it ended by itself."""
    context = begun.context
    pod.generate(plan)
    with Sampler(pod) as sampler:
        _, in_time = generator.follow(
            pod,
            plan,
            context.profile,
            stack.model_log,
            lambda live: context.tell(live.phase, live),
            may_fail=begun.key.scenario in CUT,
        )
    return sampler.samples, in_time


def _checks(pod: Pod, stack: Stack, begun: Begun) -> tuple[contract.Check, ...]:
    """Check the contract, in the trial that is for it, unless something has died."""
    if begun.key.scenario != "check" or any(name != GENERATOR for name, _ in pod.exited()):
        return ()
    return tuple(contract.check_in(pod, subject(begun.prepared, stack, None)))


def _exits(pod: Pod) -> list[Exit]:
    roles = {component.name: component.role for component in pod.components()}
    return [(roles[name], f"{name} ended by itself with {code}") for name, code in pod.exited()]


def _written(
    folder: Path, plan: LoadPlan, stack: Stack, turns: list[Turn], samples: Sequence[ResourceSample]
) -> dict[str, str]:
    """Put the samples on disk and remove the lines they were made of; return the files' hashes."""
    emissions = results.read_emissions(stack.model_log)
    files = results.write_samples(folder, turns, emissions, samples, from_intended=plan.arrivals_per_s is not None)
    lines = [f"{kind}{suffix}.jsonl" for kind in ("turns", "live") for suffix in accounts.suffixes(plan.workers)]
    for name in (*lines, "emissions.jsonl", "stop"):
        (folder / name).unlink(missing_ok=True)
    return files
