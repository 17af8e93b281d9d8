"""Several sessions as one result: the table of a ``pooled.json`` that ``chatbench report RUN RUN`` wrote."""

import json
import re
from pathlib import Path
from typing import Any

from docs.generate.example import FOLDER
from docs.generate.markdown import table as markdown_table

POOLED = FOLDER / "pooled" / "pooled.json"
MEASURES = (
    "capacity_users",
    "capacity_estimate_users",
    "capacity_at_reference_users",
    "target_cpu_s_per_turn",
    "memory_slope_bytes_per_session",
)
PARTS = re.compile(r"^(?P<value>[^(]+?) \((?:95 % interval (?P<interval>[^;]+); next session (?P<next>[^;]+); )?")


def table(path: Path = POOLED) -> str:
    """Return ratios and capacities over sessions with interval, range and number; empty without such a result."""
    if not path.exists():
        return ""
    pooled = json.loads(path.read_text(encoding="utf-8"))
    rows = [_row(cell) for cell in pooled["cells"] if cell["id"].partition("/")[0] in MEASURES]
    heading = ("Figure", "Target", "Over sessions", "95 % interval", "Next session", "Sessions")
    runs = ", ".join(f"`{run['run_id']}`" for run in pooled["runs"])
    return f"{markdown_table(heading, rows)}\nRuns {runs}.\n" + "".join(f"{words}\n" for words in pooled["speed"])


def _row(cell: dict[str, Any]) -> tuple[object, ...]:
    found = PARTS.match(cell["text"])
    value = found["value"] if found else cell["text"]
    interval, following = (found["interval"], found["next"]) if found and found["interval"] else ("–", "–")
    return cell["label"], f"`{cell['target']}`", f"**{value}**", interval, following, cell["sessions"]
