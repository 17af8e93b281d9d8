"""Wishes on targets: what was met, at which level and cost, as a table of wishes and targets."""

import argparse
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import profiles
from harness.analysis.signs import sign_test
from harness.cli import REPOSITORY, lookup, output
from harness.errors import EXIT_DONE, EXIT_ERROR, UsageError
from harness.experiments import Trying, Wish, granted, wishes
from harness.host import machine
from harness.records import Experiment
from harness.results import EXPERIMENTS_FOLDER
from harness.targets import nearest

Row = Sequence[tuple[Experiment, bool]]


def run(args: argparse.Namespace) -> int:
    """Try each wish on each target and print them; exit code 1 where a patch does not do what it is for."""
    console, catalogue = output.console(), lookup.catalogue()
    wanted = _wanted(args.wish)
    targets = [catalogue.target(name) for name in dict.fromkeys(args.targets)]
    with machine.one_campaign(), console.status("granting wishes") as status:

        def tell(text: str) -> None:
            status.update(Text(text))
            if not console.is_terminal:
                console.print(text, highlight=False, markup=False)

        found = granted(
            Trying(
                root=REPOSITORY,
                catalogue=catalogue,
                runtime=lambda: lookup.runtime("local"),
                wishes=wanted,
                targets=targets,
                seed=profiles.load("quick").seed,
                folder=args.results / EXPERIMENTS_FOLDER,
                again=args.again,
                tell=tell,
            )
        )
    show(found, wanted, [target.name for target in targets], console)
    console.print(f"evidence: {args.results / EXPERIMENTS_FOLDER}", highlight=False, markup=False, soft_wrap=True)
    return EXIT_DONE if all(one.outcome in ("met", "no patch") for one, _ in found) else EXIT_ERROR


def _wanted(names: list[str] | None) -> list[Wish]:
    known = wishes(REPOSITORY / "targets" / "wishes")
    for name in names or ():
        if name not in {wish.name for wish in known}:
            raise UsageError(f"unknown wish {name!r}", nearest(name, [wish.name for wish in known]))
    return [wish for wish in known if not names or wish.name in names]


def show(found: Row, wanted: Sequence[Wish], targets: Sequence[str], console: Console) -> None:
    """Print wishes down, targets across; then totals, the sign test, what failed, and what was kept from before."""
    cells = {(one.wish, one.target): one for one, _ in found}
    table = Table("wish", *targets, title="wishes", title_justify="left")
    for wish in wanted:
        table.add_row(Text(wish.title), *(_cell(cells[wish.name, target]) for target in targets))
    for title, texts in totals(list(cells.values()), targets):
        table.add_row(Text(title, style="bold"), *(Text(text) for text in texts))
    console.print(table)
    for line in remarks(found, targets):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _cell(one: Experiment) -> Text:
    if one.outcome == "met" and one.level is not None:
        return Text(f"level {one.level}\n{_cost(one)}", style="yellow" if one.level == 2 else "green")
    style = "dim" if one.outcome in ("no patch", "browser missing") else "bold red"
    return Text("cannot be met" if one.impossible else one.outcome, style=style)


def _cost(one: Experiment) -> str:
    cost = one.cost
    if cost is None:
        return ""
    words = f"{cost.lines} lines, {cost.files} files, {cost.parts_touched} of {cost.parts} parts"
    if cost.rebuild_s is None or cost.restart_s is None:
        return words
    return f"{words}, {cost.rebuild_s + cost.restart_s:.0f} s"


def totals(found: Sequence[Experiment], targets: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the table's last rows: how many wishes were met by what, and the median cost of those."""
    by_target = [[one for one in found if one.target == target] for target in targets]
    met = [[one for one in those if one.outcome == "met"] for those in by_target]
    pairs = list(zip(met, by_target, strict=True))
    rows = [
        ("met by documented means", [_count([one for one in m if one.level != 2], t) for m, t in pairs]),
        ("met by an escape", [_count([one for one in m if one.level == 2], t) for m, t in pairs]),
        ("tried, or said to be impossible", [_count([one for one in t if one.tried], t) for t in by_target]),
    ]
    lines = [[one.cost.lines for one in those if one.cost] for those in met]
    return [*rows, ("lines changed (median)", [f"{median(those):.0f}" if those else "–" for those in lines])]


def _count(some: Sequence[Experiment], of: Sequence[Experiment]) -> str:
    return f"{len(some)} of {len(of)}"


def remarks(found: Row, targets: Sequence[str]) -> list[str]:
    """Return lines below the table: reasons, sign tests, results from before."""
    lines = [f"{one.target}, {one.wish}: {one.outcome}: {one.text}" for one, _ in found if one.outcome != "met"]
    lines += [
        f"{one.target}, {one.wish}: level 2 by {mark.name} in {mark.file}"
        for one, _ in found
        if one.level == 2
        for mark in one.marks[:1]
    ]
    lines += [
        f"{one.target}, {one.wish}: shown as of {one.made_at[:10]} ({one.machine}); --again makes it anew"
        for one, kept in found
        if kept and one.outcome != "no patch"
    ]
    return lines + [compared(a, b, [one for one, _ in found]) for a, b in combinations(targets, 2)]


def compared(a: str, b: str, found: Sequence[Experiment]) -> str:
    """Return the sign test over the wishes that were tried on both targets, in a sentence."""
    ranks = {(one.target, one.wish): one.rank for one in found if one.tried}
    both = sorted(wish for target, wish in ranks if target == a and (b, wish) in ranks)
    test = sign_test((ranks[a, wish], ranks[b, wish]) for wish in both)
    said = f"settled for {a if test.first > test.second else b}" if test.settled else "not settled"
    return (
        f"{a} against {b}, by level over {len(both)} wishes: better {test.first}, worse {test.second}, "
        f"alike {test.ties}; sign test p = {test.p:.2f}: {said}"
    )
