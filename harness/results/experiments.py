"""The results of wishes: a file for each wish and target, written once it is complete."""

from pathlib import Path

from harness.records import Experiment, to_json
from harness.results.folder import read_record, slug, write_json

EXPERIMENTS_FOLDER = "experiments"


def experiment_file(folder: Path, target: str, wish: str) -> Path:
    """Return the file of a wish on a target, below a folder of experiments."""
    return folder / slug(target) / f"{slug(wish)}.json"


def write_experiment(folder: Path, found: Experiment) -> Path:
    """Return the file of an experiment's result, after writing it."""
    path = experiment_file(folder, found.target, found.wish)
    write_json(path, to_json(found))
    return path


def read_experiment(folder: Path, target: str, wish: str) -> Experiment | None:
    """Return a kept result, None where there is none; raises BenchError where its file is damaged."""
    path = experiment_file(folder, target, wish)
    return read_record(Experiment, path) if path.exists() else None
