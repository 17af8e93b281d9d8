"""One experiment: patch a copy, build it, start it, run the acceptance test, then walk through it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Browser, Error

from harness import environments, results
from harness.errors import BenchError
from harness.experiments import patch as patches
from harness.experiments import scratch
from harness.experiments.scene import Beside, Scene
from harness.experiments.wish import Wish
from harness.probes.browser import journey
from harness.probes.browser.journey import Journey, Step
from harness.probes.browser.person import Person
from harness.records import Cost, ExperimentOutcome, Level, Mark
from harness.runtimes import serving
from harness.runtimes.protocol import Runtime
from harness.targets import Target, discover

Tell = Callable[[str], None]
TEXT_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an experiment found; see ``harness.records.Experiment``; the level is that of a wish that was met."""

    outcome: ExperimentOutcome
    text: str
    level: Level | None = None
    cost: Cost | None = None
    marks: tuple[Mark, ...] = ()
    versions: tuple[dict[str, str], ...] = ()
    walk: tuple[str, ...] = ()


class _OverError(Exception):
    """The experiment ends here."""

    def __init__(self, outcome: ExperimentOutcome, text: str) -> None:
        super().__init__(text)
        self.outcome, self.text = outcome, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all experiments share: the checkout, the runtime, the browser, and where logs go."""

    root: Path
    runtime: Runtime
    browser: Browser
    seed: int
    folder: Path
    tell: Tell

    def axe(self) -> Path:
        """Return the file of axe-core, installed the first time."""
        return environments.FrontEnds(self.root, self.tell).ensure_axe()


def tried(bench: Bench, wish: Wish, target: Target, model: Path) -> Found:
    """Return what became of a wish on a target that has a patch for it.

    Raises:
        BenchError: something failed that no patch can be blamed for, such as the unpatched target.
    """
    changed = patches.read_patch(wish.patch(target.name).read_text(encoding="utf-8"))
    levels = patches.read_levels()
    folders = [scratch.inside(bench.root, part.folder).as_posix() for part in target.parts]
    cost = patches.cost(changed, folders, levels)
    level, marks = patches.level(changed, levels)
    found = _attempt(bench, wish, target, model, _Findings(cost), marks)
    if found.outcome == "does not build":  # the machine's own trouble must not count against a patch
        _check_unpatched(bench, target, model)
        found = _attempt(bench, wish, target, model, _Findings(cost), marks)
    return replace(found, level=level) if found.outcome == "met" else found


def _attempt(
    bench: Bench, wish: Wish, target: Target, model: Path, found: "_Findings", marks: tuple[Mark, ...]
) -> Found:
    try:
        _try_patched(bench, wish, target, model, found)
    except _OverError as over:
        return found.told(over.outcome, over.text, marks)
    return found.told("met", "met, and the walk still works", marks)


def _check_unpatched(bench: Bench, target: Target, model: Path) -> None:
    """Build a fresh copy without the patch; raises BenchError where that fails as well."""
    bench.tell("building a copy without the patch")
    with scratch.scratch(bench.root, target, model) as home:
        catalogue = discover(home / "targets")
        scratch.lend_packages(bench.root, home, target, environments.FrontEnds(home, bench.tell))
        bench.runtime.prepare(catalogue.target(target.name), catalogue, home, bench.seed, bench.tell)


class _Findings:
    """What is known so far."""

    def __init__(self, cost: Cost) -> None:
        self.cost = cost
        self.versions: tuple[dict[str, str], ...] = ()
        self.walk: tuple[str, ...] = ()

    def told(self, outcome: ExperimentOutcome, text: str, marks: tuple[Mark, ...]) -> Found:
        """Return the experiment's end with all that is known."""
        return Found(outcome=outcome, text=text, cost=self.cost, marks=marks, versions=self.versions, walk=self.walk)


def _try_patched(bench: Bench, wish: Wish, target: Target, model: Path, found: _Findings) -> None:
    with scratch.scratch(bench.root, target, model) as home, wish.beside() as beside:
        bench.tell("patching a copy")
        try:
            scratch.apply(home, wish.patch(target.name))
        except scratch.PatchError as error:
            raise _OverError("does not apply", str(error)) from error
        catalogue = discover(home / "targets")
        patched = _told(catalogue.target(target.name), wish, beside)
        front_ends = environments.FrontEnds(home, bench.tell)
        scratch.lend_packages(bench.root, home, target, front_ends)
        with _ending_as("does not build"):
            rebuild_s = _rebuilt(patched, front_ends)
            prepared = bench.runtime.prepare(patched, catalogue, home, bench.seed, bench.tell)
        found.cost = replace(found.cost, rebuild_s=rebuild_s)
        found.versions = prepared.info.parts
        bench.tell("starting")
        logs = bench.folder / "logs" / results.slug(target.name) / wish.name
        with ExitStack() as running:
            with _ending_as("does not build"):
                served = running.enter_context(serving.serving(bench.runtime, prepared, journey.ANSWER, logs))
            found.cost = replace(found.cost, restart_s=served.stack.ready_after_s)
            _use(bench, wish, served.stack.instances[0], beside, found)


def _use(bench: Bench, wish: Wish, base_url: str, beside: Beside, found: _Findings) -> None:
    bench.tell("trying the acceptance test")
    if words := refused(bench.browser, wish, base_url, bench.seed, beside, bench.axe):
        raise _OverError("not met", words)
    steps = _walk(bench, base_url)
    found.walk = tuple(_line(step) for step in steps)
    if broken := [step for step in steps if not step.passed]:
        raise _OverError("breaks the walk", f"{broken[0].name}: {broken[0].seen}")


def _told(target: Target, wish: Wish, beside: Beside) -> Target:
    """Return a target whose programs are told the wish's variables."""
    added = {name: value.format(**beside.names) for name, value in wish.environment.items()}
    parts = tuple(replace(part, local=replace(part.local, env={**part.local.env, **added})) for part in target.parts)
    return Target(name=target.name, parts=parts)


def _rebuilt(target: Target, front_ends: environments.FrontEnds) -> float:
    """Return the seconds that building the front ends took; packages that are new are installed before."""
    web = target.web
    if web is None or web.local.build != "npm":
        return 0.0
    front_ends.ensure_packages(web.folder)
    begun_s = time.monotonic()
    front_ends.ensure_web(web.folder, web.local.dist or "")
    return time.monotonic() - begun_s


def refused(
    browser: Browser, wish: Wish, base_url: str, seed: int, beside: Beside, axe: Callable[[], Path] | None = None
) -> str:
    """Return the acceptance test's words on a started target that does not meet a wish; empty where it does."""
    scene = Scene(browser=browser, base_url=base_url, seed=seed, beside=beside, axe=axe)
    try:
        wish.accept(scene)
    except (AssertionError, Error) as error:
        return first_line(error)
    finally:
        scene.close()
    return ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, never an empty one, and what a browser waited for in vain."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    awaited = next((line for line in lines[1:] if "waiting for " in line), "")
    return f"{lines[0]} {awaited.lstrip('- ')}".strip()[:TEXT_CHARS]


def _walk(bench: Bench, base_url: str) -> Sequence[Step]:
    context = bench.browser.new_context()
    try:
        return Journey(Person(context.new_page(), base_url, bench.seed)).walk(bench.tell)
    finally:
        context.close()


def _line(step: Step) -> str:
    said = "ok" if step.passed else f"FAILED: {step.seen}"
    return f"{step.name}: {said}, {step.duration_s:.2f} s"


@contextmanager
def _ending_as(outcome: ExperimentOutcome) -> Iterator[None]:
    """End the experiment with an outcome where a step of it fails."""
    try:
        yield
    except BenchError as error:
        raise _OverError(outcome, " ".join(error.message.split())[:TEXT_CHARS]) from error
