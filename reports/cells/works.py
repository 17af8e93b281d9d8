"""Whether a target works: all that a run says of one whose profile asks for no capacity."""

from harness.analysis.figure import figure
from reports.cells.cell import Cell, absent
from reports.cells.figure import cell_id, invalid_cell
from reports.evidence.trials import Evidence, paths, reasons, valid
from reports.numbers import as_text

MEASURE = "works"
LABEL = figure(MEASURE).label


def cell(evidence: Evidence) -> Cell:
    """Return *works* or *does not*, by the trials at the base users."""
    trials = evidence.at(evidence.common_level)
    if not trials:
        return absent(MEASURE, LABEL, evidence.target)
    good = valid(trials)
    if not good:
        return invalid_cell(MEASURE, LABEL, evidence, trials)
    works = all(trial.verdict.outcome == "pass" for _, trial in good)
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
