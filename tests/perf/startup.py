"""How long a person waits for the command line to say anything."""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

GOAL_S = 0.3
TRIES = 7


def measure() -> list[dict[str, Any]]:
    """Return the median wall time of ``chatbench --help`` beside that of an empty Python process."""
    command = [str(Path(sys.executable).parent / "chatbench"), "--help"]
    help_s = statistics.median(_timed(command) for _ in range(TRIES))
    empty_s = statistics.median(_timed([sys.executable, "-c", ""]) for _ in range(TRIES))
    return [
        {
            "name": "chatbench --help",
            "goal": GOAL_S,
            "value": help_s,
            "unit": "s",
            "met": help_s <= GOAL_S,
            "note": f"median of {TRIES}; an empty Python process takes {empty_s:.3f} s, ratio {help_s / empty_s:.1f}",
        }
    ]


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
