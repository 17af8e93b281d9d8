"""From the words of the command line to folders and objects."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import REPOSITORY
from harness.errors import UsageError
from harness.results import POOLED_FILE, RUN_FILE, latest
from harness.runtimes.protocol import Prepared, Runtime
from harness.targets import Catalogue, discover, nearest

if TYPE_CHECKING:
    from rich.console import Console

RUNTIMES = {
    "local": ("harness.runtimes.local", "LocalRuntime"),
    "docker": ("harness.runtimes.docker", "DockerRuntime"),
}


def catalogue() -> Catalogue:
    """Return every part of this checkout."""
    return discover(REPOSITORY / "targets")


def run_folder(word: str, results: Path) -> Path:
    """Return the folder of a run by id, folder or ``latest``.

    Raises:
        UsageError: no such run; names the nearest one.
    """
    if word == "latest":
        return latest(results)
    for folder in (Path(word).absolute(), results / word):  # programs that run elsewhere are told it
        if (folder / RUN_FILE).exists():
            return folder
    known = [path.parent.name for path in results.glob(f"*/{RUN_FILE}")]
    raise UsageError(f"no run {word!r} in {results}", nearest(word, known))


def results_folder(word: str, results: Path) -> Path:
    """Return the folder of a run, or of several pooled ones.

    Raises:
        UsageError: no such run; names the nearest one.
    """
    pooled = (folder for folder in (Path(word).absolute(), results / word) if (folder / POOLED_FILE).exists())
    return next(pooled, None) or run_folder(word, results)


def runtime(name: str) -> Runtime:
    """Return a runtime by name, imported only when asked for.

    Raises:
        UsageError: an unknown one.
        BenchError: the runtime's engine is not there.
    """
    if name not in RUNTIMES:
        raise UsageError(f"unknown runtime {name!r}", nearest(name, RUNTIMES))
    module, made = RUNTIMES[name]
    built: Runtime = getattr(import_module(module), made)()
    return built


def prepared(runtime: Runtime, name: str, console: "Console", seed: int) -> Prepared:
    """Return a target by name, ready to be started; what is made for it is told on the console."""
    found = catalogue()
    return runtime.prepare(
        found.target(name), found, REPOSITORY, seed, lambda text: console.print(text, highlight=False, markup=False)
    )
