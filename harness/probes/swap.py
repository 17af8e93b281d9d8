"""The swap matrix: each API with each web part, used by a person in a real Chromium from end to end."""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Error, Page

from harness import results
from harness.errors import BenchError
from harness.probes.browser import journey
from harness.probes.browser.journey import Journey, Step
from harness.probes.browser.person import Person
from harness.records import Finding, SwapMatrix, SwappedPair
from harness.runtimes import serving
from harness.runtimes.protocol import Prepared, Runtime
from harness.targets import Catalogue, Target

START = "start"
Tell = Callable[[str], None]


def pairs(catalogue: Catalogue) -> list[Target]:
    """Return every API with every web part."""
    return [
        catalogue.target(f"{api.name}+{web.name}")
        for api in catalogue.of_kind("api")
        for web in catalogue.of_kind("web")
    ]


def matrix(
    runtime: Runtime,
    browser: Browser,
    wanted: Sequence[Target],
    catalogue: Catalogue,
    root: Path,
    seed: int,
    run: Path,
    tell: Tell,
) -> SwapMatrix:
    """Try pairs one after the other and write ``swap.json`` and the pictures of failures into a run's folder."""
    begun_s = time.monotonic()
    folder = run / results.SWAP_FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier attempt
    found: list[SwappedPair] = []
    for number, target in enumerate(wanted, start=1):
        prefix = f"{number} of {len(wanted)}, {target.name}"

        def told(text: str, prefix: str = prefix) -> None:
            tell(f"{prefix}: {text}")

        found.append(_pair(runtime, target, catalogue, root, seed, folder, browser, told))
    made = SwapMatrix(
        made_at=_now(),
        browser=f"Chromium {browser.version}",
        duration_s=time.monotonic() - begun_s,
        pairs=tuple(found),
    )
    results.write_swap(run, made)
    return made


def _pair(
    runtime: Runtime,
    target: Target,
    catalogue: Catalogue,
    root: Path,
    seed: int,
    folder: Path,
    browser: Browser,
    tell: Tell,
) -> SwappedPair:
    begun_s = time.monotonic()
    try:
        prepared = runtime.prepare(target, catalogue, root, seed, tell)
    except BenchError as error:
        reason = f"not made ready: {error.message.splitlines()[0]}"
        return _swapped(target, (), begun_s, _finding(target, [], reason), None)
    picture = folder / f"{results.slug(target.name)}.png"
    try:
        steps = tried(runtime, prepared, folder / "logs" / results.slug(target.name), browser, picture, tell)
    except BenchError as error:
        steps = [Step(name=START, passed=False, duration_s=time.monotonic() - begun_s, seen=error.message)]
    except Error as error:  # the browser itself: nothing is known of the pair
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        reason = f"the browser failed: {said}"
        return _swapped(target, prepared.info.parts, begun_s, _finding(target, [], reason), None)
    finding = _finding(target, steps)
    if finding.outcome == "passed":
        shutil.rmtree(folder / "logs" / results.slug(target.name), ignore_errors=True)
    shown = picture.name if picture.exists() else None
    return _swapped(target, prepared.info.parts, begun_s, finding, shown)


def tried(runtime: Runtime, prepared: Prepared, logs: Path, browser: Browser, picture: Path, tell: Tell) -> list[Step]:
    """Start a pair, walk through it, and take a picture where a step fails.

    Raises:
        BenchError: it does not start.
        Error: the browser ended, which says nothing of the pair.
    """
    tell("starting")
    begun_s = time.monotonic()
    with serving.serving(runtime, prepared, journey.ANSWER, logs) as served:
        started = Step(name=START, passed=True, duration_s=time.monotonic() - begun_s, seen="")
        context = browser.new_context()
        try:
            page = context.new_page()
            steps = Journey(Person(page, served.stack.instances[0], prepared.seed)).walk(tell)
            if not browser.is_connected():
                raise Error("it ended by itself")
            if not all(step.passed for step in steps):
                _photograph(page, picture)
        finally:
            with suppress(Error):  # gone with the browser
                context.close()
    return [started, *steps]


def _photograph(page: Page, picture: Path) -> None:
    try:
        page.screenshot(path=picture)
    except Error:
        return  # a page that cannot even be photographed; its steps say what happened


def _finding(target: Target, steps: Sequence[Step], reason: str = "") -> Finding:
    broken = [step for step in steps if not step.passed]
    if not steps:
        outcome, text = "not measured", reason
    elif broken:
        outcome, text = "failed", f"{broken[0].name}: {broken[0].seen}"
    else:
        outcome, text = "passed", "works end to end"
    return Finding(
        topic="maintenance",
        name=f"swap-{results.slug(target.name)}",
        title=f"{target.name}: a person's way through it in a browser",
        outcome=outcome,  # type: ignore[arg-type]  # one of the three above
        exercised=len(steps),
        passed=len(steps) - len(broken),
        text=text,
        details=tuple(_line(step) for step in steps),
    )


def _line(step: Step) -> str:
    said = "ok" if step.passed else f"FAILED: {step.seen}"
    return f"{step.name}: {said}, {step.duration_s:.2f} s"


def _swapped(
    target: Target, parts: tuple[dict[str, str], ...], begun_s: float, finding: Finding, picture: str | None
) -> SwappedPair:
    api, web = target.parts
    return SwappedPair(
        api=api.name,
        web=web.name,
        parts=parts,
        duration_s=time.monotonic() - begun_s,
        finding=finding,
        screenshot=picture,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
