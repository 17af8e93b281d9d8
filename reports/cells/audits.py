"""The rows that rest on an audit: a cell per finding, and what stands there where a target was not audited."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import results
from harness.records import Finding
from reports.cells.cell import NO_APP, Cell, CellVerdict, absent
from reports.evidence.trials import Evidence, TrialRef, reasons

Audits = Mapping[str, tuple[Finding, ...]]  # by the trial's folder, relative to the run's

BRIEF_CHARS = 120  # of a table's cell
ROWS = ("integration", "security", "maintenance")  # what audits look at


def read(folder: Path, trials: list[TrialRef]) -> Audits:
    """Read the findings of all audits of a run.

    Raises:
        BenchError: an ``audit.json`` is missing or damaged.
    """
    return {path: results.read_audit(folder / path) for path, trial in trials if results.AUDIT_FILE in trial.files}


def latest(evidence: Evidence, audits: Audits) -> tuple[str, tuple[Finding, ...]] | None:
    """Return the folder and the findings of a target's last audit that can be trusted."""
    good = [path for path, trial in evidence.audits if trial.verdict.outcome != "invalid" and path in audits]
    return (good[-1], audits[good[-1]]) if good else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """The findings on one target; no path and no finding where it was not audited."""

    target: str
    path: str | None
    findings: tuple[Finding, ...]

    def finding(self, name: str) -> Finding | None:
        """Return a finding by its name."""
        return next((one for one in self.findings if one.name == name), None)


def audited(evidence: Iterable[Evidence], audits: Audits) -> tuple[Audited, ...]:
    """Return what was found of each target."""
    found = [(one.target, latest(one, audits) or (None, ())) for one in evidence]
    return tuple(Audited(target=name, path=path, findings=findings) for name, (path, findings) in found)


def properties(found: Iterable[Audited]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the name and title of every property that was looked at, by topic in the order of the table's rows."""
    topics: dict[str, dict[str, str]] = {topic: {} for topic in ("flexibility", *ROWS)}
    for one in found:
        for finding in one.findings:
            topics[finding.topic].setdefault(finding.name, finding.title)
    return [(topic, list(names.items())) for topic, names in topics.items() if names]


def cells(evidence: Evidence, audits: Audits, topic: str) -> list[Cell]:
    """Return a cell per finding of a topic; none where the target was not audited."""
    path, findings = latest(evidence, audits) or ("", ())
    return [_cell(evidence.target, path, finding) for finding in findings if finding.topic == topic]


def unmeasured(evidence: Evidence, audits: Audits, measure: str, label: str) -> Cell:
    """Return the cell of a property that no finding is about, with the reason."""
    if measure.partition(".")[0] not in ROWS or latest(evidence, audits):
        return absent(measure, label, evidence.target)
    why = f"it was not audited; chatbench run {shlex.quote(evidence.target)}"
    if evidence.no_app:
        why = NO_APP
    if evidence.audits:
        why = f"its audit is invalid: {reasons(evidence.audits)}"
    return absent(measure, label, evidence.target, f"not measured: {why}")


def word(finding: Finding) -> str:
    """Say in a word what became of a finding; what a target does not offer to programs breaks no promise of its own."""
    if finding.topic != "integration" or finding.outcome != "failed":
        return finding.outcome
    return "in part" if finding.passed else "none"


def _difference(finding: Finding) -> str:
    """Say what differs from what should be: in the finding's own few words, else its first line, cut."""
    said = finding.brief or next(iter(finding.details), finding.text).removeprefix("FAILED ")
    return said if len(said) <= BRIEF_CHARS else f"{said[: BRIEF_CHARS - 1]}…"


def _cell(target: str, path: str, finding: Finding) -> Cell:
    verdict: CellVerdict = finding.outcome
    if verdict == "not measured":
        short, text, ratio = "", f"not measured: {finding.text}", None
    else:
        own = f"; {finding.value:,g} {finding.unit}" if finding.value is not None else ""
        short, ratio = f"{finding.passed} of {finding.exercised}{own}", finding.passed / finding.exercised
        text = f"{short}: {_difference(finding)}" if verdict == "failed" and finding.topic == "security" else short
    return Cell(
        id=f"{finding.topic}.{finding.name}/{target}",
        label=finding.title[:1].upper() + finding.title[1:],
        target=target,
        value=ratio,
        unit="ratio" if ratio is not None else None,
        verdict=verdict,
        text=text,
        short=short,
        rests_on=(path,),
        evidence=f"{path}/{results.AUDIT_FILE}#{finding.name}",
    )
