"""Opening a run: its folder can be written, and says what is measured before anything is."""

import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from harness import results
from harness.environments.sources import digest_of_measuring
from harness.errors import BenchError
from harness.host import machine
from harness.records import GateTerms, Profile, Run
from harness.runtimes.protocol import Prepared


def require_writable(folder: Path) -> None:
    """Make a folder where it is missing; raises BenchError where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(folder, error) from error


def open_run(
    folder: Path,
    profile: Profile,
    prepared: Iterable[Prepared],
    *,
    root: Path,
    runtime: str,
    workers: int = 1,
    gate: GateTerms | None = None,
) -> None:
    """Write a new run's ``run.json``; ``root`` is the checkout that measures, whose last self-test goes with it.

    Raises:
        BenchError: the folder cannot be written.
    """
    here = machine.fingerprint()
    run = Run(
        run_id=folder.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=("chatbench", *sys.argv[1:]),
        tool_version=version("chatbench"),
        seed=profile.seed,
        runtime=runtime,
        profile=profile,
        machine=here,
        common_level=profile.search.base_users,
        targets={one.target.name: one.info for one in prepared},
        selftest=results.read_selftest(root, here),
        workers=workers,
        gate=gate,
        directory=str(Path.cwd()),
        measuring=digest_of_measuring(root),
    )
    try:
        results.write_run(folder, run)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> BenchError:
    return BenchError(f"{folder} cannot be written: {error.strerror or error}", "name another folder: --results")
