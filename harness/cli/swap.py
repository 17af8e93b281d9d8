"""Trying which parts swap, and saying it as a table of APIs and web parts."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import profiles, results
from harness.cli import REPOSITORY, lookup, output, resuming
from harness.errors import EXIT_DONE, EXIT_ERROR, UsageError
from harness.host import machine
from harness.probes import swap as swapping
from harness.probes.browser import chromium
from harness.records import Run, SwapMatrix, SwappedPair
from harness.targets import Catalogue, Target


def run(args: argparse.Namespace) -> int:
    """Try pairs end to end, print them as a table, keep the evidence; exit code 1 where one does not work."""
    console, catalogue = output.console(), lookup.catalogue()
    wanted = _wanted(args.targets, catalogue)
    known = lookup.run_folder(args.run, args.results) if args.run else None
    if known:
        _require_same_state(results.read_run(known), wanted)
    folder = known or args.results / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-swap"
    with machine.one_campaign():
        matrix = tried(wanted, catalogue, folder, profiles.load("quick").seed, console)
    show(matrix, folder, console)
    if known:
        from reports.build import build, page

        build(known)
        console.print(f"report: {page(known)}", highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE if matrix.pairs and all(one.finding.outcome == "passed" for one in matrix.pairs) else EXIT_ERROR


def _wanted(names: list[str], catalogue: Catalogue) -> list[Target]:
    chosen = [catalogue.target(name) for name in dict.fromkeys(names)] or swapping.pairs(catalogue)
    for target in chosen:
        if target.web is None:
            raise UsageError(f"{target.name} is one part: nothing in it can be swapped", "name an api+web pair")
    return chosen


def _require_same_state(run: Run, wanted: list[Target]) -> None:
    """Raise UsageError where what is tried now is not what a run measured: its report would show it as the run's."""
    try:
        resuming.require_same_place(run)
        resuming.require_same_parts(run, {part.name: part for target in wanted for part in target.parts}.values())
    except UsageError as other:
        raise UsageError(other.message, f"{other.hint}; or leave --run out, for a folder of its own") from None


def tried(wanted: list[Target], catalogue: Catalogue, folder: Path, seed: int, console: Console) -> SwapMatrix:
    """Try pairs without containers, saying what is done now; BenchError without a Chromium."""
    with chromium.opened() as browser, console.status("swapping parts") as status:

        def tell(text: str) -> None:
            status.update(Text(text))
            if not console.is_terminal:
                console.print(text, highlight=False, markup=False)

        return swapping.matrix(lookup.runtime("local"), browser, wanted, catalogue, REPOSITORY, seed, folder, tell)


def show(matrix: SwapMatrix, folder: Path, console: Console) -> None:
    """Print APIs down, web parts across, what failed and where, and how long it all took."""
    apis, webs = (list(dict.fromkeys(getattr(one, kind) for one in matrix.pairs)) for kind in ("api", "web"))
    table = Table("", *webs, title=f"parts that swap, in {matrix.browser}", title_justify="left")
    cells = {(one.api, one.web): _cell(one) for one in matrix.pairs}
    for api in apis:
        table.add_row(Text(api), *(cells.get((api, web), Text("")) for web in webs))
    console.print(table)
    for one in matrix.pairs:
        if one.finding.outcome != "passed":
            console.print(f"{one.api}+{one.web}: {one.finding.text}", highlight=False, markup=False, soft_wrap=True)
    working = sum(one.finding.outcome == "passed" for one in matrix.pairs)
    console.print(f"{working} of {len(matrix.pairs)} pairs work end to end; {matrix.duration_s:.0f} s", highlight=False)
    evidence = folder / results.SWAP_FOLDER / results.SWAP_FILE
    console.print(f"evidence: {evidence}", highlight=False, markup=False, soft_wrap=True)


def _cell(one: SwappedPair) -> Text:
    words = {"passed": "ok", "failed": "FAILED", "not measured": "not measured"}
    styles = {"passed": "green", "failed": "bold red", "not measured": "yellow"}
    return Text(f"{words[one.finding.outcome]} {one.duration_s:.1f} s", style=styles[one.finding.outcome])
