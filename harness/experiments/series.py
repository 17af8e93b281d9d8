"""All wishes on all targets, one after the other; a result that still holds is shown and not made again."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser

from harness import results
from harness.experiments import evidence
from harness.experiments.experiment import Bench, Found, tried
from harness.experiments.wish import Wish
from harness.host import machine
from harness.probes.browser import chromium
from harness.records import Experiment
from harness.runtimes.protocol import Runtime
from harness.targets import Catalogue, Target

NO_PATCH = "nobody has written a patch yet"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """The wishes to try, the targets to try them on, and how.

    Attributes:
        folder: Where results are kept.
        again: Make results anew that still hold.
    """

    root: Path
    catalogue: Catalogue
    runtime: Callable[[], Runtime]
    wishes: Sequence[Wish]
    targets: Sequence[Target]
    seed: int
    folder: Path
    again: bool
    tell: Tell


def granted(trying: Trying) -> list[tuple[Experiment, bool]]:
    """Return each wish on each target, and whether its result was kept from before.

    Every result is written down once it is there: interrupted, the next call goes on behind it.
    """
    browser = _Browser()
    try:
        return [
            _one(trying, wish, target, browser, f"{target.name}, {wish.name}")
            for target in trying.targets
            for wish in trying.wishes
        ]
    finally:
        browser.close()


def _one(trying: Trying, wish: Wish, target: Target, browser: "_Browser", prefix: str) -> tuple[Experiment, bool]:
    model = trying.catalogue.model.folder
    depends_on = evidence.digest(trying.root, wish, target, model, browser.version)
    kept = None if trying.again else results.read_experiment(trying.folder, target.name, wish.name)
    if kept is not None and kept.depends_on == depends_on:
        return kept, True
    begun_s = time.monotonic()
    found = _found(trying, wish, target, browser, lambda text: trying.tell(f"{prefix}: {text}"))
    made = Experiment(
        wish=wish.name,
        target=target.name,
        outcome=found.outcome,
        level=found.level,
        text=found.text,
        impossible=found.outcome == "no patch" and wish.reason(target.name) is not None,
        cost=found.cost,
        marks=found.marks,
        depends_on=depends_on,
        versions=found.versions,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        browser=f"Chromium {browser.version}" if browser.version else None,
        machine=machine_name(),
        duration_s=time.monotonic() - begun_s,
        walk=found.walk,
    )
    if made.outcome != "browser missing":  # that is no result, but a remark on this machine
        results.write_experiment(trying.folder, made)
    return made, False


def _found(trying: Trying, wish: Wish, target: Target, browser: "_Browser", tell: Tell) -> Found:
    if not wish.patch(target.name).is_file():
        return Found(outcome="no patch", text=wish.reason(target.name) or NO_PATCH)
    if browser.version is None:
        return Found(outcome="browser missing", text="this machine has no Chromium")
    runtime = trying.runtime()
    # the unpatched target first: what it needs is made once, and its own troubles are no patch's
    runtime.prepare(target, trying.catalogue, trying.root, trying.seed, tell)
    bench = Bench(
        root=trying.root, runtime=runtime, browser=browser.started(), seed=trying.seed, folder=trying.folder, tell=tell
    )
    return tried(bench, wish, target, trying.catalogue.model.folder)


def machine_name() -> str:
    """Return a short description of this machine: its processor, how many CPUs, its kernel."""
    known = machine.fingerprint()
    return f"{known['cpu_model']}, {known['logical_cpus']} CPUs, Linux {known['kernel']}"


class _Browser:
    """This machine's Chromium, started when it is first needed."""

    def __init__(self) -> None:
        self.version = chromium.version()
        self._open = ExitStack()
        self._browser: Browser | None = None

    def started(self) -> Browser:
        """Return the running browser."""
        if self._browser is None:
            self._browser = self._open.enter_context(chromium.opened())
        return self._browser

    def close(self) -> None:
        """End it, if it runs."""
        self._open.close()
