"""The reference of figures.

``rows`` is fed by the registry of figures where there is one (harness/analysis/figure.py); until then by the labels of
the example runs, which hold no definitions.
"""

from dataclasses import dataclass

from docs.generate import example
from docs.generate.markdown import table

UNITS = {None: "–", "ratio": "share", "×": "ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of the reference."""

    name: str  # as in trial.json, table.json and its cell's id
    label: str
    unit: str
    definition: str
    printed: str  # the row of the table where it is printed


def rows() -> list[Row]:
    """Return every figure that a report prints."""
    found: dict[str, Row] = {}
    for run in (example.survey(), example.interval(), example.containers()):
        for cell in run.measures():
            if "." in cell.measure or "_" in cell.measure:
                found[cell.measure] = Row(
                    name=cell.measure,
                    label=cell.label,
                    unit=UNITS.get(cell.unit, str(cell.unit)),
                    definition="",
                    printed=cell.row,
                )
    return list(found.values())


def metrics(figures: list[Row]) -> str:
    """Return the table of figures."""
    lines = [(f"`{one.name}`", one.label, one.unit, one.definition, one.printed) for one in figures]
    return table(("Name", "Label", "Unit", "Definition", "Printed in"), lines)


def page() -> str:
    """Return the page."""
    return (
        "# Metrics\n\n"
        "Every figure that a report prints.\n"
        "The name is the one in `table.json`, before the slash of a cell's `id`.\n"
        "[What counts as an answer](method/answers.md) defines turn, TTFT, lateness and stall.\n\n" + metrics(rows())
    )
