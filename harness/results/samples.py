"""Raw samples of a trial: JSON Lines while it runs, Parquet afterwards."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.records import (
    Emission,
    GeneratorSummary,
    ResourceSample,
    Turn,
    from_json,
)

if TYPE_CHECKING:
    import pandas as pd
from harness.results.folder import DAMAGED, T, read_record, sha256

TURNS, TOKENS, RESOURCES, CALLS = "turns.parquet", "tokens.parquet", "resources.parquet", "calls.parquet"


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
        raise BenchError(f"{path} was not written", "look into the logs in the same folder") from None


def read_summary(folder: Path, suffix: str = "") -> GeneratorSummary | None:
    """Return the generator's own account (of one worker by its suffix); None where it wrote none."""
    path = folder / f"generator{suffix}.json"
    return read_record(GeneratorSummary, path) if path.exists() else None


def read_emissions(path: Path) -> list[Emission]:
    """Return the model's log, without a line that a kill has cut: its answer was not finished."""
    found = []
    for line in _lines(path):
        try:
            found.append(from_json(Emission, json.loads(line)))
        except ValueError:
            continue
    return found


def write_samples(
    folder: Path,
    turns: list[Turn],
    emissions: Sequence[Emission],
    resources: Iterable[ResourceSample],
    *,
    from_intended: bool = False,
) -> dict[str, str]:
    """Write a trial's raw samples as Parquet and return the SHA-256 of each file by name."""
    from harness.results import turn_table

    turn_table.turns_frame(turns, emissions, from_intended=from_intended).to_parquet(folder / TURNS, index=False)
    turn_table.tokens_frame(turns, emissions).to_parquet(folder / TOKENS, index=False)
    turn_table.calls_frame(emissions).to_parquet(folder / CALLS, index=False)
    turn_table.resources_frame(resources).to_parquet(folder / RESOURCES, index=False)
    return {name: sha256(folder / name) for name in (TURNS, TOKENS, RESOURCES, CALLS)}


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
    """Return a trial's turns, a row each, joined with what the model logged."""
    return _read_parquet(trial / TURNS)


def read_tokens(trial: Path) -> "pd.DataFrame":
    """Return per turn its arrival offsets, cumulative tokens and emission offsets."""
    return _read_parquet(trial / TOKENS)


def read_calls(trial: Path) -> "pd.DataFrame":
    """Return what the model was asked for in a trial, a row per call."""
    return _read_parquet(trial / CALLS)


def read_resources(trial: Path) -> "pd.DataFrame":
    """Return a trial's resource samples, a row per sample and component."""
    return _read_parquet(trial / RESOURCES)
