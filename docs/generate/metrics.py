"""The reference of figures: the registry's, and the properties that audits count."""

from docs.generate import example
from docs.generate.markdown import table
from harness.analysis.registry import FIGURES

UNITS = {None: "–", "s": "seconds", "ratio": "share"}


def figures() -> str:
    """Return the table of every figure in the registry."""
    lines = [
        (f"`{one.name}`", one.label, UNITS.get(one.unit, str(one.unit)), one.definition, one.printed) for one in FIGURES
    ]
    return table(("Name", "Label", "Unit", "Definition", "Printed in"), lines)


def properties() -> str:
    """Return the table of the properties that the example run's audits counted."""
    lines = {
        cell.measure: (f"`{cell.measure}`", cell.label, cell.row)
        for cell in example.survey().measures()
        if "." in cell.measure
    }
    return table(("Name", "Label", "Row"), list(lines.values()))


def page() -> str:
    """Return the page."""
    return (
        "# Metrics\n\n"
        "Every figure that a trial holds or a report prints.\n"
        "The name is the key in `trial.json`, or stands before the slash of a cell's `id` in `table.json`.\n"
        "`N` in a name stands for a number. Times are in seconds in files and in milliseconds on pages.\n"
        "[What counts as an answer](method/answers.md) defines turn, TTFT, lateness and stall.\n\n"
        + figures()
        + "\n\n## Properties\n\n"
        "An audit counts, for each property, the inputs tried and the inputs passed.\n\n" + properties()
    )
