"""A second way to the cells about parts that swap: from ``swap.json`` as plain data, nothing shared with the report."""

from collections.abc import Mapping
from typing import Any

EVIDENCE = "swap/swap.json"
MEASURE = "maintenance.swap"


def expected(run: Mapping[str, Any], swap: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return what the cell of every target has to show, by cell id."""
    return {f"{MEASURE}/{name}": _shown(info, swap) for name, info in run["targets"].items()}


def _shown(info: Mapping[str, Any], swap: Mapping[str, Any] | None) -> dict[str, Any]:
    if info["kind"] == "monolith":
        return {"value": 0.0, "unit": "pairs", "verdict": "measured", "text": "one part: nothing to swap"}
    if not info["instances"]:  # no application
        return {"value": None, "verdict": "not measured"}
    pairs = swap["pairs"] if swap else []
    works = {(one["api"], one["web"]): _works(one["finding"]) for one in pairs if one["finding"]["details"]}
    if not works:
        return {"value": None, "verdict": "not measured"}
    own = [good for pair, good in works.items() if any(part["name"] in pair for part in info["parts"])]
    good, apis, webs = list(works.values()).count(True), {api for api, _ in works}, {web for _, web in works}
    text = f"{good} of {len(works)} pairs of {_some(apis, 'API')} and {_some(webs, 'front end')} work end to end"
    text += f"; with a part of this target {own.count(True)} of {len(own)}"
    for one in pairs:
        if works.get((one["api"], one["web"])) is False:
            text += f"; {one['api']}+{one['web']} fails to {one['finding']['text']}"
    if len(pairs) > len(works):
        text += f"; {len(pairs) - len(works)} could not be tried"
    return {
        "value": good / len(works),
        "unit": "ratio",
        "verdict": "passed" if good == len(works) else "failed",
        "text": text,
        "evidence": EVIDENCE,
    }


def _some(names: set[str], what: str) -> str:
    return f"{len(names)} {what}" + ("" if len(names) == 1 else "s")


def _works(finding: Mapping[str, Any]) -> bool:
    """Judge a pair by the line of each step."""
    return all(": ok, " in line and ": FAILED" not in line for line in finding["details"])
