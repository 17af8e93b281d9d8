"""Results folders: the only code that knows file names and formats.

Every file is written under a temporary name and renamed, so that what has its final name is complete after a crash.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import BenchError, UsageError
from harness.records import (
    FORMAT_VERSION,
    Emission,
    Finding,
    GeneratorSummary,
    ResourceSample,
    SwapMatrix,
    Trial,
    TrialKey,
    Turn,
    from_json,
    to_json,
)

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

RUN_FILE = "run.json"
TRIAL_FILE = "trial.json"
SELFTEST_FILE = ".chatbench/selftest.json"
DAMAGED = "it was changed or cut; restore it or measure again"
AUDIT_FILE = "audit.json"
SWAP_FOLDER, SWAP_FILE = "swap", "swap.json"
TURNS, TOKENS, RESOURCES = "turns.parquet", "tokens.parquet", "resources.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    """What a run says of one target: its parts with versions as installed."""

    title: str
    kind: str  # monolith, modular, hybrid or control
    protocol: str
    instances: int  # 0: no application, the generator talks to the upstream
    python_processes: int  # of all instances together: bounds the cores its busiest code can use
    processes: str  # in words
    features: tuple[str, ...]
    parts: tuple[dict[str, str], ...]  # name, title, package, version


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownQuantity:
    """A quantity whose true value is known, as this machine measured it.

    Attributes:
        error: Of the measurement; None where nothing was measured.
        allowed: The largest error that is ``ok``.
        text: What was compared with what.
    """

    name: str
    unit: str  # s, users, bytes, turns; empty for what has no number
    true: float | None
    measured: float | None
    error: float | None
    allowed: float | None
    outcome: str  # ok, failed, not measured
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """The harness's own error on a machine; ``.chatbench/selftest.json``."""

    format_version: int = FORMAT_VERSION
    created_at: str  # ISO 8601, UTC
    tool_version: str
    machine: dict[str, Any]
    duration_s: float
    foreign_cpu_ratio: float | None  # the most that other programs took during one of its trials
    quantities: tuple[KnownQuantity, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed and something was measured."""
        outcomes = {one.outcome for one in self.quantities}
        return "failed" not in outcomes and "ok" in outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTerms:
    """What a gate was asked: two revisions by name, the share that head may add, and the pairs of a batch."""

    base: str
    head: str
    margin: float
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``run.json``: what was asked for, on what machine, with which versions."""

    format_version: int = FORMAT_VERSION
    run_id: str
    created_at: str  # ISO 8601, UTC
    command: tuple[str, ...]
    tool_version: str
    seed: int
    runtime: str
    profile: dict[str, Any]
    machine: dict[str, Any]
    common_level: int  # users at which cost figures are compared
    targets: dict[str, TargetInfo]
    selftest: SelfTest | None = None  # the machine's last before this run; None: never run there
    workers: int = 1  # generator processes
    gate: GateTerms | None = None  # None: no gate, or one of a chatbench that did not write it down


@dataclass(frozen=True, slots=True, kw_only=True)
class _Audit:
    """``audit.json``."""

    findings: tuple[Finding, ...]


def slug(name: str) -> str:
    """Return a name in [a-z0-9-] for folders, control groups and containers."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it either has its whole content or does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain data as indented JSON."""
    write_atomically(path, (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def _read_record(cls: type[T], path: Path) -> T:
    try:
        return from_json(cls, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BenchError(f"{path} does not exist", "name a folder that `chatbench run` wrote") from None
    except (ValueError, TypeError) as error:
        raise BenchError(f"{path} cannot be read: {error}", DAMAGED) from error


def write_run(folder: Path, run: Run) -> None:
    """Write ``run.json``."""
    write_json(folder / RUN_FILE, to_json(run))


def read_run(folder: Path) -> Run:
    """Read ``run.json``; raises BenchError where it is absent, damaged or of another format version."""
    run = _read_record(Run, folder / RUN_FILE)
    if run.format_version != FORMAT_VERSION:
        raise BenchError(
            f"{folder / RUN_FILE} has format version {run.format_version}, this chatbench reads {FORMAT_VERSION}",
            "use the chatbench version that wrote it",
        )
    return run


def write_selftest(root: Path, found: SelfTest) -> Path:
    """Keep a self-test as this checkout's last, and return its file."""
    path = root / SELFTEST_FILE
    write_json(path, to_json(found))
    return path


def read_selftest(root: Path, machine: Mapping[str, Any]) -> SelfTest | None:
    """Return the last self-test; None where there is none of this machine as it is now, or of this format."""
    path = root / SELFTEST_FILE
    if not path.exists():
        return None
    found = _read_record(SelfTest, path)
    return found if found.machine == machine and found.format_version == FORMAT_VERSION else None


def latest(results: Path) -> Path:
    """Return the newest run in a results folder."""
    runs = sorted(p.parent for p in results.glob(f"*/{RUN_FILE}"))
    if not runs:
        raise UsageError(f"no run in {results}", "measure first: chatbench run")
    return runs[-1]


def trial_folder(run: Path, key: TrialKey) -> Path:
    """Return the folder of a trial."""
    return run / "trials" / slug(key.target) / slug(key.scenario) / f"{key.number:03d}-{key.level}-{key.repetition}"


def write_trial(folder: Path, trial: Trial) -> None:
    """Write ``trial.json``, last of a trial's files: its presence means the trial is complete."""
    write_json(folder / TRIAL_FILE, to_json(trial))


def read_trials(run: Path) -> list[tuple[Path, Trial]]:
    """Read all complete trials of a run, in the order they were made."""
    found = [(path.parent, _read_record(Trial, path)) for path in sorted(run.glob(f"trials/*/*/*/{TRIAL_FILE}"))]
    return sorted(found, key=lambda item: item[1].started_at)


def write_audit(folder: Path, findings: Iterable[Finding]) -> dict[str, str]:
    """Write a trial's ``audit.json`` and return its SHA-256 by name."""
    write_json(folder / AUDIT_FILE, {"findings": [to_json(one) for one in findings]})
    return {AUDIT_FILE: sha256(folder / AUDIT_FILE)}


def read_audit(folder: Path) -> tuple[Finding, ...]:
    """Read what a trial's audit found; raises BenchError where the file is missing or damaged."""
    return _read_record(_Audit, folder / AUDIT_FILE).findings


def write_swap(run: Path, matrix: SwapMatrix) -> None:
    """Write ``swap.json`` into a run."""
    write_json(run / SWAP_FOLDER / SWAP_FILE, to_json(matrix))


def read_swap(run: Path) -> SwapMatrix | None:
    """Read a run's ``swap.json``, None where it has none; raises BenchError where it is damaged."""
    path = run / SWAP_FOLDER / SWAP_FILE
    return _read_record(SwapMatrix, path) if path.exists() else None


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_lines(cls: type[T], path: Path) -> list[T]:
    """Read JSON Lines of records; raises BenchError naming the line that cannot be read."""
    records = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            records.append(from_json(cls, json.loads(line)))
        except (ValueError, TypeError) as error:
            raise BenchError(f"{path}:{number} cannot be read: {error}", "measure this trial again") from error
    return records


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as stream:
            yield from stream
    except FileNotFoundError:
        raise BenchError(f"{path} was not written", "see the logs beside it") from None


def read_summary(folder: Path, suffix: str = "") -> GeneratorSummary | None:
    """Read the generator's own account (of one worker by its suffix); None where it did not get to write it."""
    path = folder / f"generator{suffix}.json"
    return _read_record(GeneratorSummary, path) if path.exists() else None


def read_emissions(path: Path) -> dict[str, Emission]:
    """Read the upstream's log by tag; a line cut by a kill is left out, since its answer was not finished."""
    found = {}
    for line in _lines(path):
        try:
            emission = from_json(Emission, json.loads(line))
        except ValueError:
            continue
        found[emission.tag] = emission
    return found


def write_samples(
    folder: Path,
    turns: list[Turn],
    emissions: Mapping[str, Emission],
    resources: Iterable[ResourceSample],
    *,
    from_intended: bool = False,
) -> dict[str, str]:
    """Write a trial's raw samples as Parquet and return the SHA-256 of each file by name."""
    from harness.results import turn_table

    turn_table.turns_frame(turns, emissions, from_intended=from_intended).to_parquet(folder / TURNS, index=False)
    turn_table.tokens_frame(turns, emissions).to_parquet(folder / TOKENS, index=False)
    turn_table.resources_frame(resources).to_parquet(folder / RESOURCES, index=False)
    return {name: sha256(folder / name) for name in (TURNS, TOKENS, RESOURCES)}


def _read_parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise BenchError(f"{path} is missing", "restore it or measure again: chatbench run --resume") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise BenchError(f"{path} cannot be read: {error}", DAMAGED) from error


def read_turns(trial: Path) -> "pd.DataFrame":
    """Return a trial's turns, a row each, joined with what the upstream logged."""
    return _read_parquet(trial / TURNS)


def read_tokens(trial: Path) -> "pd.DataFrame":
    """Return per turn its arrival offsets, cumulative tokens and emission offsets."""
    return _read_parquet(trial / TOKENS)


def read_resources(trial: Path) -> "pd.DataFrame":
    """Return a trial's resource samples, a row per sample and component."""
    return _read_parquet(trial / RESOURCES)
