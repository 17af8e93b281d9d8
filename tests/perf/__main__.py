"""Runs every benchmark and prints what was reached; exits 0 whether a goal was met or missed."""

import argparse
import importlib
import traceback
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

BENCHMARKS = (
    "startup",
    "search",
    "sessions",
    "judgements",
    "report",
    "model_cpu",
    "generator_ttft",
    "generator_cost",
    "sampler_cost",
    "sampler_capacity",
    "api_relay",
    "django_relay",
    "builds",
    "front_ends",
    "docker_paths",
    "docker_stack",
)


def main() -> None:
    """Print a row per figure; a benchmark that cannot run is named, never left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benchmarks", nargs="*", default=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    console = Console()
    table = Table("figure", "goal", "value", "", "how", title="performance", title_justify="left")
    for name in parser.parse_args().benchmarks:
        console.print(f"{name} …", highlight=False)
        for row in _rows(name, console):
            table.add_row(*row)
    console.print(table)


def _rows(name: str, console: Console) -> list[tuple[str, str, str, str, Text]]:
    measure: Callable[[], list[dict[str, Any]]] = importlib.import_module(f"tests.perf.{name}").measure
    try:
        figures = measure()
    except Exception:  # noqa: BLE001  # one benchmark that breaks must not hide the others
        console.print(traceback.format_exc(), markup=False, highlight=False)
        return [(name, "", "", "NOT MEASURED", Text("it failed; see above"))]
    return [_row(figure) for figure in figures]


def _row(figure: dict[str, Any]) -> tuple[str, str, str, str, Text]:
    value = figure["value"]
    shown = "not measured" if value is None else f"{value:.4g} {figure['unit']}"
    goal = figure["goal"]
    wanted = f"≤ {goal:g} {figure['unit']}" if isinstance(goal, int | float) else str(goal or "")
    met = {True: "met", False: "MISSED", None: ""}[figure["met"]]
    return str(figure["name"]), wanted, shown, met, Text(str(figure["note"]))


if __name__ == "__main__":
    main()
