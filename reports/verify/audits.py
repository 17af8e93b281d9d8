"""A second way to the cells that rest on audits: from ``audit.json`` as plain data, nothing shared with the report."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from reports.verify import swaps

Trials = Mapping[str, Mapping[str, Any]]  # by folder: trial.json, an audit's with its "findings"
AUDIT_FILE = "audit.json"
SHOWN_CHARS = 120
TOPICS = ("integration", "security", "maintenance")


def damage(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (finding, what is wrong) for every finding whose verdict or details its own counts do not carry."""
    for name, times in Counter(one["name"] for one in data["findings"]).items():
        if times > 1:
            yield name, f"stands there {times} times"
    for one in data["findings"]:
        tried, passed, outcome = one["exercised"], one["passed"], one["outcome"]
        carried = "not measured" if tried == 0 else "passed" if passed == tried else "failed"
        if not 0 <= passed <= tried:
            yield one["name"], f"{passed} of {tried} inputs passed"
        elif outcome != carried:
            yield one["name"], f"says {outcome!r}, {passed} of {tried} inputs make it {carried!r}"
        described = sum(not line.startswith("control: ") for line in one["details"])
        if described != tried:
            yield one["name"], f"{tried} inputs, {described} of them described"


def expected(trials: Trials, target: str) -> dict[str, dict[str, Any]]:
    """Return what every cell of a target's last audit has to show, by cell id."""
    mine = [(t["key"]["number"], path, t) for path, t in trials.items() if t["key"]["target"] == target]
    audits = sorted(
        (number, path)
        for number, path, trial in mine
        if trial["key"]["scenario"] == "audit" and trial["verdict"]["outcome"] != "invalid"
    )
    if not audits:
        return {}
    path = audits[-1][1]
    return {
        f"{one['topic']}.{one['name']}/{target}": _shown(one, path)
        for one in trials[path].get("findings", [])
        if one["topic"] in TOPICS
    }


def _shown(finding: Mapping[str, Any], path: str) -> dict[str, Any]:
    tried, passed = finding["exercised"], finding["passed"]
    common = {
        "label": finding["title"][:1].upper() + finding["title"][1:],
        "rests_on": [path],
        "evidence": f"{path}/{AUDIT_FILE}#{finding['name']}",
        "bracket": None,
    }
    if tried == 0:
        text = f"not measured: {finding['text']}"
        return common | {"verdict": "not measured", "text": text, "value": None, "unit": None}
    text = f"{passed} of {tried}"
    if finding["value"] is not None:
        text += f"; {finding['value']:,g} {finding['unit']}"
    verdict = "passed" if passed == tried else "failed"
    if verdict == "failed" and finding["topic"] == "security":
        differs = finding.get("brief") or (*finding["details"], finding["text"])[0].removeprefix("FAILED ")
        text += f": {differs if len(differs) <= SHOWN_CHARS else differs[: SHOWN_CHARS - 1] + '…'}"
    return common | {"verdict": verdict, "text": text, "value": passed / tried, "unit": "ratio"}


def check(
    cells: list[Mapping[str, Any]], run: Mapping[str, Any], trials: Trials, swap: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """Yield (cell id, what differs) for every such cell that ``audit.json`` or ``swap.json`` does not bear out."""
    shown = {cell["id"]: cell for cell in cells}
    wanted = {cell_id: cell for target in run["targets"] for cell_id, cell in expected(trials, target).items()}
    wanted |= swaps.expected(run, swap)
    for cell_id, cell in wanted.items():
        if cell_id not in shown:
            yield cell_id, "is not in the table"
            continue
        for key, value in cell.items():
            if shown[cell_id].get(key) != value:
                yield cell_id, f"{key}: printed {shown[cell_id].get(key)!r}, the evidence gives {value!r}"
    for cell_id, printed in shown.items():
        bare = printed["value"] is None and printed["verdict"] == "not measured"
        if audited(cell_id) and cell_id not in wanted and not bare:
            yield cell_id, f"says {printed['text']!r}, no audit gives that"


def audited(cell_id: str) -> bool:
    """Tell whether a cell is one of those that rest on audits."""
    return cell_id.partition("/")[0].partition(".")[0] in TOPICS
