"""The output of a Python module that was run inside a pod."""

import json
from typing import Any

from harness.errors import BenchError

LIMIT_S = 1200.0  # an audit ends by itself before
TAIL_LINES = 15


def too_late(purpose: str, complained: str) -> BenchError:
    """Return the error for a module that did not end in its time."""
    return BenchError(
        f"{purpose} did not end within {LIMIT_S:.0f} s and was stopped:{tail_of(complained)}",
        "see the logs of the target and the model for what it waits for",
    )


def printed_list(purpose: str, code: int, printed: str, complained: str) -> list[dict[str, Any]]:
    """Return the JSON list that a module printed.

    Raises:
        BenchError: it failed, or printed something else; with the end of what it complained.
    """
    if code:
        raise BenchError(f"{purpose} ended with {code}:{tail_of(complained)}", "this is a fault of chatbench")
    try:
        told: list[dict[str, Any]] = json.loads(printed)
    except ValueError as error:
        raise BenchError(
            f"{purpose} printed no list ({error}):{tail_of(printed)}", "this is a fault of chatbench"
        ) from error
    return told


def tail_of(text: str) -> str:
    """Return a log's last lines, indented, without control characters."""
    lines = [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]
    clean = ["".join(c for c in line if c.isprintable() or c == "\t")[:500] for line in lines]
    return "".join(f"\n    {line}" for line in clean) or "\n    (nothing)"
