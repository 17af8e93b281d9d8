"""Results folders: the only code that knows file names and formats.

Every file is written under a temporary name and renamed: a file with its final name is complete, even after a crash.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import BenchError, UsageError
from harness.records import (
    FORMAT_VERSION,
    READERS,
    Finding,
    Run,
    SelfTest,
    SwapMatrix,
    Trial,
    TrialKey,
    from_json,
    machine_differences,
    to_json,
)
from harness.records.coding import BadValueError, UnknownKeyError

T = TypeVar("T")
RUN_FILE = "run.json"
TRIAL_FILE = "trial.json"
POOLED_FILE = "pooled.json"
SELFTEST_FILE = ".chatbench/selftest.json"
DAMAGED = "restore it or measure again: the file was changed or cut"
AUDIT_FILE = "audit.json"
SWAP_FOLDER, SWAP_FILE = "swap", "swap.json"
LONGEST_SLUG = 100  # file systems end at 255, and names grow a beginning and an end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Audit:
    """``audit.json``."""

    findings: tuple[Finding, ...]


def slug(name: str) -> str:
    """Return a name in [a-z0-9-] for folders, control groups and containers: never empty, at most LONGEST_SLUG long."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if plain and len(plain) <= LONGEST_SLUG:
        return plain
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    return f"{plain[: LONGEST_SLUG - 9]}-{mark}".strip("-").replace("--", "-")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain data as indented JSON; bytes of a path that are no UTF-8 become escapes, which JSON reads back."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode(errors="backslashreplace"))


def require_format(path: Path, data: Any) -> None:
    """Raise BenchError for a file of another results format: which it has, and what reads it."""
    written = data.get("format_version", FORMAT_VERSION) if isinstance(data, dict) else FORMAT_VERSION
    if written == FORMAT_VERSION:
        return
    reader = f"chatbench {READERS[written]}" if written in READERS else "the chatbench that wrote it"
    raise BenchError(
        f"{path} has results format {written}, this chatbench reads format {FORMAT_VERSION}",
        f"{reader} reads it: use that version for this run, or measure again",
    )


def read_record(cls: type[T], path: Path) -> T:
    """Return the record in a file.

    Raises:
        BenchError: it is absent, damaged or of another format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        require_format(path, data)  # before its keys are held against this format's
        return from_json(cls, data)
    except FileNotFoundError:
        raise BenchError(f"{path} does not exist", "name a folder that `chatbench run` wrote") from None
    except BadValueError as error:
        raise BenchError(f"{path} cannot be read: {error}", _other_version(path, error) or DAMAGED) from error
    except (ValueError, TypeError) as error:
        raise BenchError(f"{path} cannot be read: {error}", DAMAGED) from error


def _other_version(path: Path, fault: BadValueError) -> str:
    """Return how to read a file that another chatbench wrote; empty where that is unlikely."""
    files = (path, *(folder / RUN_FILE for folder in path.parents))
    wrote = next((found for file in files if (found := _stated(file, "tool_version"))), None)
    mine = version("chatbench")
    if wrote and wrote != mine:
        return f"chatbench {wrote} wrote it, this is {mine}: read it by that version, or measure again"
    if isinstance(fault, UnknownKeyError):  # nothing that is cut gains a key
        return f"a newer state of chatbench {mine} may have written it: read it by that one, or measure again"
    return ""


def write_run(folder: Path, run: Run) -> None:
    """Write ``run.json``."""
    write_json(folder / RUN_FILE, to_json(run))


def read_run(folder: Path) -> Run:
    """Read ``run.json``; raises BenchError where it is absent, damaged or of another results format."""
    return read_record(Run, folder / RUN_FILE)


def write_selftest(root: Path, found: SelfTest) -> Path:
    """Return the file of this checkout's last self-test, after writing it."""
    path = root / SELFTEST_FILE
    write_json(path, to_json(found))
    return path


def read_selftest(root: Path, machine: Mapping[str, Any]) -> SelfTest | None:
    """Return the last self-test on this machine as it is now; None without one that this chatbench can read."""
    try:
        kept = read_record(SelfTest, root / SELFTEST_FILE)
    except BenchError:
        return None  # a run does without it, and says so
    return None if machine_differences(kept.machine, machine) else kept


def _stated(path: Path, key: str) -> Any:
    """Return what a file states under a key, None for one that is damaged or states nothing."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return None
    return data.get(key) if isinstance(data, dict) else None


def latest(results: Path) -> Path:
    """Return the run in a results folder that was begun last, whatever its folder is called."""
    runs = [path for path in results.glob(f"*/{RUN_FILE}") if path.is_file()]
    if not runs:
        raise UsageError(f"no run in {results}", "measure first: chatbench run")
    return max(runs, key=_begun).parent


def _begun(run: Path) -> tuple[float, float]:
    """Return when a run was begun: as it says, or where it is damaged, when its file was written."""
    written_s = run.stat().st_mtime
    try:
        begun = datetime.fromisoformat(_stated(run, "created_at"))
    except (ValueError, TypeError):
        return written_s, written_s
    return (begun if begun.tzinfo else begun.replace(tzinfo=UTC)).timestamp(), written_s


def trial_folder(run: Path, key: TrialKey) -> Path:
    """Return the folder of a trial."""
    return run / "trials" / slug(key.target) / slug(key.name) / f"{key.number:03d}-{key.level}-{key.repetition}"


def write_trial(folder: Path, trial: Trial) -> None:
    """Write ``trial.json``, last of a trial's files: its presence means the trial is complete."""
    write_json(folder / TRIAL_FILE, to_json(trial))


def read_trials(run: Path) -> list[tuple[Path, Trial]]:
    """Read all complete trials of a run, in the order they were made."""
    found = [(path.parent, read_record(Trial, path)) for path in sorted(run.glob(f"trials/*/*/*/{TRIAL_FILE}"))]
    return sorted(found, key=lambda item: item[1].started_at)


def write_audit(folder: Path, findings: Iterable[Finding]) -> dict[str, str]:
    """Write a trial's ``audit.json`` and return its SHA-256 by name."""
    write_json(folder / AUDIT_FILE, {"findings": [to_json(one) for one in findings]})
    return {AUDIT_FILE: sha256(folder / AUDIT_FILE)}


def read_audit(folder: Path) -> tuple[Finding, ...]:
    """Return the findings of a trial's audit; raises BenchError where the file is missing or damaged."""
    return read_record(_Audit, folder / AUDIT_FILE).findings


def write_swap(run: Path, matrix: SwapMatrix) -> None:
    """Write ``swap.json`` into a run."""
    write_json(run / SWAP_FOLDER / SWAP_FILE, to_json(matrix))


def read_swap(run: Path) -> SwapMatrix | None:
    """Read a run's ``swap.json``, None where it has none; raises BenchError where it is damaged."""
    path = run / SWAP_FOLDER / SWAP_FILE
    return read_record(SwapMatrix, path) if path.exists() else None


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
