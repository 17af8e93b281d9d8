"""What a report takes of a run with two million turns: seconds and the most memory, in a process of its own."""

import os
import sys
import tempfile
import time
from pathlib import Path

from harness import results
from tests.doubles import results_run

TURNS = 2_000_000
GOAL_S = 10.0
GOAL_BYTES = 1e9
RUN_ID = "20261122-083000-large"


def measure() -> list[dict[str, object]]:
    """Return how long ``chatbench report`` takes and its peak memory, the page and all plots included."""
    with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as name:
        folder = results_run.write_run(Path(name) / RUN_ID, (results_run.STREAMLIT, results_run.DJANGO))
        turns = enlarge(folder)
        seconds, peak_bytes = report(folder)
    how = f"{turns:,} turns in 12 trials under load, tables, page and plots; the interpreter's start included"
    return [
        {
            "name": "report from 2 million turns",
            "goal": GOAL_S,
            "value": round(seconds, 2),
            "unit": "s",
            "met": seconds <= GOAL_S,
            "note": how,
        },
        {
            "name": "its memory at most",
            "goal": GOAL_BYTES / 1e6,
            "value": round(peak_bytes / 1e6),
            "unit": "MB",
            "met": peak_bytes <= GOAL_BYTES,
            "note": "largest resident set that the system saw",
        },
    ]


def enlarge(folder: Path) -> int:
    """Repeat each loaded trial's turns until the run holds two million."""
    import pandas as pd

    loaded = {path: trial.files for path, trial in results.read_trials(folder) if trial.key.scenario == "chat"}
    share = -(-TURNS // len(loaded))
    total = 0
    for path, files in loaded.items():
        frame = results.read_turns(path)
        times = -(-share // len(frame))
        whole = pd.concat([frame] * times, ignore_index=True).head(share)
        whole.to_parquet(path / results.TURNS, index=False)
        results_run.rewrite(path, files=files | {results.TURNS: results.sha256(path / results.TURNS)})
        total += len(whole)
    return total


def report(folder: Path) -> tuple[float, int]:
    """Return the seconds and the peak resident bytes of one ``chatbench report``."""
    begun_s = time.monotonic()
    command = Path(sys.executable).with_name("chatbench")
    process = os.posix_spawn(
        command,
        [str(command), "report", str(folder)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"chatbench report ended with status {status}")
    return time.monotonic() - begun_s, used.ru_maxrss * 1024
