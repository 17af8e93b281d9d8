"""Whether a target works: all that a run says of one whose profile asks for no capacity."""

from harness.analysis.registry import figure
from harness.records import Trial
from reports.cells.cell import Cell, absent
from reports.cells.figure import cell_id, invalid_cell
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, paths, reasons
from reports.numbers import as_text

MEASURE = "works"
LABEL = figure(MEASURE).label
DISTURBED = {"invalid.foreign_cpu", "invalid.steal"}


def worked(trial: Trial, terms: Conditions) -> bool:
    """Tell if a trial passed, or met the SLO although other programs took CPU time: they only make it harder."""
    codes = {reason.code for reason in trial.verdict.reasons}
    if trial.verdict.outcome != "invalid" or not codes <= DISTURBED:
        return trial.verdict.outcome == "pass"
    return all((value := trial.figures.get(name)) is not None and value <= most for name, most in terms.slo.items())


def cell(evidence: Evidence, terms: Conditions) -> Cell:
    """Return *works* or *does not*, by the trials at the base users."""
    trials = evidence.at(evidence.common_level)
    if not trials:
        return absent(MEASURE, LABEL, evidence.target)
    good = [item for item in trials if item.trial.verdict.outcome != "invalid" or worked(item.trial, terms)]
    if not good:
        return invalid_cell(MEASURE, LABEL, evidence, trials)
    works = all(worked(trial, terms) for _, trial in good)
    users = as_text(evidence.common_level, "users")
    short = "works" if works else "does not"
    return Cell(
        id=cell_id(MEASURE, evidence),
        label=LABEL,
        target=evidence.target,
        verdict="passed" if works else "failed",
        short=short,
        text=f"{short} ({users})" if works else f"{short} ({users}: {reasons(good) or 'no reason recorded'})",
        rests_on=paths(good),
    )
