"""The cell that says whether a target's parts swap: it rests on the run's ``swap.json``, not on a trial."""

from collections.abc import Sequence

from harness import results
from harness.analysis.registry import figure
from harness.records import SwapMatrix, SwappedPair
from reports.cells.cell import NO_APP, Cell, absent
from reports.evidence.trials import Evidence

MEASURE = "maintenance.swap"
LABEL = figure(MEASURE).label
EVIDENCE = f"{results.SWAP_FOLDER}/{results.SWAP_FILE}"
ONE_PART = "one part: nothing to swap"


def cell(evidence: Evidence) -> Cell:
    """Return how many pairs of APIs and front ends work, and how many of them hold a part of this target."""
    if evidence.info.kind == "monolith":
        return Cell(
            id=f"{MEASURE}/{evidence.target}",
            label=LABEL,
            target=evidence.target,
            value=0.0,
            unit="pairs",
            verdict="measured",
            text=ONE_PART,
        )
    if evidence.no_app:
        return absent(MEASURE, LABEL, evidence.target, f"not measured: {NO_APP}")
    found = evidence.swap
    if found is None or not any(one.finding.exercised for one in found.pairs):
        return absent(MEASURE, LABEL, evidence.target, f"not measured: {_why(found)}; `chatbench swap --run` does")
    return _counted(evidence, found)


def _why(found: SwapMatrix | None) -> str:
    if found is None:
        return "no pair was tried"
    return found.note or next((one.finding.text for one in found.pairs), "no pair was tried")


def _counted(evidence: Evidence, found: SwapMatrix) -> Cell:
    tried = [one for one in found.pairs if one.finding.exercised]
    works, own = _working(tried), [one for one in tried if {one.api, one.web} & _names(evidence)]
    apis, webs = ({getattr(one, kind) for one in tried} for kind in ("api", "web"))
    short = f"{works} of {len(tried)} pairs"
    said = [
        f"{short} of {_count(apis, 'API')} and {_count(webs, 'front end')} work end to end",
        f"with a part of this target {_working(own)} of {len(own)}",
        *(f"{one.api}+{one.web} fails to {one.finding.text}" for one in tried if one.finding.outcome == "failed"),
    ]
    if left := len(found.pairs) - len(tried):
        said.append(f"{left} could not be tried")
    return Cell(
        id=f"{MEASURE}/{evidence.target}",
        label=LABEL,
        target=evidence.target,
        value=works / len(tried),
        unit="ratio",
        verdict="passed" if works == len(tried) else "failed",
        text="; ".join(said),
        short=short,
        evidence=EVIDENCE,
    )


def _count(names: set[str], what: str) -> str:
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}"


def _names(evidence: Evidence) -> set[str]:
    return {part["name"] for part in evidence.info.parts}


def _working(pairs: Sequence[SwappedPair]) -> int:
    return sum(one.finding.outcome == "passed" for one in pairs)
